"""``python -m tests.property --steps N --seed S``: the random programs, for as long as wanted, or one run once more."""

import argparse
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.property.environment import Environment, running_environment
from tests.property.invariants import KNOWN_DEFECTS
from tests.property.people import People
from twofactor_server.postgres import EmbeddedPostgres

STEPS_PER_PROGRAM = 30


@contextlib.contextmanager
def environment_with_database(seed: int) -> Iterator[Environment]:
    """The servers on a PostgreSQL of their own: a server with another clock would deliver or expire their mails."""
    with tempfile.TemporaryDirectory(prefix="twofactor-property-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o711)
        with (
            EmbeddedPostgres(folder / "data", lambda _: None, settings={"fsync": "off"}) as postgres,
            running_environment(folder, postgres.url, postgres.administrator_url, seed) as environment,
        ):
            yield environment


def people_in(environment: Environment, known: frozenset[str]) -> type[People]:
    """The state machine on this environment. Violations that are ``known`` do not fail it."""
    return type("People", (People,), {"environment": environment, "known": known})


def run_programs(environment: Environment, steps: int, known: frozenset[str]) -> None:
    """Play random programs of so many steps in all. A failure says how to repeat the run."""
    machine = people_in(environment, known)
    hypothesis.seed(environment.seed)(machine)
    chosen = settings(
        max_examples=max(1, steps // STEPS_PER_PROGRAM),
        stateful_step_count=STEPS_PER_PROGRAM,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(machine, settings=chosen)
    except BaseException as error:
        error.add_note(f"repeat: python -m tests.property --steps {steps} --seed {environment.seed}")
        raise


def main() -> int:
    """Run once; exit status 1 if an invariant was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.property", description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument(
        "--find", action="append", default=[], choices=sorted(KNOWN_DEFECTS), help="fail for it as well"
    )
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    started = time.monotonic()
    with environment_with_database(given.seed) as environment:
        run_programs(environment, given.steps, frozenset(KNOWN_DEFECTS) - set(given.find))
    print(f"{given.steps} steps in {time.monotonic() - started:.0f} s, no invariant broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
