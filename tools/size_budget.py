"""Checks the size of files, functions and gRPC handlers. Prints one line per violation; exit status 1 if there is one.

A file counts all its lines. A function counts from `def` to its last line, without its docstring; tests are exempt.
A handler counts only the lines that its statements occupy. Generated code is exempt.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FOLDERS = ("server", "clients", "bench", "model", "proto", "tests", "tools")

FILE_LINES = 350
# A function and a handler must have fewer lines than this.
FUNCTION_LINES = 40
HANDLER_LINES = 10

Function = ast.FunctionDef | ast.AsyncFunctionDef


def main(root: Path = ROOT) -> int:
    found = [violation for path in hand_written(root) for violation in violations(root, path)]
    for violation in found:
        print(violation)
    return 1 if found else 0


def hand_written(root: Path) -> list[Path]:
    paths = {path for folder in FOLDERS for path in (root / folder).rglob("*.py")}
    excluded = {path for path in paths if path.stem.endswith(("_pb2", "_pb2_grpc")) or "node_modules" in path.parts}
    return sorted(paths - excluded)


def violations(root: Path, path: Path) -> Iterator[str]:
    name = path.relative_to(root).as_posix()
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    if len(lines) > FILE_LINES:
        yield f"{name}: {len(lines)} lines; a file has at most {FILE_LINES}"
    if name.startswith("tests/"):
        return
    tree = ast.parse(source, name)
    for node in ast.walk(tree):
        if isinstance(node, Function) and (size := function_lines(node)) >= FUNCTION_LINES:
            yield f"{name}:{node.lineno} {node.name}: {size} lines; a function has fewer than {FUNCTION_LINES}"
    if path.match("api/*_service.py"):
        for handler in handlers(tree):
            if (size := statement_lines(handler, lines)) >= HANDLER_LINES:
                yield f"{name}:{handler.lineno} {handler.name}: {size} lines; a handler has fewer than {HANDLER_LINES}"


def handlers(tree: ast.Module) -> Iterator[ast.AsyncFunctionDef]:
    """The methods that gRPC calls: the `async def` members of a servicer class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (member for member in node.body if isinstance(member, ast.AsyncFunctionDef))


def function_lines(function: Function) -> int:
    docstring = docstring_of(function)
    return len(line_numbers(function)) - (len(line_numbers(docstring)) if docstring else 0)


def statement_lines(function: Function, lines: Sequence[str]) -> int:
    """Lines of the body without the docstring, blank lines and comment lines."""
    docstring = docstring_of(function)
    numbers = {
        number for statement in function.body if statement is not docstring for number in line_numbers(statement)
    }
    texts = (lines[number - 1].strip() for number in numbers)
    return sum(1 for text in texts if text and not text.startswith("#"))


def line_numbers(statement: ast.stmt) -> range:
    return range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)


def docstring_of(function: Function) -> ast.stmt | None:
    return function.body[0] if ast.get_docstring(function, clean=False) is not None else None


if __name__ == "__main__":
    sys.exit(main())
