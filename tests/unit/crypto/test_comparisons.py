"""Secrets are compared in constant time. This is checked in the source, so no reviewer has to."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import twofactor_server

SERVER = Path(twofactor_server.__file__).parent
SECRET = re.compile(r"(?:^|_)(code|digits|secret|mac|digest|fingerprint|token|password|hash|sealed|material|body)s?$")
# Comparisons that involve no secret of the caller: a token with its canonical form, and the sealed bytes of a row with
# those that were read from it.
ALLOWED = {("crypto/tokens.py", "body"), ("flows/regeneration.py", "totp_secret")}


def names(expression: ast.expr) -> Iterator[str]:
    """The name of an operand: the last part of an attribute, call or subscript."""
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
                    # `"code" in content` tests for a key of that name.
                    if found and not isinstance(pair[0], ast.Constant):
                        yield node.lineno, found[0]


@pytest.mark.parametrize("package", ["crypto", "domain", "flows", "api"])
def test_no_secret_is_compared_with_a_plain_operator(package: str) -> None:
    """Use `hmac.compare_digest`. (ASVS 5.0, 11.2.4)"""
    found = [
        f"{path.relative_to(SERVER)}:{line}: {name}"
        for path in sorted((SERVER / package).rglob("*.py"))
        for line, name in plain_comparisons(path.read_text())
        if (str(path.relative_to(SERVER)), name) not in ALLOWED
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
def test_the_check_finds_plain_comparisons(source: str, seen: bool) -> None:
    assert bool(list(plain_comparisons(source))) is seen
