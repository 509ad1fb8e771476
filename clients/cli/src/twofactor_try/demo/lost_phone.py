"""The walk's middle: signing in with the backup code, getting the next one, and trying the old one."""

from datetime import datetime

from twofactor.v1.types_pb2 import SECOND_FACTOR_AUTHENTICATOR
from twofactor_try.demo.walk import AWAY, Walk, ensure
from twofactor_try.refusals import clock_time


def lose_the_phone(walk: Walk) -> None:
    started = walk.start_sign_in(AWAY)
    ensure(started.challenge.second_factor == SECOND_FACTOR_AUTHENTICATOR, "the app is not asked for")
    ensure(started.challenge.backup_code_accepted, "the backup code is not offered")
    walk.screen.done("The password is right. “Verify It's You” takes the app's code, or the backup code.")
    walk.used_code = walk.backup_code.code
    typed = walk.used_code.replace(" ", "").upper()
    answer = walk.contract.seen_from(AWAY).use_backup_code(started.challenge_token, typed)
    walk.session_token = answer.session_token
    walk.screen.done("Typed ", (typed, "code"), ", in capitals and without spaces: signed in.")
    walk.promise(
        "A backup code … lets you sign in if you ever lose access to your authenticator app.",
        "no phone, but the code",
        "signed in",
        kept="urn:twofactor:backup" in answer.session.methods,
    )
    walk.promise("Spaces don't matter.", "capitals, no spaces", "signed in")
    walk.screen.code_box(
        "Save your new backup code",
        answer.new_backup_code.code,
        "It came with the same answer.",
    )
    walk.promise(
        "We immediately replace the used code and show you a new one.",
        "the sign-in's answer",
        f"code no. {answer.new_backup_code.generation}",
        kept=answer.new_backup_code.generation == walk.backup_code.generation + 1
        and answer.new_backup_code.code != walk.used_code,
    )
    walk.save(answer.new_backup_code, answer.session_token)


def try_the_old_code(walk: Walk) -> None:
    challenge = walk.start_sign_in(AWAY).challenge_token
    refusal = walk.refused(
        lambda: walk.contract.seen_from(AWAY).use_backup_code(challenge, walk.used_code),
        "CODE_ALREADY_USED",
        saying=("Typed the old code ", (walk.used_code, "code"), " again:"),
    )
    ensure("used_at" in refusal.metadata, "the refusal does not say when the code was used")
    used = clock_time(datetime.fromisoformat(refusal.metadata["used_at"]))
    walk.promise(
        "Backup codes are single-use. If you've already used it, the old one no longer works.",
        "the old code again",
        f"used {used}",
    )
