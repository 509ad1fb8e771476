"""The generated parts of docs/model.md, between its marks; the rest of the page is written by hand."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from model.runs import Run
from model.variants import BREAKING

PAGE = Path(__file__).resolve().parent.parent / "docs" / "model.md"

SCENARIOS, BROKEN, REDUNDANT, TRACES = "scenarios", "broken", "redundant", "traces"

PRINTED = (BREAKING[5], BREAKING[0])
"""The variants whose counterexamples the page prints."""

_PART = re.compile(r"(?P<begin><!-- generated: (?P<name>\w+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)


def replace_parts(page: str, parts: dict[str, str]) -> str:
    """The page with these generated parts replaced."""

    def part(found: re.Match[str]) -> str:
        text = parts.get(found["name"])
        return found[0] if text is None else f"{found['begin']}\n{text}\n\n{found['end']}"

    return _PART.sub(part, page)


def read_part(page: str, name: str) -> str:
    """The text of a generated part."""
    found = next(part for part in _PART.finditer(page) if part["name"] == name)
    return found[0].removeprefix(found["begin"]).removesuffix(found["end"]).strip()


def render_all(runs: Sequence[Run]) -> dict[str, str]:
    """The generated parts, by name, from the runs of everything."""
    return {
        SCENARIOS: render_scenarios([run for run in runs if run.variant is None]),
        **render_variants([run for run in runs if run.variant is not None]),
    }


def render_scenarios(runs: Sequence[Run]) -> str:
    states = sum(run.explored.states for run in runs)
    transitions = sum(run.explored.transitions for run in runs)
    violations = sum(run.explored.violation is not None for run in runs)
    return _table(
        "| scenario | clients | crashes | lost answers | states | moves | depth | violations |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        *map(scenario_row, runs),
        f"| **total** | | | | **{states:,}** | **{transitions:,}** | | **{violations}** |",
    )


def scenario_row(run: Run) -> str:
    scenario, explored = run.scenario, run.explored
    return (
        f"| **{scenario.name}**: {scenario.summary} | {len(scenario.scripts)} | {scenario.crashes} | {scenario.losses} "
        f"| {explored.states:,} | {explored.transitions:,} | {explored.depth} | {int(explored.violation is not None)} |"
    )


def render_variants(runs: Sequence[Run]) -> dict[str, str]:
    """The parts about variants."""
    breaking = [run for run in runs if run.variant and run.variant.breaks is not None]
    redundant = [run for run in runs if run.variant and run.variant.breaks is None]
    return {
        BROKEN: _table(
            "| # | removed | what happens without | broken promise | moves |",
            "|--:|---|---|---|--:|",
            *(_broken_row(number, run) for number, run in enumerate(breaking, 1)),
        ),
        REDUNDANT: _table(
            "| removed | scenario | states | promise that still holds |",
            "|---|---|--:|---|",
            *map(redundant_row, redundant),
        ),
        TRACES: "\n\n".join(
            f"### Variant {number}: without {run.variant.name}\n\n" + "\n".join(_trace(run))
            for variant in PRINTED
            for number, run in enumerate(breaking, 1)
            if run.variant is not None and run.variant == variant
        ),
    }


def _broken_row(number: int, run: Run) -> str:
    broken = run.explored.violation.promise if run.explored.violation else "nothing"
    removed, explanation = (run.variant.name, run.variant.explanation) if run.variant else ("", "")
    return f"| {number} | {removed} | {explanation} | {broken} | {len(run.explored.trace)} |"


def redundant_row(run: Run) -> str:
    removed, promises = (run.variant.name, sorted(run.variant.checked)) if run.variant else ("", [])
    return f"| {removed} | {run.scenario.name} | {run.explored.states:,} | {', '.join(promises)} |"


def _trace(run: Run) -> Iterable[str]:
    *moves, broken = run.describe_trace()
    return [*moves, "", broken]


def _table(*rows: str) -> str:
    return "\n".join(rows)
