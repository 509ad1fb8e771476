"""docs/model.md: written by hand, but for the parts between its marks, which are made from what was explored."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from model.mechanisms import Promise
from model.owner import Owner
from model.runs import Run
from model.story import DATABASE, Teller
from model.world import Scenario

PAGE = Path(__file__).resolve().parent.parent / "docs" / "model.md"

WHOLE, HOLDS, BREAKS, STORIES = "whole", "holds", "breaks", "stories"

_PART = re.compile(r"(?P<begin><!-- generated: (?P<name>\w+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)


def refreshed(page: str, parts: dict[str, str]) -> str:
    """The page with these of its generated parts made anew."""

    def part(found: re.Match[str]) -> str:
        made = parts.get(found["name"])
        return found[0] if made is None else f"{found['begin']}\n{made}\n\n{found['end']}"

    return _PART.sub(part, page)


def part_of(page: str, name: str) -> str:
    """A generated part, as it stands there."""
    found = next(part for part in _PART.finditer(page) if part["name"] == name)
    return found[0].removeprefix(found["begin"]).removesuffix(found["end"]).strip()


def made(runs: Sequence[Run]) -> dict[str, str]:
    """All generated parts, from all runs."""
    whole = [run for run in runs if run.variant is None]
    return {WHOLE: whole_table(whole), **variants_made([run for run in runs if run.variant is not None])}


def variants_made(runs: Sequence[Run]) -> dict[str, str]:
    """The generated parts that tell of variants."""
    holding = [run for run in runs if run.variant and run.variant.breaks is None]
    breaking = [run for run in runs if run.variant and run.variant.breaks is not None]
    return {
        HOLDS: holds_table(holding),
        BREAKS: breaks_table(breaking),
        STORIES: "\n\n".join(story(number, run) for number, run in enumerate(breaking, 1)),
    }


def whole_table(runs: Sequence[Run]) -> str:
    """What was explored of the whole protocol."""
    rows = [whole_row(run) for run in runs]
    states = sum(run.explored.states for run in runs)
    moves = sum(run.explored.transitions for run in runs)
    violations = sum(run.explored.violation is not None for run in runs)
    return _table(
        "| what meets | parties | crashes | lost answers | states | moves | longest way | violations |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        *rows,
        f"| **together** | | | | **{states:,}** | **{moves:,}** | | **{violations}** |",
    )


def whole_row(run: Run) -> str:
    """One scenario's line."""
    scenario, explored = run.scenario, run.explored
    return (
        f"| **{scenario.name}**: {scenario.about} | {len(scenario.scripts)} | {scenario.crashes} | {scenario.losses} | "
        f"{explored.states:,} | {explored.transitions:,} | {explored.depth} | {int(explored.violation is not None)} |"
    )


def holds_table(runs: Sequence[Run]) -> str:
    """The promises that hold without a mechanism or two, because others stand behind."""
    return _table("| taken out | what meets | states | still holds |", "|---|---|--:|---|", *map(holds_row, runs))


def holds_row(run: Run) -> str:
    """One line of it."""
    promises = ", ".join(sorted(run.variant.looking_at)) if run.variant else ""
    return f"| {_without(run)} | {run.scenario.name} | {run.explored.states:,} | {promises} |"


def breaks_table(runs: Sequence[Run]) -> str:
    """What breaks, and in how many moves."""
    rows = []
    for number, run in enumerate(runs, 1):
        broken = run.explored.violation.promise if run.explored.violation else "nothing"
        rows.append(f"| [{number}](#story-{number}) | {_without(run)} | {broken} | {len(run.explored.story)} |")
    return _table("| story | taken out | promise broken | moves |", "|--:|---|---|--:|", *rows)


def story(number: int, run: Run) -> str:
    """One counterexample, as a numbered list and as a diagram."""
    if run.variant is None or run.explored.violation is None:
        return ""
    teller, steps = Teller(run.scenario), run.explored.story
    scenes = list(teller.scenes(steps))
    broken = run.explored.violation
    cast = list(teller.cast(steps))
    end = _end(run, teller) if broken.promise in (Promise.NEITHER, Promise.LOST) else ""
    lines = [f"participant {short} as {full}" for short, full in cast]
    lines += [line for scene in scenes for line in scene.lines]
    lines.append(f"Note over {cast[0][0]},{DATABASE}: {broken.what.replace(':', ',')}")
    return "\n".join(
        [
            f'### <a id="story-{number}"></a>{number}. Without: {run.variant.name}',
            "",
            run.variant.instead,
            "",
            *(f"{place}. {scene.sentence}" for place, scene in enumerate(scenes, 1)),
            "",
            f"**Broken: {broken.promise}.** {broken.what[0].upper()}{broken.what[1:]}.{end}",
            "",
            "```mermaid",
            "sequenceDiagram",
            *(f"    {line}" for line in lines),
            "```",
        ]
    )


def _end(run: Run, teller: Teller) -> str:
    left = ", ".join(left_to_the_owner(run, teller))
    return f" If every server died now, {left}." if left else ""


def left_to_the_owner(run: Run, teller: Teller) -> Iterator[str]:
    """What would come of everything that the owner could still do."""
    owner, world = Owner(run.scenario), run.explored.story[-1].move.after
    for client, code, outcome in owner.could_do(world):
        answer = teller.names.outcome(outcome)
        if client is None:
            yield f"a new sign-in with {teller.names.code(code)} would be answered {answer}"
            continue
        yield f"the unanswered call of {_who(run.scenario, client)}, repeated, would be answered {answer}"
        if outcome.code is not None:
            trial = teller.names.outcome(owner.trial(world.rows, outcome.code))
            yield f"and a new sign-in with that code {trial}"


def _without(run: Run) -> str:
    return run.variant.name if run.variant else "nothing"


def _who(scenario: Scenario, client: int) -> str:
    who = scenario.scripts[client].who
    return who if who[0].isupper() else f"the {who}"


def _table(*rows: str) -> str:
    return "\n".join(rows)
