"""What is explored of the whole protocol: concurrent calls of two or three clients, with crashes and lost answers.

One scenario with everything would be too large to explore; each combination of calls that the protocol has an answer to
has a scenario of its own.
"""

from dataclasses import replace

from model.calls import (
    ChallengesExpire,
    ChangePassword,
    CloseAccount,
    ConfirmAuthenticatorSetup,
    ConfirmBackupCodeSaved,
    ConfirmEmailChange,
    RegenerateBackupCode,
    RemoveAuthenticator,
    ReportNotMe,
    RevokeSession,
    SetPassword,
    SignOut,
    StartAuthenticatorSetup,
    StartSignIn,
    StartSignInByIdentity,
    TotpCodeExpires,
    UnlinkIdentity,
    UseBackupCode,
    VerifyAuthenticatorCode,
)
from model.rows import (
    ACCOUNT,
    AUTHENTICATOR,
    EMAIL,
    FACTOR,
    Account,
    Attempt,
    Challenge,
    Factor,
    Identity,
    Key,
    Link,
    Row,
    Session,
    Setup,
    Spent,
)
from model.world import Scenario, Script

CODE_1 = Factor(AUTHENTICATOR, 1, "1")
USE_1 = Script("browser 1", (UseBackupCode(1, "1", "r"),))
USE_2 = Script("browser 2", (UseBackupCode(2, "1", "r"),))
SIGN_IN_AND_USE = Script("browser 1", (StartSignIn(1), UseBackupCode(1, "1", "r")))
REBUILD_ACTIONS = (RemoveAuthenticator(0), StartAuthenticatorSetup(0, 1), ConfirmAuthenticatorSetup(0, 1, "s"))


def account(challenges: int, *more: tuple[Key, Row], factor: Factor = CODE_1) -> dict[Key, Row]:
    """An account whose code is code 1, with a live session 0 and open challenges numbered from 1."""
    rows: dict[Key, Row] = {FACTOR: factor, ACCOUNT: Account(), ("sessions", 0): Session(0, "before")}
    rows |= {("challenges", number): Challenge() for number in range(1, challenges + 1)}
    return rows | dict(more)


def account_with_identities(identities: int) -> dict[Key, Row]:
    """The same, without a password."""
    linked = [(("identities", number), Identity()) for number in range(1, identities + 1)]
    return account(0, (ACCOUNT, Account(has_password=False)), *linked)


def wrong_guesses(challenge: int, count: int) -> list[tuple[Key, Row]]:
    """So many wrong codes on the challenge."""
    attempts = [(("backup_code_attempts", challenge, f"guess-{n}"), Attempt("wrong")) for n in range(1, count + 1)]
    return [(("challenges", challenge), Challenge(attempts=count)), *attempts]


def spent_code(challenge: int, code: str) -> list[tuple[Key, Row]]:
    """Generation 1, spent on an earlier challenge."""
    return [
        (("challenges", challenge), Challenge(attempts=1, completed=True)),
        (("backup_code_attempts", challenge, code), Attempt("right")),
        (("sessions", challenge), Session(challenge, code, "2", ended=True)),
        (("spent_backup_codes", 1), Spent(code)),
    ]


RACE = Scenario(
    "one code, three sign-ins",
    "three browsers use the same code at the same time, each on its own challenge",
    (USE_1, USE_2, Script("browser 3", (UseBackupCode(3, "1", "r"),))),
    account(3),
    interchangeable=3,
    own_challenges=True,
)
CLICKS = Scenario(
    "one sign-in, three clicks",
    "a double click (one request_id) and a third attempt with another request_id, on one challenge",
    (
        USE_1,
        Script("browser 2", (UseBackupCode(1, "1", "r"),)),
        Script("browser 3", (UseBackupCode(1, "1", "other"),)),
    ),
    account(1),
    interchangeable=2,
)
NEXT_CODE = Scenario(
    "the next code",
    "the new code is used as soon as the owner has it, while calls with the old code are still running",
    (
        USE_1,
        Script(
            "browser 2", (UseBackupCode(2, "1", "r"), UseBackupCode(2, "2a", "again")), continues_after_refusal=True
        ),
        Script("browser 3", (UseBackupCode(3, "2a", "r", once_held=True),)),
    ),
    account(3),
)
REGENERATE = Scenario(
    "use and regenerate",
    "two browsers use the code while a signed-in laptop regenerates it",
    (USE_1, USE_2, Script("laptop", (RegenerateBackupCode(0, "g"),))),
    account(2),
    interchangeable=2,
    own_challenges=True,
)
REGENERATIONS = Scenario(
    "three regenerations",
    "a double click (one request_id) on regenerate, and another tab that regenerates as well",
    (
        Script("laptop", (RegenerateBackupCode(0, "g"),)),
        Script("tab 2", (RegenerateBackupCode(0, "g"),)),
        Script("tab 3", (RegenerateBackupCode(0, "other"),)),
    ),
    account(0),
    interchangeable=2,
)
REBUILD = Scenario(
    "use, remove and set up again",
    "the authenticator is removed and set up again while two browsers use the code",
    (USE_1, USE_2, Script("laptop", REBUILD_ACTIONS)),
    account(2),
    interchangeable=2,
    own_challenges=True,
)
NEW_PHONE = Scenario(
    "use and move to a new phone",
    "secret and backup code are replaced by a new phone's while two browsers use the old code",
    (USE_1, USE_2, Script("laptop", (ConfirmAuthenticatorSetup(0, 1, "s"),))),
    account(2, (("authenticator_setups", 1), Setup(0))),
    interchangeable=2,
    own_challenges=True,
)
FIRST_SETUP = Scenario(
    "first setup",
    "an account on e-mail codes turns its authenticator on from two tabs; the typed code expires meanwhile",
    (
        Script("laptop", (ConfirmAuthenticatorSetup(0, 1, "s"),)),
        Script("tab 2", (ConfirmAuthenticatorSetup(0, 1, "s"),)),
        Script("clock", (TotpCodeExpires(),), owner=False),
    ),
    account(0, (("authenticator_setups", 1), Setup(0)), factor=Factor(EMAIL, 0, None, enrolment=0)),
    known_code=None,
    interchangeable=2,
)
TWO_TABS = Scenario(
    "regenerate, remove and set up again",
    "one tab regenerates the code, another removes the authenticator and sets it up again",
    (Script("laptop", (RegenerateBackupCode(0, "g"),)), Script("tab 2", REBUILD_ACTIONS)),
    account(0),
)
SAVED = Scenario(
    "use, saved and sign-out",
    "the new code is confirmed as saved by its session and by another, and its session signs out or is revoked",
    (
        Script("browser 1", (UseBackupCode(1, "1", "r"), ConfirmBackupCodeSaved(1, 2), SignOut(1))),
        Script("browser 2", (UseBackupCode(1, "1", "r"),)),
        Script("laptop", (ConfirmBackupCodeSaved(0, 2), RevokeSession(0, 1)), continues_after_refusal=True),
    ),
    account(1),
)
PASSWORD = Scenario(
    "use and password change",
    "the password changes, which ends the other sessions, while two browsers use the code",
    (USE_1, USE_2, Script("laptop", (ChangePassword(0, "p"),))),
    account(2),
    interchangeable=2,
    own_challenges=True,
)
SIGN_IN = Scenario(
    "sign-in and password change",
    "the password changes while a sign-in starts with it and then uses the code",
    (SIGN_IN_AND_USE, Script("laptop", (ChangePassword(0, "p"),))),
    account(0),
)
ADDRESS = Scenario(
    "sign-in and address change",
    "the address changes while a sign-in starts and then uses the code, and another challenge is open",
    (SIGN_IN_AND_USE, USE_2, Script("laptop", (ConfirmEmailChange(1),))),
    account(0, (("challenges", 2), Challenge()), (("mailed_links", 1), Link())),
)
NOT_ME = Scenario(
    'use and "this wasn\'t me"',
    "two browsers use the code, one of them then regenerates it, while the notice about that code is reported",
    (
        Script("browser 1", (UseBackupCode(1, "1", "r"), RegenerateBackupCode(1, "g"))),
        USE_2,
        Script("laptop", (ReportNotMe(1, 1),)),
    ),
    account(2, (("mailed_links", 1), Link())),
)
CLOSING = Scenario(
    "sign-in and closing the account",
    "the account is closed while a sign-in starts with its password, and another browser uses the code",
    (SIGN_IN_AND_USE, USE_2, Script("laptop", (CloseAccount(0),))),
    account(0, (("challenges", 2), Challenge())),
)
LAST_IDENTITY = Scenario(
    "the last first factor",
    "an account without a password: two tabs unlink its two identities, while one of these starts a sign-in",
    (
        Script("laptop", (UnlinkIdentity(0, 1),)),
        Script("tab 2", (UnlinkIdentity(0, 2),)),
        Script("browser 1", (StartSignInByIdentity(1, 1),)),
    ),
    account_with_identities(2),
)
FIRST_PASSWORD = Scenario(
    "unlink and first password",
    "the only identity is unlinked, and again if that was refused, while another tab sets a first password with it",
    (
        Script("laptop", (UnlinkIdentity(0, 1), UnlinkIdentity(0, 1)), continues_after_refusal=True),
        Script("tab 2", (SetPassword(0, 1, "p"),)),
    ),
    account_with_identities(1),
)
TIME = Scenario(
    "use and expiry",
    "the challenge expires at any moment",
    (
        USE_1,
        Script("browser 2", (UseBackupCode(1, "1", "r"),)),
        Script("clock", (ChallengesExpire(),), owner=False),
    ),
    account(1),
    interchangeable=2,
)
GUESSES = Scenario(
    "guesses up to the limit",
    "after four wrong codes, two more guesses compete with the owner's right code for the last attempt",
    (
        USE_1,
        Script("guesser 1", (UseBackupCode(1, "guess-5", "x"),), owner=False),
        Script("guesser 2", (UseBackupCode(1, "guess-6", "y"),), owner=False),
    ),
    account(1, *wrong_guesses(1, 4)),
)
OLD_CODE = Scenario(
    "an old code",
    "a code that was spent long ago is tried, then the valid one, and a guess, while the owner signs in",
    (
        Script("browser 1", (UseBackupCode(1, "2", "r"),)),
        Script("browser 2", (UseBackupCode(2, "1", "r"), UseBackupCode(2, "2", "q")), continues_after_refusal=True),
        Script("guesser 1", (UseBackupCode(2, "guess-1", "y"),), owner=False),
    ),
    account(2, *spent_code(9, "1"), factor=Factor(AUTHENTICATOR, 2, "2")),
    known_code="2",
)
APP = Scenario(
    "backup code and authenticator code",
    "the app's code and the backup code complete one challenge at the same time; the app's code also another one",
    (
        USE_1,
        Script("browser 2", (VerifyAuthenticatorCode(1, "v"),)),
        Script("browser 3", (VerifyAuthenticatorCode(2, "v"),)),
    ),
    account(2),
)
SLOW_ANSWERS = replace(
    RACE,
    name="slow answers",
    summary="two browsers use the same code, and answers may arrive at any later moment",
    scripts=RACE.scripts[:2],
    interchangeable=2,
    prompt_answers=False,
)
STATEMENTS = replace(
    SLOW_ANSWERS,
    name="statement by statement",
    summary="two browsers use the same code; other transactions and crashes can occur between any two statements",
    crashes=1,
    losses=1,
    by_statement=True,
    interchangeable=0,
    own_challenges=False,
)

WHOLE = (
    RACE,
    CLICKS,
    NEXT_CODE,
    REGENERATE,
    REGENERATIONS,
    REBUILD,
    NEW_PHONE,
    FIRST_SETUP,
    TWO_TABS,
    SAVED,
    PASSWORD,
    SIGN_IN,
    ADDRESS,
    NOT_ME,
    CLOSING,
    LAST_IDENTITY,
    FIRST_PASSWORD,
    TIME,
    GUESSES,
    OLD_CODE,
    APP,
    SLOW_ANSWERS,
    STATEMENTS,
)
"""The scenarios of the whole protocol."""
