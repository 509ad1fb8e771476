"""Meetings with what changes the account: password, identities, address, "this wasn't me", the end of it."""

from model.calls import (
    ChangePassword,
    Close,
    ConfirmEmail,
    Regenerate,
    Report,
    SetPassword,
    StartByIdentity,
    StartSignIn,
    Unlink,
    Use,
)
from model.rows import Challenge, Link
from model.starts import BROWSER, LAPTOP, SECOND, account, identified
from model.world import Scenario, Script

PASSWORD = Scenario(
    "use against a password change",
    "the password changes, and with it the other sessions end, while two browsers use the code",
    (
        Script(BROWSER, (Use(1, "1", "r"),)),
        Script(SECOND, (Use(2, "1", "r"),)),
        Script(LAPTOP, (ChangePassword(0, "p"),)),
    ),
    account(2),
    alike=2,
    own_challenges=True,
)
SIGN_IN = Scenario(
    "sign-in against a password change",
    "the password changes while a sign-in starts with it, and goes on to use the code",
    (Script(BROWSER, (StartSignIn(1), Use(1, "1", "r"))), Script(LAPTOP, (ChangePassword(0, "p"),))),
    account(0),
)
ADDRESS = Scenario(
    "sign-in against a change of the address",
    "the address changes while a sign-in starts, goes on to use the code, and another one is open",
    (
        Script(BROWSER, (StartSignIn(1), Use(1, "1", "r"))),
        Script(SECOND, (Use(2, "1", "r"),)),
        Script(LAPTOP, (ConfirmEmail(1),)),
    ),
    account(0, (("challenges", 2), Challenge()), (("mailed_links", 1), Link())),
)
NOT_ME = Scenario(
    'use against "this wasn\'t me"',
    "two browsers use the code, one of them goes on to regenerate, while the notice of that code is reported",
    (
        Script(BROWSER, (Use(1, "1", "r"), Regenerate(1, "g"))),
        Script(SECOND, (Use(2, "1", "r"),)),
        Script(LAPTOP, (Report(1, 1),)),
    ),
    account(2, (("mailed_links", 1), Link())),
)
CLOSING = Scenario(
    "sign-in against closing the account",
    "the account is closed while a sign-in starts with its password, and another one uses the code",
    (
        Script(BROWSER, (StartSignIn(1), Use(1, "1", "r"))),
        Script(SECOND, (Use(2, "1", "r"),)),
        Script(LAPTOP, (Close(0),)),
    ),
    account(0, (("challenges", 2), Challenge())),
)
LAST_WAY = Scenario(
    "the last way in",
    "an account without a password: its two identities are unlinked from two tabs, while one of them starts a sign-in",
    (
        Script(LAPTOP, (Unlink(0, 1),)),
        Script(SECOND, (Unlink(0, 2),)),
        Script(BROWSER, (StartByIdentity(1, 1),)),
    ),
    identified(2),
)
FIRST_PASSWORD = Scenario(
    "unlinking against a first password",
    "the only identity is unlinked, and once more if that was refused, while another tab sets a first password with it",
    (
        Script(LAPTOP, (Unlink(0, 1), Unlink(0, 1)), stubborn=True),
        Script(SECOND, (SetPassword(0, 1, "p"),)),
    ),
    identified(1),
)
