"""Secrets are compared in constant time: a program reads the code, so that no reviewer has to."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import twofactor_server

SERVER = Path(twofactor_server.__file__).parent
SECRET = re.compile(r"(?:^|_)(code|digits|secret|mac|digest|fingerprint|token|password|hash|sealed|material|body)s?$")
# No secret of a caller's against one of ours: the spelling of one token against the spelling of itself, and whether a
# row still holds the sealed bytes that were read in it.
INNOCENT = {("crypto/tokens.py", "body"), ("flows/regeneration.py", "totp_secret")}


def names(expression: ast.expr) -> Iterator[str]:
    """What an operand of a comparison is called: the last part of its name, its call or its subscript."""
    match expression:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Call(func=function):
            yield from names(function)
        case ast.Subscript(value=value) | ast.Await(value=value):
            yield from names(value)


def plain_comparisons(source: str) -> Iterator[tuple[int, str]]:
    """Each ``==``, ``!=``, ``in`` or ``not in`` with a secret on either side: its line and the secret's name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            for operator, pair in zip(node.ops, pairwise(operands), strict=True):
                if isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn):
                    found = [name for operand in pair for name in names(operand) if SECRET.search(name)]
                    # `"code" in content` asks for a key of that name.
                    if found and not isinstance(pair[0], ast.Constant):
                        yield node.lineno, found[0]


@pytest.mark.parametrize("package", ["crypto", "domain", "flows", "api"])
def test_no_secret_is_compared_by_a_plain_operator(package: str) -> None:
    """Use `hmac.compare_digest`. (ASVS 5.0, 11.2.4)"""
    found = [
        f"{path.relative_to(SERVER)}:{line}: {name}"
        for path in sorted((SERVER / package).rglob("*.py"))
        for line, name in plain_comparisons(path.read_text())
        if (str(path.relative_to(SERVER)), name) not in INNOCENT
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("if code == typed: pass", True),
        ("if typed != row.mac: pass", True),
        ("ok = make_digest(x) == y", True),
        ("ok = typed in codes", True),
        ("ok = compare_digest(code, typed)", False),
        ("ok = codes[0] is None", False),
        ("ok = 'code' in content", False),
        ("ok = len(code) == 6", False),
    ],
)
def test_the_reader_sees_what_it_is_to_see(source: str, seen: bool) -> None:
    assert bool(list(plain_comparisons(source))) is seen
