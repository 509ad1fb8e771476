"""The schema as SQLAlchemy tables, against which statements are written.

The migrations declare the same schema a second time, in SQL. tests/storage/test_migrations.py proves that a database
built by the migrations equals one built from these tables: every column, default, constraint and index.
"""

from twofactor_server.storage.schema.accounts import (
    account_creations,
    account_emails,
    accounts,
    first_factor_failures,
    first_factor_totals,
    identities,
    identity_owners,
)
from twofactor_server.storage.schema.columns import metadata
from twofactor_server.storage.schema.mailed_links import mailed_links
from twofactor_server.storage.schema.records import audit_events, outbox, replies
from twofactor_server.storage.schema.second_factors import (
    authenticator_setups,
    second_factors,
    spent_backup_codes,
)
from twofactor_server.storage.schema.sign_in import (
    backup_code_attempts,
    challenges,
    email_codes,
    reauthentication_attempts,
    second_factor_failures,
    sessions,
)

__all__ = [
    "account_creations",
    "account_emails",
    "accounts",
    "audit_events",
    "authenticator_setups",
    "backup_code_attempts",
    "challenges",
    "email_codes",
    "first_factor_failures",
    "first_factor_totals",
    "identities",
    "identity_owners",
    "mailed_links",
    "metadata",
    "outbox",
    "reauthentication_attempts",
    "replies",
    "second_factor_failures",
    "second_factors",
    "sessions",
    "spent_backup_codes",
]
