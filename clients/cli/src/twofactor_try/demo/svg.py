"""The demo's output as a self-contained SVG image. Two runs differ only in what the server generated."""

import re
from itertools import groupby

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from twofactor_try.qr_code import BLOCKS

IMAGE_WIDTH = 92

THEME = TerminalTheme(
    background=(22, 25, 34),
    foreground=(205, 211, 222),
    normal=[
        (22, 25, 34),
        (240, 113, 120),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (102, 194, 205),
        (205, 211, 222),
    ],
    bright=[
        (118, 127, 145),
        (240, 113, 120),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (102, 194, 205),
        (255, 255, 255),
    ],
)

# No web fonts: an image in a README must not cause network requests.
FORMAT = """\
<svg class="twofactor-try" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{
        font-family: "Fira Code", "DejaVu Sans Mono", "SF Mono", Menlo, Consolas, monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
    }}
    .{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""


# Rich's layout: a character's width, a line's height, and the distance from the top of the line to the text's baseline.
CHARACTER_WIDTH, LINE_HEIGHT, ASCENT = 12.2, 24.4, 18.5

_BLOCKS_LINE = re.compile(rf'<text [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*>((?:&#160;|[{BLOCKS}])+)</text>')


def to_svg(recorder: Console) -> str:
    """What was printed on a recording console."""
    svg = recorder.export_svg(title="twofactor-try demo", theme=THEME, code_format=FORMAT, unique_id="demo")
    return _BLOCKS_LINE.sub(_draw_blocks, svg)


def _draw_blocks(line: re.Match[str]) -> str:
    """A line of the QR code as rectangles: in most fonts the block characters leave gaps, or overlap."""
    left, top = float(line[1]), float(line[2]) - ASCENT
    blocks = [BLOCKS.index(character) for character in line[3].replace("&#160;", " ")]
    path = []
    for half, bit in enumerate((2, 1)):
        for dark, run in groupby(range(len(blocks)), lambda column: bool(blocks[column] & bit)):  # noqa: B023
            columns = list(run)
            if dark:
                x, y = left + columns[0] * CHARACTER_WIDTH, top + half * LINE_HEIGHT / 2
                width, height = len(columns) * CHARACTER_WIDTH, LINE_HEIGHT / 2
                path.append(f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z")
    return f'<path fill="#000000" shape-rendering="crispEdges" d="{"".join(path)}"/>'
