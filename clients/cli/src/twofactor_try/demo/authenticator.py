"""Scenes: set up an authenticator app, move it to a new phone, and remove it."""

import re

from twofactor.v1.two_factor_service_pb2 import (
    ConfirmAuthenticatorSetupRequest,
    ConfirmAuthenticatorSetupResponse,
    ConfirmBackupCodeSavedRequest,
    RemoveAuthenticatorRequest,
    StartAuthenticatorSetupRequest,
    StartAuthenticatorSetupResponse,
)
from twofactor.v1.types_pb2 import SECOND_FACTOR_AUTHENTICATOR, SECOND_FACTOR_EMAIL_CODE
from twofactor_try.demo.context import Demo, UnexpectedResponseError, expect
from twofactor_try.totp_app import TotpApp

BACKUP_CODE = re.compile(r"[0-9a-hjkmnp-tv-z]{4}( [0-9a-hjkmnp-tv-z]{4}){3}")


def set_up_authenticator(demo: Demo) -> None:
    setup = _start_setup(demo)
    demo.screen.success("Confirmed the password again. The server returned a new secret:")
    demo.screen.setup_box(setup.otpauth_uri, setup.secret)
    demo.app = TotpApp(setup.secret, demo.clock_offset)
    code = demo.app.next_code()
    demo.setup_request = ConfirmAuthenticatorSetupRequest(
        session_token=demo.session_token, setup_id=setup.setup_id, code=code
    )
    response = _confirm_setup(demo, demo.setup_request)
    demo.write_down(response.backup_code)
    demo.screen.success("Entered ", (code, "code"), " from the app: the authenticator is on, e-mail codes are off.")
    demo.screen.code_box(
        "Save your backup code", response.backup_code.code, "Store it somewhere safe. It won't be shown again."
    )
    status = demo.get_two_factor()
    expect(status.method == SECOND_FACTOR_AUTHENTICATOR, "the authenticator is not on")
    demo.check(
        "You're shown one when you set up the app.",
        "setting up the app",
        f"code no. {response.backup_code.generation}",
        passed=bool(response.backup_code.code) and status.backup_code.generation == response.backup_code.generation,
    )
    demo.check(
        "A backup code is four short groups, e.g. abcd 1234 ef56 7890.",
        "its format",
        "four groups of four",
        passed=BACKUP_CODE.fullmatch(response.backup_code.code) is not None,
    )


def confirm_saved(demo: Demo) -> None:
    expect(not demo.get_two_factor().backup_code.HasField("save_time"), "an unconfirmed code is marked as saved")
    demo.screen.success("The status is “not saved”. It shows the code's number and times, never the code itself.")
    request = ConfirmBackupCodeSavedRequest(session_token=demo.session_token, generation=demo.backup_code.generation)
    demo.rpc.call(demo.rpc.two_factor.ConfirmBackupCodeSaved, request)
    expect(demo.get_two_factor().backup_code.HasField("save_time"), "the code is not marked as saved")
    demo.screen.success("Clicked “I've saved it”: the status is “saved”.")
    setup_request = demo.setup_request
    if setup_request is None:
        raise UnexpectedResponseError("no authenticator was set up before")
    demo.expect_error(
        lambda: _confirm_setup(demo, setup_request),
        "REQUEST_ID_EXPIRED",
        text=("Repeated the setup request: it no longer returns the code.",),
    )
    demo.check("Store it somewhere safe. It won't be shown again.", "the same request again", "rejected")


def move_to_new_phone(demo: Demo) -> None:
    old_app, old_code = demo.app, demo.backup_code.code
    if old_app is None:
        raise UnexpectedResponseError("no authenticator was set up before")
    setup = _start_setup(demo)
    demo.app = new_app = TotpApp(setup.secret, demo.clock_offset)
    request = ConfirmAuthenticatorSetupRequest(
        session_token=demo.session_token, setup_id=setup.setup_id, code=new_app.next_code()
    )
    response = _confirm_setup(demo, request)
    demo.screen.success("Set up the app on a new phone: the secret and the backup code were replaced together.")
    demo.screen.code_box("Save your backup code", response.backup_code.code, "It replaces the previous one.")
    demo.save(response.backup_code, demo.session_token)
    challenge_token = demo.start_sign_in().challenge_token
    demo.expect_error(
        lambda: demo.verify_app_code(challenge_token, old_app.next_code()),
        "CODE_MISMATCH",
        text=("Entered a code from the old phone: rejected.",),
    )
    demo.expect_error(
        lambda: demo.use_backup_code(challenge_token, old_code),
        *("CODE_ALREADY_USED", "CODE_MISMATCH"),
        text=("Entered the previous backup code: rejected.",),
    )
    code = new_app.next_code()
    demo.session_token = demo.verify_app_code(challenge_token, code)
    demo.screen.success("Entered ", (code, "code"), " from the new phone: signed in.")
    demo.check("Make sure you're using the most recent code.", "the old phone and code", "both rejected")


def return_to_email_codes(demo: Demo) -> None:
    last_code = demo.backup_code.code
    request = RemoveAuthenticatorRequest(session_token=demo.session_token, reauthentication=demo.reauthentication())
    demo.rpc.call(demo.rpc.two_factor.RemoveAuthenticator, request)
    status = demo.get_two_factor()
    expect(status.method == SECOND_FACTOR_EMAIL_CODE, "the account does not use e-mail codes")
    expect(not status.HasField("backup_code"), "an account on e-mail codes still has a backup code")
    demo.screen.success("Removed the authenticator: the account uses e-mail codes again.")
    started = demo.start_sign_in()
    demo.expect_error(
        lambda: demo.use_backup_code(started.challenge_token, last_code),
        "METHOD_NOT_ACTIVE",
        text=("Entered the last backup code, ", (last_code, "code"), ": rejected."),
    )
    demo.expect_error(
        lambda: demo.regenerate_backup_code(demo.reauthentication()),
        "METHOD_NOT_ACTIVE",
        text=("Clicked Regenerate: there is no backup code to replace.",),
    )
    demo.sign_in_with_email_code(started.challenge_token)
    demo.check(
        "If you're on email login codes (not an app), there are no backup codes; your recovery is your email.",
        "removing the app",
        "e-mail codes only",
        passed=not started.challenge.backup_code_accepted,
    )


def _start_setup(demo: Demo) -> StartAuthenticatorSetupResponse:
    request = StartAuthenticatorSetupRequest(session_token=demo.session_token, reauthentication=demo.reauthentication())
    return demo.rpc.call(demo.rpc.two_factor.StartAuthenticatorSetup, request)


def _confirm_setup(demo: Demo, request: ConfirmAuthenticatorSetupRequest) -> ConfirmAuthenticatorSetupResponse:
    return demo.rpc.call(demo.rpc.two_factor.ConfirmAuthenticatorSetup, request)
