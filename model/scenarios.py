"""What is explored of the whole protocol: twenty-three meetings of two or three parties, with crashes and lost answers.

All of it in one scenario would be too much for any machine; what matters is which calls meet, and each meeting that
the protocol has an answer to is here.
"""

from dataclasses import replace

from model.account_scenarios import ADDRESS, CLOSING, FIRST_PASSWORD, LAST_WAY, NOT_ME, PASSWORD, SIGN_IN
from model.calls import (
    AppMovesOn,
    ConfirmSetup,
    Regenerate,
    Remove,
    Revoke,
    Saved,
    SignOut,
    StartSetup,
    TenMinutesPass,
    Use,
    VerifyApp,
)
from model.rows import AUTHENTICATOR, EMAIL, Factor, Setup
from model.starts import BROWSER, CLOCK, LAPTOP, SECOND, STRANGER, THIRD, account, guessed, used_before
from model.world import Scenario, Script

RACE = Scenario(
    "one code, three sign-ins",
    "three browsers use the same code at the same moment, each on a sign-in of its own",
    tuple(Script(who, (Use(number, "1", "r"),)) for number, who in enumerate((BROWSER, SECOND, THIRD), 1)),
    account(3),
    alike=3,
    own_challenges=True,
)
CLICKS = Scenario(
    "one sign-in, three clicks",
    "a double click (one request_id) and a third try under another request_id, on one sign-in",
    (
        Script(BROWSER, (Use(1, "1", "r"),)),
        Script(SECOND, (Use(1, "1", "r"),)),
        Script(THIRD, (Use(1, "1", "other"),)),
    ),
    account(1),
    alike=2,
)
REGENERATE = Scenario(
    "use against regenerate",
    "two browsers use the code while the signed-in laptop asks for a new one",
    (
        Script(BROWSER, (Use(1, "1", "r"),)),
        Script(SECOND, (Use(2, "1", "r"),)),
        Script(LAPTOP, (Regenerate(0, "g"),)),
    ),
    account(2),
    alike=2,
    own_challenges=True,
)
REBUILD = Scenario(
    "use against remove and set up again",
    "the authenticator is removed and set up again while the code is used, and used again elsewhere",
    (
        Script(BROWSER, (Use(1, "1", "r"),)),
        Script(SECOND, (Use(2, "1", "r"),)),
        Script(LAPTOP, (Remove(0), StartSetup(0, 1), ConfirmSetup(0, 1, "s"))),
    ),
    account(2),
    alike=2,
    own_challenges=True,
)
NEW_PHONE = Scenario(
    "use against a new phone",
    "secret and backup code are exchanged for a new phone's while the old code is used",
    (
        Script(BROWSER, (Use(1, "1", "r"),)),
        Script(SECOND, (Use(2, "1", "r"),)),
        Script(LAPTOP, (ConfirmSetup(0, 1, "s"),)),
    ),
    account(2, (("authenticator_setups", 1), Setup(0))),
    alike=2,
    own_challenges=True,
)
SAVED = Scenario(
    "use against saved and sign-out",
    "the new code is called saved from here and from elsewhere, and its session signs out or is revoked",
    (
        Script(BROWSER, (Use(1, "1", "r"), Saved(1, 2), SignOut(1))),
        Script(SECOND, (Use(1, "1", "r"),)),
        Script(LAPTOP, (Saved(0, 2), Revoke(0, 1)), stubborn=True),
    ),
    account(1),
)
TIME = Scenario(
    "use against the clock",
    "the sign-in's ten minutes pass at any moment",
    (
        Script(BROWSER, (Use(1, "1", "r"),)),
        Script(SECOND, (Use(1, "1", "r"),)),
        Script(CLOCK, (TenMinutesPass(),), owner=False),
    ),
    account(1),
    alike=2,
)
GUESSES = Scenario(
    "guesses to the limit",
    "four wrong codes are judged already; two more guesses race with the owner's right code for the last attempt",
    (
        Script(BROWSER, (Use(1, "1", "r"),)),
        Script(STRANGER, (Use(1, "guess-5", "x"),), owner=False),
        Script("second stranger", (Use(1, "guess-6", "y"),), owner=False),
    ),
    account(1, *guessed(1, 4)),
)
OLD_CODE = Scenario(
    "an old code",
    "somebody who has a code that was used long ago tries it, and a guess, beside the owner's sign-in",
    (
        Script(BROWSER, (Use(1, "2", "r"),)),
        Script(SECOND, (Use(2, "1", "r"), Use(2, "2", "q")), stubborn=True),
        Script(STRANGER, (Use(2, "guess-1", "y"),), owner=False),
    ),
    account(2, *used_before(9, "1"), factor=Factor(AUTHENTICATOR, 2, "2")),
    held="2",
)
APP = Scenario(
    "backup code against authenticator code",
    "one sign-in is completed by the app's code and by the backup code at once, a second one by the app's",
    (
        Script(BROWSER, (Use(1, "1", "r"),)),
        Script(SECOND, (VerifyApp(1, "v"),)),
        Script(THIRD, (VerifyApp(2, "v"),)),
    ),
    account(2),
)
FIRST_SETUP = Scenario(
    "the first setup",
    "an account on e-mail codes turns its authenticator on from two tabs; the app moves on meanwhile",
    (
        Script(LAPTOP, (ConfirmSetup(0, 1, "s"),)),
        Script(SECOND, (ConfirmSetup(0, 1, "s"),)),
        Script(CLOCK, (AppMovesOn(),), owner=False),
    ),
    account(0, (("authenticator_setups", 1), Setup(0)), factor=Factor(EMAIL, 0, None, bound=0)),
    held=None,
    alike=2,
)
TWO_TABS = Scenario(
    "regenerate against remove and set up again",
    "one tab asks for a new code, another removes the authenticator and sets it up again",
    (
        Script(LAPTOP, (Regenerate(0, "g"),)),
        Script(SECOND, (Remove(0), StartSetup(0, 1), ConfirmSetup(0, 1, "s"))),
    ),
    account(0),
)
SLOW = replace(
    RACE,
    name="answers that dawdle",
    about="two browsers use the same code, and answers may be on their way for as long as they like",
    scripts=RACE.scripts[:2],
    alike=2,
    prompt=False,
)
STATEMENTS = replace(
    SLOW,
    name="statement by statement",
    about="two browsers use the same code; between any two statements another transaction or a crash may come",
    crashes=1,
    losses=1,
    fine=True,
    alike=0,
    own_challenges=False,
)
NEXT_CODE = Scenario(
    "the next code",
    "the replacement is used as soon as the owner has it, while calls with the old code are still under way",
    (
        Script(BROWSER, (Use(1, "1", "r"),)),
        Script(SECOND, (Use(2, "1", "r"), Use(2, "2a", "again")), stubborn=True),
        Script(THIRD, (Use(3, "2a", "r", held=True),)),
    ),
    account(3),
)
REGENERATIONS = Scenario(
    "three regenerations",
    "a double click (one request_id) on *regenerate*, and another tab that asks as well",
    (
        Script(LAPTOP, (Regenerate(0, "g"),)),
        Script(SECOND, (Regenerate(0, "g"),)),
        Script(THIRD, (Regenerate(0, "other"),)),
    ),
    account(0),
    alike=2,
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
    LAST_WAY,
    FIRST_PASSWORD,
    TIME,
    GUESSES,
    OLD_CODE,
    APP,
    SLOW,
    STATEMENTS,
)
"""The whole protocol, scenario by scenario; all of it in about a minute."""
