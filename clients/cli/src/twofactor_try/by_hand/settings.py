"""Commands of a signed-in owner: the second factor and its backup code."""

from uuid import uuid4

from twofactor_try.by_hand.passwords import read_code
from twofactor_try.by_hand.step import Said, Step, said
from twofactor_try.by_hand.words import at, backup_code_words, two_factor_words
from twofactor_try.failures import CannotStartError
from twofactor_try.qr_code import BLOCKS, QrCode
from twofactor_try.refusals import Refused
from twofactor_try.terminal import can_show


def status(step: Step) -> Said:
    answer = step.contract.get_two_factor(step.session_token)
    return said(answer, *two_factor_words(answer))


def saved(step: Step) -> Said:
    generation = step.options.generation
    if generation is None:
        generation = int(step.memory.get("generation", "No backup code was shown here: say which one was saved."))
    step.contract.confirm_saved(step.session_token, generation)
    return said(None, f"Backup code no. {generation} is marked as saved.")


def setup(step: Step) -> Said:
    answer = step.contract.start_setup(step.session_token, step.proof())
    step.memory.keep(setup_id=answer.setup_id)
    return said(
        answer,
        "Scan this with an authenticator app:",
        *((QrCode(answer.otpauth_uri),) if can_show(BLOCKS) else ()),
        f"or type the secret:  {answer.secret}",
        f"or open:             {answer.otpauth_uri}",
        f"Then, by {at(answer.expire_time)}: twofactor-try confirm-setup CODE",
    )


def confirm_setup(step: Step) -> Said:
    setup_id = _setup_id(step)
    code = read_code(step.options.code, "The app's code: ")
    answer = step.contract.confirm_setup(step.session_token, setup_id, code, step.options.request_id)
    step.memory.keep(generation=str(answer.backup_code.generation))
    return said(
        answer,
        "The authenticator is on.",
        *backup_code_words("Save your backup code", answer.backup_code, replayed=answer.replayed),
    )


def cancel_setup(step: Step) -> Said:
    step.contract.cancel_setup(step.session_token, _setup_id(step))
    step.memory.forget("setup_id")
    return said(None, "No setup is pending; the second factor is as it was.")


def regenerate(step: Step) -> Said:
    session_token = step.session_token
    request_id = step.options.request_id
    if request_id is None:
        # Kept until its answer has come, so that the command typed again after a lost answer is the same call.
        request_id = step.memory.find("regenerate_request_id") or str(uuid4())
        step.memory.keep(regenerate_request_id=request_id)
    try:
        answer = step.contract.regenerate(session_token, step.proof(), request_id)
    except Refused as refusal:
        if refusal.reason == "REQUEST_ID_EXPIRED":
            step.memory.forget("regenerate_request_id")
        raise
    step.memory.forget("regenerate_request_id")
    step.memory.keep(generation=str(answer.backup_code.generation))
    return said(
        answer,
        "The backup code before this one does not work any more.",
        *backup_code_words("Save your new backup code", answer.backup_code, replayed=answer.replayed),
    )


def remove(step: Step) -> Said:
    step.contract.remove_authenticator(step.session_token, step.proof())
    step.memory.forget("setup_id", "generation")
    return said(None, "The account is on e-mail codes. Authenticator and backup code are gone.")


def _setup_id(step: Step) -> str:
    found: str | None = step.options.setup_id or step.memory.find("setup_id")
    if found is None:
        raise CannotStartError("No setup is pending: begin with `twofactor-try setup`.")
    return found
