"""What the terminal shows: a line that moves while cases are played, and in the end what came otherwise."""

from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


@dataclass
class Report:
    """Per language, in the end: one line each, and before it every failure in full."""

    console: Console = field(default_factory=lambda: Console(highlight=False, markup=False))
    lines: list[str] = field(default_factory=list)
    failed: bool = False

    def progress(self) -> Progress:
        """The display, for the time that cases are played."""
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

    def failure(self, where: str, what: str, complaints: str = "") -> None:
        """Tell it now."""
        self.failed = True
        self.console.print(f"FAILED  {where}\n        {what}", soft_wrap=True)
        for line in complaints.splitlines()[-20:]:
            self.console.print(f"        | {line}", soft_wrap=True)

    def say(self, line: str, *, failed: bool = False) -> None:
        """Tell it in the end."""
        self.failed = self.failed or failed
        self.lines.append(line)

    def close(self) -> int:
        """The lines for the end; the exit status."""
        for line in self.lines:
            self.console.print(line, soft_wrap=True)
        return int(self.failed)
