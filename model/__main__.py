"""``python -m model``: explore the protocol, then take its mechanisms out. Exit status 1 on any surprise.

python -m model                  explore, print what was found, check that docs/model.md says the same
python -m model --write-docs     explore, print, and make the generated parts of docs/model.md anew
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence

from model import page
from model.runs import Run, run_variant, run_whole
from model.scenarios import WHOLE
from model.second_lines import SECOND_LINES
from model.story import Teller
from model.variants import BROKEN


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything. 0 if all is as it must be."""
    parser = argparse.ArgumentParser(prog="python -m model", description="Explore the protocol in all its states.")
    parser.add_argument("--write-docs", action="store_true", help="make the generated parts of docs/model.md anew")
    write: bool = parser.parse_args(arguments).write_docs
    begun = time.monotonic()
    runs = list(_runs())
    surprises = [f"{_title(run)}: {run.surprise}" for run in runs if run.surprise]
    written = page.PAGE.read_text(encoding="utf-8")
    fresh = page.refreshed(written, page.made(runs))
    if write:
        page.PAGE.write_text(fresh, encoding="utf-8")
    elif fresh != written:
        surprises.append("docs/model.md says something else: python -m model --write-docs")
    states = sum(run.explored.states for run in runs)
    missed = sum(1 for run in runs if run.variant and run.variant.breaks)
    print()
    for surprise in surprises:
        print(f"NOT AS IT MUST BE  {surprise}")
    if not surprises:
        print(f"All as it must be: {states:,} states, {missed} variants that break as they must.")
    print(f"{time.monotonic() - begun:.0f} seconds")
    return 1 if surprises else 0


def _runs() -> Iterator[Run]:
    print(f"{'The whole protocol':<52} {'states':>9} {'moves':>10} {'depth':>5}  violations")
    for scenario in WHOLE:
        with _Progress(scenario.name) as progress:
            run = run_whole(scenario, progress)
        found = run.explored
        print(f"{scenario.name:<52} {found.states:>9,} {found.transitions:>10,} {found.depth:>5}  {_violations(run)}")
        _tell(run)
        yield run
    print(f"\n{'Without, where another line stands behind':<60} {'states':>9}  still holds")
    for variant in SECOND_LINES:
        run = run_variant(variant)
        promise = ", ".join(sorted(variant.looking_at))
        print(f"{variant.name:<60} {run.explored.states:>9,}  {promise if not run.surprise else run.surprise}")
        yield run
    print(f"\n{'Without':<60} {'moves':>9}  breaks")
    for variant in BROKEN:
        run = run_variant(variant)
        found = run.explored
        broken = found.violation.promise if found.violation else "nothing"
        print(f"{variant.name:<60} {len(found.story):>9}  {broken}")
        yield run


def _title(run: Run) -> str:
    return f"without {run.variant.name}" if run.variant else run.scenario.name


def _violations(run: Run) -> str:
    return f"1, of: {run.explored.violation.promise}" if run.explored.violation else "0"


def _tell(run: Run) -> None:
    """A violation of the whole protocol is news: tell how it comes about."""
    if run.explored.violation is not None:
        for number, scene in enumerate(Teller(run.scenario).scenes(run.explored.story), 1):
            print(f"    {number}. {scene.sentence}")
        print(f"    {run.explored.violation.what}")


class _Progress:
    """One line that is written over, if somebody is looking."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> "_Progress":
        return self

    def __call__(self, states: int, waiting: int) -> None:
        if self._shown:
            print(f"\r  {self._name}: {states:,} states, {waiting:,} to look at  ", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
