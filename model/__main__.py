"""``python -m model``: explore the protocol, whole and without its mechanisms. Exits 1 on an unexpected result."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence

from model import docs_page
from model.runs import Run, run_variant, run_whole
from model.scenarios import WHOLE
from model.variants import BREAKING, REDUNDANT_GUARDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything; 0 if every result is the expected one and docs/model.md is up to date."""
    parser = argparse.ArgumentParser(
        prog="python -m model",
        description="Explore the protocol in all its states, then without each of its mechanisms, and compare the "
        "results with docs/model.md.",
    )
    parser.add_argument("--write-docs", action="store_true", help="update the generated parts of docs/model.md")
    parser.add_argument("--traces", action="store_true", help="print the counterexample of every variant")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    runs = list(_run_all(print_traces=options.traces))
    failures = [f"{run.name}: {run.failure}" for run in runs if run.failure]
    if not _docs_are_current(runs, write=options.write_docs):
        failures.append("docs/model.md is out of date: run python -m model --write-docs")
    print()
    for failure in failures:
        print(f"FAILED  {failure}")
    if not failures:
        states = sum(run.explored.states for run in runs)
        breaking = sum(1 for run in runs if run.variant and run.variant.breaks)
        print(f"OK: {states:,} states, no violation; {breaking} variants break as expected.")
    print(f"{time.monotonic() - started:.0f} seconds")
    return 1 if failures else 0


def _docs_are_current(runs: Sequence[Run], *, write: bool) -> bool:
    """Whether docs/model.md shows these results; with ``write``, after updating it."""
    current = docs_page.PAGE.read_text(encoding="utf-8")
    updated = docs_page.replace_parts(current, docs_page.render_all(runs))
    if write:
        docs_page.PAGE.write_text(updated, encoding="utf-8")
    return write or updated == current


def _run_all(*, print_traces: bool) -> Iterator[Run]:
    print(f"{'Whole protocol':<52} {'states':>9} {'moves':>10} {'depth':>5}  violations")
    for scenario in WHOLE:
        with _Progress(scenario.name) as progress:
            run = run_whole(scenario, progress)
        found = run.explored
        violations = f"1: {found.violation.promise}" if found.violation else "0"
        print(f"{scenario.name:<52} {found.states:>9,} {found.transitions:>10,} {found.depth:>5}  {violations}")
        _print_trace(run)
        yield run
    print(f"\n{'Removed, where another mechanism remains':<87} {'states':>9}  still holds")
    for variant in REDUNDANT_GUARDS:
        run = run_variant(variant)
        print(f"{variant.name:<87} {run.explored.states:>9,}  {run.failure or ', '.join(sorted(variant.checked))}")
        yield run
    print(f"\n{'Removed':<87} {'moves':>9}  breaks")
    for variant in BREAKING:
        run = run_variant(variant)
        broken = run.explored.violation.promise if run.explored.violation else "nothing"
        print(f"{variant.name:<87} {len(run.explored.trace):>9}  {broken}")
        if print_traces:
            _print_trace(run)
        yield run


def _print_trace(run: Run) -> None:
    for line in run.describe_trace():
        print(f"    {line}")


class _Progress:
    """A line on the terminal that shows the search's progress; nothing if stderr is not a terminal."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> "_Progress":
        return self

    def __call__(self, states: int, queued: int) -> None:
        if self._shown:
            text = f"\r  {self._name}: {states:,} states, {queued:,} to explore  "
            print(text, end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
