"""The walk's last steps: a new phone, a fresh backup code, and back to e-mail codes."""

from twofactor.v1.types_pb2 import SECOND_FACTOR_EMAIL_CODE, Reauthentication
from twofactor_try.demo.walk import HOME, UnexpectedAnswerError, Walk, ensure
from twofactor_try.phone import Phone


def move_to_a_new_phone(walk: Walk) -> None:
    old_phone, old_code = walk.phone, walk.backup_code.code
    if old_phone is None:
        raise UnexpectedAnswerError("no authenticator was set up before")
    setup = walk.contract.start_setup(walk.session_token, walk.proof())
    walk.phone = new_phone = Phone(setup.secret, walk.clock_lead)
    answer = walk.contract.confirm_setup(walk.session_token, setup.setup_id, new_phone.fresh_code())
    walk.screen.done("A second setup, confirmed by the new phone: secret and backup code changed together.")
    walk.screen.code_box("Save your backup code", answer.backup_code.code, "For the new phone.")
    walk.save(answer.backup_code, walk.session_token)
    challenge = walk.start_sign_in(HOME).challenge_token
    walk.refused(
        lambda: walk.contract.verify_authenticator_code(challenge, old_phone.fresh_code()),
        "CODE_MISMATCH",
        saying=("The old phone's code does not count any more:",),
    )
    walk.refused(
        lambda: walk.contract.use_backup_code(challenge, old_code),
        *("CODE_ALREADY_USED", "CODE_MISMATCH"),
        saying=("Nor does the backup code that came before it:",),
    )
    code = new_phone.fresh_code()
    walk.session_token = walk.contract.verify_authenticator_code(challenge, code).session_token
    walk.screen.done("The new phone shows ", (code, "code"), ": signed in.")
    walk.promise(
        "Make sure you're using the most recent code.",
        "the old phone and code",
        "both refused",
    )


def regenerate(walk: Walk) -> None:
    old_code = walk.backup_code.code
    walk.refused(
        lambda: walk.contract.regenerate(walk.session_token, None),
        "REAUTHENTICATION_REQUIRED",
        saying=("Clicked Regenerate, without the password:",),
    )
    walk.refused(
        lambda: walk.contract.regenerate(walk.session_token, Reauthentication(password=walk.password[::-1])),
        "REAUTHENTICATION_FAILED",
        saying=("With a wrong one:",),
    )
    answer = walk.contract.regenerate(walk.session_token, walk.proof())
    walk.screen.done("With the right one:")
    walk.screen.code_box("Your fresh backup code", answer.backup_code.code, "Shown this once.")
    walk.save(answer.backup_code, walk.session_token)
    challenge = walk.start_sign_in(HOME).challenge_token
    walk.refused(
        lambda: walk.contract.use_backup_code(challenge, old_code),
        *("CODE_ALREADY_USED", "CODE_MISMATCH"),
        saying=("The code from before is dead:",),
    )
    walk.promise(
        "You'll confirm your password, and we'll show the new code once.",
        "the password again",
        f"code no. {answer.backup_code.generation}",
        kept=answer.backup_code.code != old_code,
    )


def back_to_email_codes(walk: Walk) -> None:
    last_code = walk.backup_code.code
    walk.contract.remove_authenticator(walk.session_token, walk.proof())
    status = walk.two_factor()
    ensure(status.method == SECOND_FACTOR_EMAIL_CODE, "the account is not on e-mail codes")
    ensure(not status.HasField("backup_code"), "a backup code is left on an account on e-mail codes")
    walk.screen.done("The authenticator is removed, and the account on e-mail codes at once.")
    started = walk.start_sign_in(HOME)
    walk.refused(
        lambda: walk.contract.use_backup_code(started.challenge_token, last_code),
        "METHOD_NOT_ACTIVE",
        saying=("The last backup code, ", (last_code, "code"), ", has gone with it:"),
    )
    walk.refused(
        lambda: walk.contract.regenerate(walk.session_token, walk.proof()),
        "METHOD_NOT_ACTIVE",
        saying=("Nor is there one to regenerate:",),
    )
    code = walk.mailed_code()
    walk.session_token = walk.contract.verify_email_code(started.challenge_token, code).session_token
    walk.screen.done("Typed ", (code, "code"), " from the mail: signed in.")
    walk.promise(
        "If you're on email login codes (not an app), there are no backup codes; your recovery is your email.",
        "removing the app",
        "refused; mail works",
        kept=not started.challenge.backup_code_accepted,
    )
