"""Scenes: sign in with the backup code, try a used one, and regenerate it."""

from datetime import datetime

from twofactor.v1.types_pb2 import SECOND_FACTOR_AUTHENTICATOR, Reauthentication
from twofactor_try.demo.context import AWAY, Demo, expect
from twofactor_try.formatting import format_time


def sign_in_without_phone(demo: Demo) -> None:
    started = demo.start_sign_in(AWAY)
    expect(started.challenge.second_factor == SECOND_FACTOR_AUTHENTICATOR, "the app is not required")
    expect(started.challenge.backup_code_accepted, "the backup code is not accepted")
    demo.screen.success("The password is correct. A code from the app, or the backup code, is required next.")
    demo.used_code = demo.backup_code.code
    entered = demo.used_code.replace(" ", "").upper()
    response = demo.use_backup_code(started.challenge_token, entered, AWAY)
    new_code = response.new_backup_code
    demo.session_token = response.session_token
    demo.screen.success("Entered ", (entered, "code"), ", in capitals and without spaces: signed in.")
    demo.check(
        "A backup code … lets you sign in if you ever lose access to your authenticator app.",
        "the code, no phone",
        "signed in",
        passed="urn:twofactor:backup" in response.session.methods,
    )
    demo.check("Spaces don't matter.", "capitals, no spaces", "signed in")
    demo.screen.code_box("Save your new backup code", new_code.code, "Returned in the same response.")
    demo.check(
        "We immediately replace the used code and show you a new one.",
        "the sign-in's response",
        f"code no. {new_code.generation}",
        passed=new_code.generation == demo.backup_code.generation + 1 and new_code.code != demo.used_code,
    )
    demo.save(new_code, response.session_token)


def try_used_code(demo: Demo) -> None:
    challenge_token = demo.start_sign_in(AWAY).challenge_token
    error = demo.expect_error(
        lambda: demo.use_backup_code(challenge_token, demo.used_code, AWAY),
        "CODE_ALREADY_USED",
        text=("Entered the used code ", (demo.used_code, "code"), " again: rejected."),
    )
    expect("used_at" in error.metadata, "the error does not say when the code was used")
    used_at = datetime.fromisoformat(error.metadata["used_at"])
    demo.check(
        "Backup codes are single-use. If you've already used it, the old one no longer works.",
        "the used code again",
        f"used {format_time(used_at)}",
    )


def regenerate(demo: Demo) -> None:
    old_code = demo.backup_code.code
    demo.expect_error(
        lambda: demo.regenerate_backup_code(None),
        "REAUTHENTICATION_REQUIRED",
        text=("Clicked Regenerate, without a password: rejected.",),
    )
    demo.expect_error(
        lambda: demo.regenerate_backup_code(Reauthentication(password=demo.password[::-1])),
        "REAUTHENTICATION_FAILED",
        text=("With a wrong password: rejected.",),
    )
    code = demo.regenerate_backup_code(demo.reauthentication())
    demo.screen.success("With the correct password: the server returned a new code.")
    demo.screen.code_box("Save your new backup code", code.code, "Shown only once.")
    demo.save(code, demo.session_token)
    challenge_token = demo.start_sign_in().challenge_token
    demo.expect_error(
        lambda: demo.use_backup_code(challenge_token, old_code),
        *("CODE_ALREADY_USED", "CODE_MISMATCH"),
        text=("Entered the previous code: rejected.",),
    )
    demo.check(
        "You'll confirm your password, and we'll show the new code once.",
        "regenerating the code",
        f"code no. {code.generation}",
        passed=code.code != old_code,
    )
