"""How the walk looks: headings, ticks, the article's sentences, the box with a code, the summary."""

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

from twofactor_try.demo.picture import PICTURE_WIDTH, as_svg
from twofactor_try.failures import CommandError
from twofactor_try.qr_code import BLOCKS, QrCode
from twofactor_try.refusals import Refused
from twofactor_try.terminal import can_show

WIDEST = 96
INDENT = 2
BESIDE_QR_CODE = 30
"""The room that the secret wants beside it."""

THEME = Theme(
    {
        "heading": "bold blue",
        "heading.rule": "blue",
        "tick": "bold green",
        "broken": "bold red",
        "refusal": "yellow",
        "article": "italic cyan",
        "code": "bold",
        "aside": "bright_black",
        "box": "yellow",
    },
    inherit=True,
)

Part = str | tuple[str, str]
"""A piece of a line: plain, or with a style of the theme."""


@dataclass(frozen=True)
class Promise:
    """A sentence of the help article, what was done to see it come true, and how that came out."""

    sentence: str
    shown_by: str
    result: str
    kept: bool


class Screen:
    """Prints to standard output and, where a picture is wanted, onto a second sheet of a fixed width."""

    def __init__(self, *, picture: bool = False) -> None:
        main = Console(theme=THEME, highlight=False)
        if main.width > WIDEST:
            main = Console(theme=THEME, highlight=False, width=WIDEST)
        self._main = main
        self._sheet = _sheet() if picture else None

    def opening(self, *lines: str) -> None:
        title = Text("twofactor: a backup code's whole life", style="bold")
        self._print(Panel(Group(title, *(Text(line) for line in lines)), border_style="blue", padding=(0, 2)))

    def heading(self, number: int, title: str) -> None:
        self._print()
        text = Text.assemble((f"{number:2d}  {title}", "heading"))
        self._print(Rule(text, align="left", style="heading.rule"))

    def done(self, *parts: Part) -> None:
        """Something went as it should."""
        self._line(("✓", "tick"), Text.assemble(*parts))

    def refused(self, refusal: Refused, *parts: Part) -> None:
        """A refusal that is right: in words, and as the server put it."""
        self._line(("✓", "tick"), Text.assemble(*parts, "\n", ("→ ", "aside"), (str(refusal), "refusal")))

    def promise(self, promise: Promise) -> None:
        """A sentence of the article that has just come true, or has not."""
        sentence = (f"“{promise.sentence}”", "article")
        if promise.kept:
            self._line(("│", "article"), Text.assemble(sentence))
        else:
            self._line(("✗", "broken"), Text.assemble(sentence, (f"  not kept: {promise.result}", "broken")))

    def code_box(self, title: str, code: str, note: str) -> None:
        content = Group(Text(code, style="code"), Text(note, style="aside"))
        self._print(
            self._indented(Panel.fit(content, title=title, title_align="left", border_style="box", padding=(0, 2)))
        )

    def setup_box(self, uri: str, secret: str) -> None:
        """The QR code with the secret beside it, or below it; only the secret where blocks cannot be shown."""
        beside = Group(
            Text("Scan it with an authenticator app,\nor type the secret:\n"),
            Text(secret, style="code"),
        )
        qr_code = QrCode(uri)
        for console in self._consoles:
            shown: list[RenderableType] = [qr_code] if console is self._sheet or can_show(BLOCKS) else []
            if console.width < qr_code.width + BESIDE_QR_CODE:
                console.print(*(self._indented(one) for one in [*shown, beside]))
            else:
                grid = Table.grid(padding=(0, 3))
                grid.add_row(*shown, beside)
                console.print(self._indented(grid))

    def racers(self, won: Sequence[bool]) -> None:
        """One dot for each racer, in the order of their answers."""
        dots = [("●", "tick") if winner else ("○", "aside") for winner in won]
        self._line((" ", ""), Text.assemble(*[part for dot in dots for part in (dot, " ")]))

    def aside(self, text: str) -> None:
        self._line(("·", "aside"), Text(text, style="aside"))

    def ask(self, question: str) -> str:
        """What the person types. Only where somebody is there (terminal.person_present)."""
        return self._main.input(f"   {question} ")

    def summary(self, promises: Sequence[Promise]) -> None:
        table = Table(box=SIMPLE_HEAD, border_style="heading.rule", padding=(0, 1, 0, 0), pad_edge=False)
        table.add_column()
        table.add_column("The help article promises", style="article")
        table.add_column("Shown by", max_width=24)
        table.add_column("Result", max_width=20)
        for one in promises:
            mark = Text("✓", style="tick") if one.kept else Text("✗", style="broken")
            table.add_row(mark, one.sentence, one.shown_by, one.result)
        self._print(self._indented(table))

    def closing(self, text: str, *, well: bool) -> None:
        self._print()
        self._print(Text(text, style="tick" if well else "broken"))

    def save_picture(self, path: Path) -> None:
        if self._sheet is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(as_svg(self._sheet), encoding="utf-8")
            except OSError as trouble:
                raise CommandError(f"The picture cannot be written: {trouble}.") from None

    @property
    def _consoles(self) -> list[Console]:
        return [self._main, *([self._sheet] if self._sheet else [])]

    def _line(self, mark: tuple[str, str], text: Text) -> None:
        grid = Table.grid(padding=(0, 1))
        grid.add_row(Text(mark[0], style=mark[1]), text)
        self._print(self._indented(grid))

    def _indented(self, content: RenderableType) -> Padding:
        return Padding(content, (0, 0, 0, INDENT), expand=False)

    def _print(self, *content: RenderableType) -> None:
        for console in self._consoles:
            console.print(*content)


def _sheet() -> Console:
    return Console(
        theme=THEME,
        highlight=False,
        record=True,
        width=PICTURE_WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        _environ={},
    )
