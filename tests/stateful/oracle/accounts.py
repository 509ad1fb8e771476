"""CreateAccount, repeated, and GetAccount."""

from tests.stateful.oracle.account_calls import CreateAccount, GetAccount
from tests.stateful.oracle.answers import AccountSeen, Refusal
from tests.stateful.oracle.moments import Moment, Outcomes
from tests.stateful.oracle.state import Account


def create_account(account: Account, call: CreateAccount, at: Moment) -> Outcomes:
    """The account exists: the call that made it is answered the same again, any other finds its address taken."""
    if call.request_id != account.created_by:
        raise Refusal("EMAIL_TAKEN", field="email")
    if (call.email.lower(), call.password) != (account.email, account.password):
        raise Refusal("REQUEST_ID_REUSED", field="request_id")
    yield account, seen(account)


def get_account(account: Account, call: GetAccount, at: Moment) -> Outcomes:
    """The account, by its address in any case."""
    yield account, seen(account)


def seen(account: Account) -> AccountSeen:
    """As it is shown."""
    providers = sorted({one.known_as.provider for one in account.identities.values()})
    return AccountSeen(
        account.account_id, account.email, account.verified, bool(account.password), tuple(providers)
    )  # fmt: skip
