"""The walk's first steps: an account, a mailed code, an authenticator, and the first backup code."""

import re
import time
from functools import partial

from twofactor.v1.types_pb2 import SECOND_FACTOR_AUTHENTICATOR, SECOND_FACTOR_EMAIL_CODE
from twofactor_try.demo.walk import Walk, ensure
from twofactor_try.phone import Phone

FORM = re.compile(r"[0-9a-hjkmnp-tv-z]{4}( [0-9a-hjkmnp-tv-z]{4}){3}")


def create_account(walk: Walk) -> None:
    account = walk.contract.create_account(walk.email, walk.password)
    walk.account_id = account.account_id
    # A phone takes its time from the network; ours from the server, wherever that is and whatever clock it has.
    lead = account.create_time.ToMilliseconds() / 1000 - time.time()
    walk.clock_lead = lead if abs(lead) > 1 else 0.0
    walk.screen.done("The account exists. Nothing to set up: each sign-in will be confirmed by a mailed code.")


def sign_in_with_mailed_code(walk: Walk) -> None:
    started = walk.start_sign_in()
    ensure(started.challenge.second_factor == SECOND_FACTOR_EMAIL_CODE, "the new account is not on e-mail codes")
    walk.screen.done("The password is right. “Verify It's You”: a code has gone to ", started.challenge.masked_email)
    code = walk.mailed_code()
    answer = walk.contract.verify_email_code(started.challenge_token, code)
    walk.session_token = answer.session_token
    walk.screen.done("Typed ", (code, "code"), " from the mail: signed in.")
    walk.promise(
        "On email login codes, your recovery is simply your email inbox.",
        "a mailed code",
        "signed in",
        kept=not started.challenge.backup_code_accepted,
    )


def set_up_authenticator(walk: Walk) -> None:
    setup = walk.contract.start_setup(walk.session_token, walk.proof())
    walk.screen.done("Asked for the password once more; then the new authenticator's secret:")
    walk.screen.setup_box(setup.otpauth_uri, setup.secret)
    walk.phone = phone = Phone(setup.secret, walk.clock_lead)
    code = phone.fresh_code()
    confirm = partial(walk.contract.confirm_setup, walk.session_token, setup.setup_id, code)
    answer = confirm()
    walk.repeat_setup = confirm
    walk.write_down(answer.backup_code)
    walk.screen.done("The app shows ", (code, "code"), ". Typed it: the authenticator is on, e-mail codes are off.")
    walk.screen.code_box(
        "Save your backup code", answer.backup_code.code, "Store it somewhere safe. It won't be shown again."
    )
    status = walk.two_factor()
    ensure(status.method == SECOND_FACTOR_AUTHENTICATOR, "the authenticator is not on")
    walk.promise(
        "You're shown one when you set up the app.",
        "turning the app on",
        f"code no. {answer.backup_code.generation}",
        kept=bool(answer.backup_code.code) and status.backup_code.generation == answer.backup_code.generation,
    )
    walk.promise(
        "A backup code is four short groups, e.g. abcd 1234 ef56 7890.",
        "its look",
        "four groups of four",
        kept=FORM.fullmatch(answer.backup_code.code) is not None,
    )


def say_saved(walk: Walk) -> None:
    before = walk.two_factor().backup_code
    ensure(not before.HasField("save_time"), "a code that nobody confirmed counts as saved")
    walk.screen.done("Until now the status was “not saved”: it tells number and times, never the code.")
    walk.contract.confirm_saved(walk.session_token, walk.backup_code.generation)
    ensure(walk.two_factor().backup_code.HasField("save_time"), "the code does not count as saved")
    walk.screen.done("Clicked “I've saved it”: the status is “saved”.")
    if walk.repeat_setup is not None:
        walk.refused(
            walk.repeat_setup,
            "REQUEST_ID_EXPIRED",
            saying=("Even the very same call, repeated, does not show the code now:",),
        )
    walk.promise("Store it somewhere safe. It won't be shown again.", "the same call repeated", "refused")
