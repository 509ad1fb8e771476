"""The output of the demo on the terminal, and optionally in an SVG image."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from twofactor_client import TwoFactorError
from twofactor_try.demo.svg import IMAGE_WIDTH, to_svg
from twofactor_try.errors import CommandError
from twofactor_try.qr_code import BLOCKS, QrCode
from twofactor_try.terminal import can_encode

MAX_WIDTH = 96
INDENT = 2
SECRET_WIDTH = 30
"""The least number of columns that the secret needs next to the QR code."""

THEME = Theme(
    {
        "heading": "bold blue",
        "heading.rule": "blue",
        "success": "bold green",
        "failure": "bold red",
        "error": "yellow",
        "statement": "italic cyan",
        "code": "bold",
        "note": "bright_black",
        "box": "yellow",
    },
    inherit=True,
)

Part = str | tuple[str, str]
"""Part of a line: plain text, or text with a style of the theme."""


@dataclass(frozen=True)
class Check:
    """A statement of the help article, how the demo showed it, and the result."""

    statement: str
    shown_by: str
    result: str
    passed: bool


class Screen:
    """Prints to standard output and, if `record` is set, to a second console of a fixed width for the image."""

    def __init__(self, *, record: bool = False) -> None:
        terminal = Console(theme=THEME, highlight=False)
        terminal.width = min(terminal.width, MAX_WIDTH)
        self._terminal = terminal
        self._recorder = _new_recorder() if record else None
        self._consoles = [terminal, *([self._recorder] if self._recorder else [])]

    def title(self, *lines: str) -> None:
        title = Text("twofactor demo: the life cycle of a backup code", style="bold")
        self._print(Panel(Group(title, *(Text(line) for line in lines)), border_style="blue", padding=(0, 2)))

    def heading(self, number: int, title: str) -> None:
        self._print()
        text = Text.assemble((f"{number:2d}  {title}", "heading"))
        self._print(Rule(text, align="left", style="heading.rule"))

    def success(self, *parts: Part) -> None:
        self._line(("✓", "success"), Text.assemble(*parts))

    def rejected(self, error: TwoFactorError, *parts: Part) -> None:
        """An error that the demo expects."""
        self._line(("✓", "success"), Text.assemble(*parts, "\n", ("→ ", "note"), (str(error), "error")))

    def check(self, check: Check) -> None:
        statement = (f"“{check.statement}”", "statement")
        if check.passed:
            self._line(("│", "statement"), Text.assemble(statement))
        else:
            self._line(("✗", "failure"), Text.assemble(statement, (f"  failed: {check.result}", "failure")))

    def code_box(self, title: str, code: str, note: str) -> None:
        content = Group(Text(code, style="code"), Text(note, style="note"))
        panel = Panel.fit(content, title=title, title_align="left", border_style="box", padding=(0, 2))
        self._print(_indented(panel))

    def setup_box(self, uri: str, secret: str) -> None:
        """The QR code with the secret next to it, or below it; only the secret where blocks cannot be printed."""
        text = Group(Text("Scan it with an authenticator app,\nor enter the secret:\n"), Text(secret, style="code"))
        qr_code = QrCode(uri)
        for console in self._consoles:
            items: list[RenderableType] = [qr_code] if console is self._recorder or can_encode(BLOCKS) else []
            if console.width < qr_code.width + SECRET_WIDTH:
                console.print(*(_indented(item) for item in [*items, text]))
            else:
                grid = Table.grid(padding=(0, 3))
                grid.add_row(*items, text)
                console.print(_indented(grid))

    def dots(self, filled: Sequence[bool]) -> None:
        """One dot for each item, in order."""
        dots = [("● ", "success") if one else ("○ ", "note") for one in filled]
        self._line((" ", ""), Text.assemble(*dots))

    def note(self, text: str) -> None:
        self._line(("·", "note"), Text(text, style="note"))

    def ask(self, prompt: str) -> str:
        """Prompt for a line of text. Needs an interactive terminal."""
        return self._terminal.input(f"   {prompt} ")

    def summary(self, checks: Sequence[Check]) -> None:
        table = Table(box=SIMPLE_HEAD, border_style="heading.rule", padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column()
        table.add_column("The help article says", style="statement")
        table.add_column("Shown by", max_width=24)
        table.add_column("Result", max_width=20)
        for check in checks:
            mark = Text("✓", style="success") if check.passed else Text("✗", style="failure")
            table.add_row(mark, check.statement, check.shown_by, check.result)
        self._print(_indented(table))

    def result(self, text: str, *, success: bool) -> None:
        self._print()
        self._print(Text(text, style="success" if success else "failure"))

    def save_svg(self, path: Path) -> None:
        """Write what was recorded. Needs `record`."""
        if self._recorder is None:
            raise ValueError("nothing was recorded")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(to_svg(self._recorder), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"Cannot write the image: {error}. Pass another file with --svg.") from None

    def _line(self, mark: tuple[str, str], text: Text) -> None:
        grid = Table.grid(padding=(0, 1))
        grid.add_row(Text(mark[0], style=mark[1]), text)
        self._print(_indented(grid))

    def _print(self, *content: RenderableType) -> None:
        for console in self._consoles:
            console.print(*content)


def _indented(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, INDENT), expand=False)


def _new_recorder() -> Console:
    return Console(
        theme=THEME,
        highlight=False,
        record=True,
        width=IMAGE_WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        _environ={},
    )
