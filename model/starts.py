"""Who meets, and what stands in the database when they do."""

from model.rows import (
    ACCOUNT,
    AUTHENTICATOR,
    FACTOR,
    Account,
    Attempt,
    Challenge,
    Factor,
    Identity,
    Key,
    Row,
    Session,
    Spent,
)

BROWSER = "Alice's browser"
SECOND = "second browser"
THIRD = "third browser"
LAPTOP = "signed-in laptop"
STRANGER = "stranger"
CLOCK = "clock"


CODE_1 = Factor(AUTHENTICATOR, 1, "1")


def account(challenges: int, *more: tuple[Key, Row], factor: Factor = CODE_1) -> dict[Key, Row]:
    """An account with code 1, a signed-in session 0, and so many challenges that wait."""
    rows: dict[Key, Row] = {FACTOR: factor, ACCOUNT: Account(), ("sessions", 0): Session(0, "before")}
    rows |= {("challenges", number): Challenge() for number in range(1, challenges + 1)}
    return rows | dict(more)


def identified(identities: int) -> dict[Key, Row]:
    """An account like that, without a password: so many identities open it."""
    linked = [(("identities", number), Identity()) for number in range(1, identities + 1)]
    return account(0, (ACCOUNT, Account(has_password=False)), *linked)


def guessed(challenge: int, times: int) -> list[tuple[Key, Row]]:
    """So many wrong codes judged on the challenge already."""
    attempts = [(("backup_code_attempts", challenge, f"guess-{n}"), Attempt("wrong")) for n in range(1, times + 1)]
    return [(("challenges", challenge), Challenge(attempts=times)), *attempts]


def used_before(challenge: int, code: str) -> list[tuple[Key, Row]]:
    """Generation 1, used on an earlier challenge."""
    return [
        (("challenges", challenge), Challenge(attempts=1, completed=True)),
        (("backup_code_attempts", challenge, code), Attempt("right")),
        (("sessions", challenge), Session(challenge, code, "2", ended=True)),
        (("spent_backup_codes", 1), Spent(code)),
    ]
