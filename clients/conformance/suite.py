"""Plays cases with the drivers of languages, and reports."""

import asyncio

from clients.conformance.case import Case
from clients.conformance.driver import Driver, DriverFailed, driving
from clients.conformance.ground import Ground, standing
from clients.conformance.languages import ROOT, Language
from clients.conformance.playing import CaseFailed, play
from clients.conformance.report import Report

_DRIVER_LIVES = 5


async def play_all(ready: list[Language], cases: list[Case], report: Report) -> None:
    """With one language after the other, on one server."""
    async with standing() as ground:
        for language in ready:
            failures, left = await _play(language, cases, ground, report)
            verdict = f"{failures} of {len(cases) - left} cases failed" if failures else f"{len(cases)} cases passed"
            report.say(f"{language.name:<15} {verdict}{f'; {left} were left, the driver gave up' if left else ''}")


async def _play(language: Language, cases: list[Case], ground: Ground, report: Report) -> tuple[int, int]:
    """How many failed, and how many were not played."""
    failures, lives = 0, _DRIVER_LIVES
    waiting = list(cases)
    with report.progress() as progress:
        shown = progress.add_task(language.name, total=len(cases), case="")
        while waiting and lives:
            # A driver that gave up is replaced: the cases after it have their own chance.
            lives -= 1
            try:
                async with driving(language.driver, ROOT) as driver:
                    while waiting and driver.alive:
                        case = waiting.pop(0)
                        progress.update(shown, case=str(case))
                        failures += await _fails(language, case, ground, driver, report)
                        progress.advance(shown)
            except OSError as error:
                report.failure(language.name, f"the driver cannot be started: {error}")
                return failures + 1, len(waiting) - 1
    return failures, len(waiting)


async def _fails(language: Language, case: Case, ground: Ground, driver: Driver, report: Report) -> bool:
    try:
        await play(case, ground, driver)
    except (CaseFailed, DriverFailed) as failure:
        # What it has to say about its end may take a moment.
        await asyncio.sleep(0.2)
        report.failure(f"{language.name}: {case}", str(failure), driver.complaints())
        return True
    return False
