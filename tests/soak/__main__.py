"""``python -m tests.soak``: the long run, with a progress display. Exit status 1: an invariant was violated."""

import argparse
import asyncio
import random
import sys
import time
import traceback
from collections import Counter

from rich.console import Console
from rich.live import Live
from rich.table import Table

from tests.soak import activities, evidence
from tests.soak.activities import Activity
from tests.soak.counts import Counts
from tests.soak.environment import Environment, environment

# How often each activity runs in a round; short ones run more often.
_ROUND: tuple[tuple[Activity, int], ...] = (
    (activities.double_spend, 72),
    (activities.lose_an_answer, 6),
    (activities.cut_at_a_commit, 6),
    (activities.cancel_calls, 6),
    (activities.kill_at_a_point, 3),
    (activities.kill_under_load, 1),
    (activities.random_programs, 1),
)


async def main() -> int:
    """Run until the time is over or an invariant is violated."""
    given = _arguments()
    console = Console()
    counts = Counts()
    end = time.monotonic() + given.minutes * 60
    started = time.monotonic()
    async with environment() as running:
        with Live(_table(counts, 0, given.minutes), console=console, refresh_per_second=2) as live:
            while time.monotonic() < end and not counts.violations:
                for activity in _shuffled_round():
                    await _run(activity, running, counts)
                    live.update(_table(counts, (time.monotonic() - started) / 60, given.minutes))
                    if time.monotonic() >= end or counts.violations:
                        break
        postgres = _postgres_version(running)
    minutes = (time.monotonic() - started) / 60
    if given.evidence:
        evidence.write(counts, minutes, postgres)
        console.print(f"Written: {evidence.PAGE.relative_to(evidence.PAGE.parents[2])}")
    for violation in counts.violations:
        console.print(violation, markup=False)
    console.print("An invariant was violated." if counts.violations else "No invariant was violated.")
    return int(bool(counts.violations))


async def _run(activity: Activity, running: Environment, counts: Counts) -> None:
    try:
        await activity(running, counts)
    except Exception:
        counts.violated(f"{activity.__name__}: {traceback.format_exc()}")


def _shuffled_round() -> list[Activity]:
    order = list(Counter(dict(_ROUND)).elements())
    random.shuffle(order)
    return order


def _table(counts: Counts, minutes: float, of: float) -> Table:
    table = Table(title=f"{minutes:.1f} of {of:g} minutes", title_justify="left", show_header=False)
    for what, number in sorted(counts.done.items()):
        table.add_row(what, f"{number:,}")
    table.add_row("violations", str(len(counts.violations)), style="bold red" if counts.violations else "bold green")
    return table


def _postgres_version(running: Environment) -> str:
    folder = running.folder / "data" / "postgres"
    version = next(folder.rglob("PG_VERSION"), None)
    return version.read_text().strip() if version else "of its own"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--no-evidence", dest="evidence", action="store_false", help="write no page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
