"""What the terminal shows: progress, each failure in full, and a summary line per language."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_STDERR_LINES = 20


@dataclass
class Report:
    """Collects the outcome of a run."""

    console: Console = field(default_factory=lambda: Console(highlight=False, markup=False))
    summary: list[str] = field(default_factory=list)
    failed: bool = False

    def progress(self) -> Progress:
        """A progress bar, shown on terminals only."""
        return Progress(
            TextColumn("{task.description:<15}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[case]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def print_failure(self, subject: str, message: str, stderr: str = "") -> None:
        self.failed = True
        self.console.print(f"FAILED  {subject}\n        {message}", soft_wrap=True)
        for line in stderr.splitlines()[-_STDERR_LINES:]:
            self.console.print(f"        | {line}", soft_wrap=True)

    def summarise(self, language: str, outcome: str, *, failed: bool = False) -> None:
        """Add a line to the summary."""
        self.failed = self.failed or failed
        self.summary.append(f"{language:<15} {outcome}")

    def finish(self) -> int:
        """Print the summary and return the exit status."""
        for line in self.summary:
            self.console.print(line, soft_wrap=True)
        return int(self.failed)
