"""Holds files, functions and handlers to their sizes; names each that has grown past its budget, in one line.

    python tools/size_budget.py             exit status 1 if anything is over
    python tools/size_budget.py --report    the largest files and functions as well

A file counts all its lines. A function counts from its `def` to its last line, without its docstring:
explaining must not cost. A handler counts the lines that its statements occupy. Generated code is free.
"""

import argparse
import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CODE = (
    "server/**/*.py",
    "clients/*/src/**/*.py",
    "clients/conformance/*.py",
    "clients/python/conformance/*.py",
    "bench/**/*.py",
    "model/**/*.py",
    "proto/*.py",
    "tools/*.py",
)
TESTS = ("tests/**/*.py",)

# Each size has to stay under its figure.
FILE_LINES = 250
TEST_FILE_LINES = 300
FUNCTION_LINES = 40
HANDLER_LINES = 10

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Measured:
    """One thing with a budget: `lines` of it, at `where`; over when `lines` reaches `budget`."""

    lines: int
    where: str
    what: str
    budget: int

    @property
    def over(self) -> bool:
        return self.lines >= self.budget


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description="Hold files, functions and handlers to their sizes.")
    parser.add_argument("--report", action="store_true", help="print the largest files and functions as well")
    report: bool = parser.parse_args(arguments).report
    measured = list(measure(root))
    if report:
        for what in ("file", "function"):
            print(f"Largest {what}s")
            for one in sorted((one for one in measured if one.what == what), reverse=True)[:10]:
                print(f"  {one.lines:4d}  {one.where}")
    over = sorted(one for one in measured if one.over)
    for one in over:
        print(f"{one.where}: {one.lines} lines; a {one.what} stays under {one.budget}")
    return 1 if over else 0


def measure(root: Path) -> Iterator[Measured]:
    """Everything under `root` that has a budget."""
    for path in hand_written(root, CODE):
        yield from measure_code(path, path.relative_to(root).as_posix())
    for path in hand_written(root, TESTS):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        yield Measured(lines, path.relative_to(root).as_posix(), "test file", TEST_FILE_LINES)


def hand_written(root: Path, patterns: Sequence[str]) -> list[Path]:
    found = {path for pattern in patterns for path in root.glob(pattern)}
    return sorted(path for path in found if not path.stem.endswith(("_pb2", "_pb2_grpc")))


def measure_code(path: Path, name: str) -> Iterator[Measured]:
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    yield Measured(len(lines), name, "file", FILE_LINES)
    tree = ast.parse(source, name)
    for node in ast.walk(tree):
        if isinstance(node, Function):
            size = function_lines(node)
            yield Measured(size, f"{name}:{node.lineno} {node.name}", "function", FUNCTION_LINES)
    if path.match("api/*_service.py"):
        for handler in handlers(tree):
            size = statement_lines(handler, lines)
            yield Measured(size, f"{name}:{handler.lineno} {handler.name}", "handler", HANDLER_LINES)


def handlers(tree: ast.Module) -> Iterator[ast.AsyncFunctionDef]:
    """The methods that gRPC calls: it accepts only `async def`, in the servicer's class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (member for member in node.body if isinstance(member, ast.AsyncFunctionDef))


def function_lines(function: Function) -> int:
    docstring = docstring_of(function)
    return len(span(function)) - (len(span(docstring)) if docstring else 0)


def statement_lines(function: Function, lines: Sequence[str]) -> int:
    """Lines of the body, without docstring, blank lines and lines that are a comment."""
    docstring = docstring_of(function)
    occupied: set[int] = set()
    for statement in function.body:
        if statement is not docstring:
            occupied.update(span(statement))
    texts = (lines[number - 1].strip() for number in occupied)
    return sum(1 for text in texts if text and not text.startswith("#"))


def span(statement: ast.stmt) -> range:
    """The numbers of the lines that it stands on."""
    return range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)


def docstring_of(function: Function) -> ast.stmt | None:
    return function.body[0] if ast.get_docstring(function, clean=False) is not None else None


if __name__ == "__main__":
    sys.exit(main())
