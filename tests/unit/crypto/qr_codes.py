"""Decodes a QR code from its SVG document: renders it as pixels and runs a barcode reader on them."""

import re
from xml.etree import ElementTree

import zxingcpp

_SVG = "{http://www.w3.org/2000/svg}"
_PIXELS = 3
"""The edge length of one module."""


def decoded(svg: str) -> bytes:
    rows = _modules(svg)
    pixels = b"".join(bytes(0 if dark else 255 for dark in row for _ in range(_PIXELS)) * _PIXELS for row in rows)
    edge = len(rows) * _PIXELS
    image = memoryview(pixels).cast("B", (edge, edge))
    found = zxingcpp.read_barcode(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    assert found is not None, "the reader found no QR code"
    return found.bytes


def _modules(svg: str) -> list[list[bool]]:
    """Rows of modules, including the quiet zone; True is dark."""
    document = ElementTree.fromstring(svg)  # noqa: S314 - our own drawing
    ground, lines = document.iter(f"{_SVG}path")
    size = re.fullmatch(r"M0 0h(\d+)v\1h-\1z", ground.attrib["d"])
    assert size, ground.attrib["d"]
    assert ground.attrib["fill"] == "#fff"
    assert lines.attrib["stroke"] == "#000"
    rows = [[False] * int(size[1]) for _ in range(int(size[1]))]
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([MmhH])([-\d. ]+)", lines.attrib["d"]):
        values = [float(number) for number in numbers.split()]
        match command:
            case "M":
                x, y = values
            case "m":
                x, y = x + values[0], y + values[1]
            case "h":
                for column in range(int(x), int(x + values[0])):
                    rows[int(y)][column] = True
                x += values[0]
    return rows
