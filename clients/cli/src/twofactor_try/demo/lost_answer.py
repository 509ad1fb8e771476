"""An answer that is lost on its way, and the same call repeated."""

from twofactor.v1.two_factor_service_pb2 import UseBackupCodeResponse
from twofactor_try.connection import open_channel_without_retries
from twofactor_try.contract import Contract
from twofactor_try.demo.walk import AWAY, UnexpectedAnswerError, Walk
from twofactor_try.lossy_wire import LossyWire
from twofactor_try.refusals import Refused

TRIES = 3


def lose_the_answer(walk: Walk) -> None:
    challenge = walk.start_sign_in(AWAY).challenge_token
    code = walk.backup_code.code
    lost, refusal = _lost_answer(walk, challenge, code)
    walk.screen.refused(
        refusal,
        *("Typed ", (code, "code"), f". The server answered; we cut the wire on its {lost.ByteSize()} bytes, so"),
        " all that the owner sees is:",
    )
    contract = walk.contract.seen_from(AWAY)
    again = contract.use_backup_code(challenge, code)
    once_more = contract.use_backup_code(challenge, code)
    same = lost.new_backup_code == again.new_backup_code == once_more.new_backup_code
    walk.session_token = again.session_token
    walk.screen.done("The same call, sent again: signed in, and the answer is marked ", ("replayed", "code"), ".")
    walk.screen.done(
        *("The lost answer held ", (lost.new_backup_code.code, "code")),
        *(", the repeat brought ", (again.new_backup_code.code, "code"), "."),
    )
    walk.promise(
        "You're signed in. We … show you a new one on a “Save your new backup code” screen.",
        "a lost answer, repeated",
        "the same new code" if same else "another code",
        kept=same and again.replayed and once_more.replayed and again.session_token == lost.session_token,
    )
    walk.save(again.new_backup_code, again.session_token)


def _lost_answer(walk: Walk, challenge: str, code: str) -> tuple[UseBackupCodeResponse, Refused]:
    """What the server answered, from the cut wire, and what the caller saw of it."""
    for _ in range(TRIES):
        with LossyWire(walk.server) as wire:
            refusal = _ask_over(wire, walk, challenge, code)
        if wire.lost_message:
            return UseBackupCodeResponse.FromString(wire.lost_message), refusal
        # What was lost was a refusal, OVERLOADED most likely: nothing has happened yet.
    raise UnexpectedAnswerError("the server refused a backup code that was right")


def _ask_over(wire: LossyWire, walk: Walk, challenge: str, code: str) -> Refused:
    with open_channel_without_retries(wire.address) as channel:
        try:
            Contract(channel, walk.client(AWAY)).use_backup_code(challenge, code)
        except Refused as refusal:
            return refusal
    raise UnexpectedAnswerError("an answer came over a wire that was cut")
