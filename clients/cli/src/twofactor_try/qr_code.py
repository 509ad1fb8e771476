"""A QR code for the terminal. Each character shows two modules, one above the other."""

from collections.abc import Iterator

import segno
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

BLOCKS = " ▄▀█"
"""Neither module, the lower one, the upper one, both."""

QUIET_ZONE = 2
"""Light modules around the code. The standard asks for four; two are enough for phone cameras."""


class QrCode:
    """Black on white where the terminal has colours. Without, light modules are drawn: most terminals are dark."""

    def __init__(self, content: str) -> None:
        code = segno.make(content, error="l", micro=False, boost_error=False)
        self._rows = [[bool(dark) for dark in row] for row in code.matrix_iter(border=QUIET_ZONE)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        coloured = console.color_system is not None and not console.no_color
        for line in self.lines(inverted=not coloured):
            yield Text(line, style="#000000 on #ffffff" if coloured else "", no_wrap=True, overflow="crop")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.width, self.width)

    @property
    def width(self) -> int:
        """In characters."""
        return len(self._rows[0])

    def lines(self, *, inverted: bool) -> Iterator[str]:
        """The lines of characters. `inverted` draws the light modules instead of the dark ones."""
        padding = [False] * self.width
        for upper, lower in zip(self._rows[::2], [*self._rows[1::2], padding], strict=False):
            yield "".join(BLOCKS[2 * (u != inverted) + (d != inverted)] for u, d in zip(upper, lower, strict=True))
