"""Many sign-ins at the same moment with one backup code: one gets in."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Barrier

from twofactor.v1.two_factor_service_pb2 import UseBackupCodeResponse
from twofactor.v1.types_pb2 import ClientInfo
from twofactor_try.connection import open_channel, wait_until_ready
from twofactor_try.contract import Contract
from twofactor_try.demo.walk import CAFE, Walk, ensure
from twofactor_try.refusals import Refused

RACERS = 32
CONNECTIONS = 8

# A password is hashed for each sign-in; more at once would only be told OVERLOADED and ask again.
STARTERS = 4

Outcome = UseBackupCodeResponse | Refused


@dataclass(frozen=True)
class Finish:
    """How one racer came out, and how often it had to ask again because the server was full."""

    outcome: Outcome
    turned_away: int


def race(walk: Walk) -> None:
    code = walk.backup_code
    finishes = _run(walk, code.code)
    answers = [one.outcome for one in finishes if not isinstance(one.outcome, Refused)]
    refusals = [one.outcome for one in finishes if isinstance(one.outcome, Refused)]
    walk.screen.done(f"{RACERS} sign-ins over {CONNECTIONS} connections sent ", (code.code, "code"), " at one moment:")
    walk.screen.racers([not isinstance(one.outcome, Refused) for one in finishes])
    told = [refusal for refusal in refusals if refusal.reason == "CODE_ALREADY_USED"]
    if told:
        walk.screen.refused(told[0], f"{len(answers)} signed in; {len(told)} were told that the code is used:")
    for other in refusals:
        if other.reason != "CODE_ALREADY_USED":
            raise other
    if again := sum(one.turned_away for one in finishes):
        walk.screen.aside(f"Told OVERLOADED meanwhile (nothing was charged), and asked again: {again}.")
    walk.promise(
        "A backup code is a one-time code …",
        f"{RACERS} sign-ins at once",
        f"{len(answers)} in, {len(told)} refused",
        kept=len(answers) == 1,
    )
    ensure(len(answers) == 1, f"{len(answers)} of {RACERS} sign-ins with one code succeeded")
    walk.save(answers[0].new_backup_code, answers[0].session_token)
    _use_the_new_one(walk)


def _use_the_new_one(walk: Walk) -> None:
    challenge = walk.start_sign_in(CAFE).challenge_token
    newest = walk.backup_code.code
    answer = walk.contract.seen_from(CAFE).use_backup_code(challenge, newest)
    walk.session_token = answer.session_token
    walk.screen.done("The winner's new code ", (newest, "code"), " works at once: no wait was left behind.")
    walk.promise("… use the newest one we showed you afterward.", "the winner's new code", "signed in")
    walk.save(answer.new_backup_code, answer.session_token)


def _run(walk: Walk, code: str) -> list[Finish]:
    """All racers, in the order in which they came in."""
    with ExitStack() as stack:
        channels = [stack.enter_context(open_channel(walk.server, own_connection=True)) for _ in range(CONNECTIONS)]
        for channel in channels:
            wait_until_ready(channel, walk.server)
        racers = [
            Contract(channels[i % CONNECTIONS], ClientInfo(ip_address=f"203.0.113.{i + 1}", user_agent="twofactor-try"))
            for i in range(RACERS)
        ]
        with ThreadPoolExecutor(STARTERS) as starters:
            challenges = list(starters.map(lambda _: walk.start_sign_in(CAFE).challenge_token, racers))
        finishes: list[Finish] = []
        start = Barrier(RACERS)

        def run(racer: Contract, challenge: str) -> None:
            start.wait()
            finishes.append(_finish(racer, challenge, code))

        with ThreadPoolExecutor(RACERS) as runners:
            list(runners.map(run, racers, challenges))
    return finishes


def _finish(racer: Contract, challenge: str, code: str) -> Finish:
    outcome: Outcome
    try:
        outcome = racer.use_backup_code(challenge, code)
    except Refused as refusal:
        outcome = refusal
    return Finish(outcome, racer.turned_away)
