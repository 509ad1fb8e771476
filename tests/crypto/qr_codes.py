"""Reads a QR code off its SVG document, as a phone's camera would: drawn into pixels, then found and decoded."""

import re
from xml.etree import ElementTree

import zxingcpp

_SVG = "{http://www.w3.org/2000/svg}"
_PIXELS = 3
"""An edge of one module."""


def decoded(svg: str) -> bytes:
    """What the drawn code says."""
    rows = _modules(svg)
    pixels = b"".join(bytes(0 if dark else 255 for dark in row for _ in range(_PIXELS)) * _PIXELS for row in rows)
    edge = len(rows) * _PIXELS
    image = memoryview(pixels).cast("B", (edge, edge))
    found = zxingcpp.read_barcode(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    assert found is not None, "no QR code is seen in the drawing"
    return found.bytes


def _modules(svg: str) -> list[list[bool]]:
    """The drawing as rows of modules, the quiet zone included; True is dark."""
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
