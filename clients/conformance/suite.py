"""Plays cases with the drivers of languages, and reports."""

import asyncio
import contextlib
from dataclasses import dataclass

from rich.progress import Progress

from clients.conformance.case import Case
from clients.conformance.driver import Driver, DriverFailed, driving
from clients.conformance.ground import Ground, standing
from clients.conformance.languages import ROOT, Language
from clients.conformance.playing import CaseFailed, play
from clients.conformance.report import Report

_DRIVER_LIVES = 5

_LANES = 3
"""Languages that are played at once, each on a server of its own: cases wait for deadlines more than they compute."""


@dataclass
class Lane:
    """A ground, and what is shown of the language that is played on it."""

    ground: Ground
    report: Report
    progress: Progress


async def play_all(ready: list[Language], cases: list[Case], report: Report) -> None:
    """With every language, a few at once; the verdicts in the languages' order."""
    waiting = list(ready)
    verdicts: dict[str, str] = {}

    async def play_on(lane: Lane) -> None:
        while waiting:
            language = waiting.pop(0)
            failures, left = await _play(language, cases, lane)
            verdict = f"{failures} of {len(cases) - left} cases failed" if failures else f"{len(cases)} cases passed"
            verdicts[language.name] = f"{verdict}{f'; {left} were left, the driver gave up' if left else ''}"

    async with contextlib.AsyncExitStack() as stack:
        grounds = [await stack.enter_async_context(standing()) for _ in ready[:_LANES]]
        progress = stack.enter_context(report.progress())
        async with asyncio.TaskGroup() as lanes:
            for ground in grounds:
                lanes.create_task(play_on(Lane(ground, report, progress)))
    for language in ready:
        report.say(f"{language.name:<15} {verdicts[language.name]}")


async def _play(language: Language, cases: list[Case], lane: Lane) -> tuple[int, int]:
    """How many failed, and how many were not played."""
    failures, lives = 0, _DRIVER_LIVES
    waiting = list(cases)
    shown = lane.progress.add_task(language.name, total=len(cases), case="")
    while waiting and lives:
        # A driver that gave up is replaced: the cases after it have their own chance.
        lives -= 1
        try:
            async with driving(language.driver, ROOT) as driver:
                while waiting and driver.alive:
                    case = waiting.pop(0)
                    lane.progress.update(shown, case=str(case))
                    failures += await _fails(language, case, lane, driver)
                    lane.progress.advance(shown)
        except OSError as error:
            lane.report.failure(language.name, f"the driver cannot be started: {error}")
            return failures + 1, len(waiting) - 1
    lane.progress.update(shown, case="")
    return failures, len(waiting)


async def _fails(language: Language, case: Case, lane: Lane, driver: Driver) -> bool:
    try:
        await play(case, lane.ground, driver)
    except (CaseFailed, DriverFailed) as failure:
        # What it has to say about its end may take a moment.
        await asyncio.sleep(0.2)
        lane.report.failure(f"{language.name}: {case}", str(failure), driver.complaints())
        return True
    return False
