"""The schema's history, forward only, in plain SQL.

``storage/schema`` declares the same schema as SQLAlchemy tables; tests/storage/test_migrations.py proves that both are
equal. Once a version is released, each revision must work while servers of the version before it still run: add first,
and remove in a later release.
"""

HEAD = "0003"
"""The revision that this version of the server needs."""
