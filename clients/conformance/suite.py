"""Runs all cases with the drivers of several languages."""

import asyncio
import contextlib
from dataclasses import dataclass

from rich.progress import Progress

from clients.conformance.case import Case
from clients.conformance.driver import Driver, DriverFailed, start_driver
from clients.conformance.environment import Environment, start_environment
from clients.conformance.languages import ROOT, Language
from clients.conformance.report import Report
from clients.conformance.runner import CaseFailed, run_case

_MAX_DRIVER_STARTS = 5

_PARALLEL_LANGUAGES = 3
"""Each runs on a server of its own. Cases spend most of their time waiting for deadlines."""


async def run_suite(languages: list[Language], cases: list[Case], report: Report) -> None:
    """Run the cases with every language and add a line per language to the report's summary."""
    queue = list(languages)
    outcomes: dict[str, str] = {}

    async def work(environment: Environment) -> None:
        while queue:
            language = queue.pop(0)
            outcomes[language.name] = await _Run(language, environment, report, progress).run(cases)

    async with contextlib.AsyncExitStack() as stack:
        environments = [await stack.enter_async_context(start_environment()) for _ in languages[:_PARALLEL_LANGUAGES]]
        progress = stack.enter_context(report.progress())
        async with asyncio.TaskGroup() as workers:
            for environment in environments:
                workers.create_task(work(environment))
    for language in languages:
        report.summarise(language.name, outcomes[language.name])


@dataclass
class _Run:
    """All cases with one language."""

    language: Language
    environment: Environment
    report: Report
    progress: Progress

    async def run(self, cases: list[Case]) -> str:
        """The outcome, for the summary."""
        failures = 0
        queue = list(cases)
        task = self.progress.add_task(self.language.name, total=len(cases), case="")
        starts = 0
        # A driver that fails is restarted, so that the remaining cases run too.
        while queue and starts < _MAX_DRIVER_STARTS:
            starts += 1
            try:
                async with start_driver(self.language.driver, ROOT) as driver:
                    while queue and driver.is_running:
                        case = queue.pop(0)
                        self.progress.update(task, case=str(case))
                        failures += not await self._passes(case, driver)
                        self.progress.advance(task)
            except OSError as error:
                self.report.print_failure(self.language.name, f"the driver cannot be started: {error}")
                return "the driver cannot be started"
        self.progress.update(task, case="")
        outcome = f"{failures} of {len(cases) - len(queue)} cases failed" if failures else f"{len(cases)} cases passed"
        return f"{outcome}; {len(queue)} were not run because the driver failed" if queue else outcome

    async def _passes(self, case: Case, driver: Driver) -> bool:
        try:
            await run_case(case, self.environment, driver)
        except (CaseFailed, DriverFailed) as failure:
            # A driver that is exiting may still be writing to standard error.
            await asyncio.sleep(0.2)
            self.report.print_failure(f"{self.language.name}: {case}", str(failure), driver.read_stderr())
            return False
        return True
