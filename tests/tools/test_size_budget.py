"""The size budget: what counts, what does not, and from which line on something is over."""

from pathlib import Path

import pytest

from tools import size_budget


def write(root: Path, name: str, source: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)


def function(lines: int, docstring: int = 0) -> str:
    """A function of `lines` lines from `def` to its last, with a docstring of `docstring` lines on top."""
    explained = ['    """Explains.', *["    more"] * (docstring - 2), '    """'] if docstring else []
    return "\n".join(["def long(x):", *explained, *["    x += 1"] * (lines - 1)]) + "\n"


def service(body: list[str], signature: str = "    async def GetChallenge(self, request, context):") -> str:
    return "\n".join(["class SignInService:", signature, *["        " + line for line in body]]) + "\n"


def complaints(root: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    status = size_budget.main([], root)
    printed = capsys.readouterr().out.splitlines()
    assert status == (1 if printed else 0)
    return printed


@pytest.mark.parametrize(
    ("name", "budget"),
    [
        ("server/twofactor_server/flows/sign_in.py", 250),
        ("clients/python/src/twofactor_client/errors.py", 250),
        ("tools/measure.py", 250),
        ("tests/flows/test_sign_in.py", 300),
    ],
)
def test_a_file_stays_under_its_budget(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, budget: int
) -> None:
    write(tmp_path, name, "x = 1\n" * (budget - 1))
    assert complaints(tmp_path, capsys) == []
    write(tmp_path, name, "x = 1\n" * budget)
    kind = "test file" if budget == 300 else "file"
    assert complaints(tmp_path, capsys) == [f"{name}: {budget} lines; a {kind} stays under {budget}"]


def test_generated_code_is_not_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("types_pb2.py", "sign_in_service_pb2_grpc.py"):
        write(tmp_path, f"clients/python/src/twofactor/v1/{name}", "x = 1\n" * 1000)
    assert complaints(tmp_path, capsys) == []


def test_a_function_stays_under_forty_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "server/twofactor_server/flows/sign_in.py"
    write(tmp_path, name, function(39))
    assert complaints(tmp_path, capsys) == []
    write(tmp_path, name, "\n" + function(40))
    assert complaints(tmp_path, capsys) == [f"{name}:2 long: 40 lines; a function stays under 40"]


def test_a_coroutine_and_a_method_are_functions_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = "class Long:\n" + "".join(f"    {line}\n" for line in f"async {function(40)}".splitlines())
    write(tmp_path, "clients/cli/src/twofactor_try/walk.py", inside)
    assert len(complaints(tmp_path, capsys)) == 1


def test_a_docstring_costs_a_function_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "server/twofactor_server/flows/sign_in.py", function(39, docstring=30))
    assert complaints(tmp_path, capsys) == []


def test_a_handler_stays_under_ten_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "server/twofactor_server/api/sign_in_service.py"
    explained = ['"""Explains,', "at length.", '"""', "", "# Why.", ""]
    write(tmp_path, name, service(explained + ["x = 1"] * 9))
    assert complaints(tmp_path, capsys) == []
    write(tmp_path, name, service(["f(", *["    1,"] * 8, ")"]))
    assert complaints(tmp_path, capsys) == [f"{name}:2 GetChallenge: 10 lines; a handler stays under 10"]


def test_only_what_grpc_calls_is_a_handler(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = ["x = 1"] * 20
    write(tmp_path, "server/twofactor_server/api/sign_in_service.py", service(long, "    def helps(self):"))
    write(tmp_path, "server/twofactor_server/api/serve.py", service(long))
    assert complaints(tmp_path, capsys) == []


def test_the_report_names_the_largest_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "server/twofactor_server/small.py", function(5))
    write(tmp_path, "server/twofactor_server/large.py", function(30))
    assert size_budget.main(["--report"], tmp_path) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Largest files",
        "    30  server/twofactor_server/large.py",
        "     5  server/twofactor_server/small.py",
        "Largest functions",
        "    30  server/twofactor_server/large.py:1 long",
        "     5  server/twofactor_server/small.py:1 long",
    ]
