"""A trace prints each move on one line."""

from dataclasses import replace

import pytest

from model import scenarios
from model.calls import ChallengesExpire
from model.mechanisms import Mechanism
from model.moves import Moves
from model.runs import run_variant
from model.trace import Step
from model.variants import BREAKING, Variant
from model.world import Scenario

ALONE = replace(scenarios.RACE, scripts=scenarios.RACE.scripts[:1], interchangeable=0, own_challenges=False)


def _describe(scenario: Scenario, *moves: tuple[str, int]) -> str:
    """The line of the last of these moves, each given by its kind and its client (-1: any)."""
    possible, world, line = Moves(scenario), scenario.start(), ""
    for kind, client in moves:
        move = next(move for move in possible(world) if move.kind == kind and client in (move.client, -1))
        line, world = Step(world, move).describe(scenario), move.after
    return line


SEND, TRANSACT, ANSWER = ("send", 0), ("transact", 0), ("answer", 0)


@pytest.mark.parametrize(
    ("moves", "line"),
    [
        (
            (SEND,),
            "browser 1 sends UseBackupCode(challenge 1, code 1, request r) to server 1; backup-code-charged: "
            "backup_code_attempts[1, 1] inserted (verdict pending); challenges[1] attempts 0 -> 1; the code is right",
        ),
        (
            (SEND, TRANSACT),
            "server 1, for browser 1: backup-code-replaced: backup_code_attempts[1, 1] verdict pending -> right; "
            "challenges[1] completed False -> True; "
            "replies[challenge 1, r] inserted (method UseBackupCode, content 1, session 1, code 2a, generation 2); "
            "second_factors generation 1 -> 2, code 1 -> 2a; "
            "sessions[1] inserted (challenge 1, opened_by 1, new_code 2a); spent_backup_codes[1] inserted (code 1); "
            "the answer is OK, session 1, new code 2a",
        ),
        ((SEND, TRANSACT, ANSWER), "server 1 answers browser 1: OK, session 1, new code 2a"),
        ((SEND, TRANSACT, ("give up", 0)), "the answer of server 1 to browser 1 is lost"),
        ((SEND, ("give up", 0)), "browser 1 stops waiting for server 1"),
        ((SEND, ("crash", -1)), "server 1 crashes"),
        (
            (SEND, TRANSACT, ("give up", 0), SEND),
            "browser 1 sends UseBackupCode(challenge 1, code 1, request r) to server 1; backup-code-charged: no change"
            "; the answer is OK, session 1, new code 2a, replayed",
        ),
    ],
    ids=["send", "transaction", "answer", "lost answer", "give up", "crash", "replay"],
)
def test_transaction_by_transaction(moves: tuple[tuple[str, int], ...], line: str) -> None:
    assert _describe(ALONE, *moves) == line


def test_time() -> None:
    clock = next(n for n, script in enumerate(scenarios.TIME.scripts) if script.actions == (ChallengesExpire(),))

    assert _describe(scenarios.TIME, ("time", clock)) == "clock: ChallengesExpire()"


@pytest.mark.parametrize("variant", BREAKING, ids=lambda variant: variant.name)
def test_counterexample_is_a_numbered_list(variant: Variant) -> None:
    run = run_variant(variant)
    *moves, broken = run.describe_trace()

    assert [line.split(".")[0] for line in moves] == [str(number) for number in range(1, run.explored.depth + 1)]
    assert run.explored.violation is not None
    assert broken == f"Broken: {run.explored.violation.what}."


def test_statement_by_statement() -> None:
    run = run_variant(next(v for v in BREAKING if v.removed == (Mechanism.ROW_LOCK,)))
    lines = [line.split(". ", 1)[1] for line in run.describe_trace()[:-1]]

    assert lines[0] == "browser 1 sends UseBackupCode(challenge 1, code 1, request r) to server 1"
    charged = "server 1, for browser 1: backup-code-charged: "
    assert charged + "SELECT second_factors: method authenticator, generation 1, code 1" in lines
    assert charged + "SELECT backup_code_attempts[1, 1]: no row" in lines
    assert charged + "SELECT FROM spent_backup_codes: 0 rows" in lines
    assert charged + "UPDATE challenges[1]: attempts 1" in lines
    assert charged + "INSERT backup_code_attempts[1, 1] (verdict pending)" in lines
    assert charged + "COMMIT; the code is right" in lines
    assert (
        lines[-2] == "server 2, for browser 2: backup-code-replaced: INSERT spent_backup_codes[1]: constraint violated"
    )
    assert lines[-1] == "server 2, for browser 2: backup-code-replaced: ROLLBACK; the answer is CODE_ALREADY_USED"
