"""tools/size_budget.py: what counts, what is exempt, and where each limit lies."""

from pathlib import Path

import pytest

from tools import size_budget


def write(root: Path, name: str, source: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)


def function(lines: int, docstring: int = 0) -> str:
    """A function of `lines` lines, plus a docstring of `docstring` lines."""
    explained = ['    """Explains.', *["    more"] * (docstring - 2), '    """'] if docstring else []
    return "\n".join(["def long(x):", *explained, *["    x += 1"] * (lines - 1)]) + "\n"


def service(body: list[str], signature: str = "    async def GetChallenge(self, request, context):") -> str:
    return "\n".join(["class SignInService:", signature, *["        " + line for line in body]]) + "\n"


def violations(root: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    status = size_budget.main(root)
    printed = capsys.readouterr().out.splitlines()
    assert status == (1 if printed else 0)
    return printed


@pytest.mark.parametrize(
    "name",
    [
        "server/twofactor_server/flows/sign_in.py",
        "clients/python/src/twofactor_client/errors.py",
        "clients/conformance/case.py",
        "tools/measure.py",
        "tests/unit/test_sign_in.py",
    ],
)
def test_a_file_has_at_most_350_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    write(tmp_path, name, "x = 1\n" * 350)
    assert violations(tmp_path, capsys) == []
    write(tmp_path, name, "x = 1\n" * 351)
    assert violations(tmp_path, capsys) == [f"{name}: 351 lines; a file has at most 350"]


@pytest.mark.parametrize(
    "name", ["proto/python/src/twofactor/v1/types_pb2.py", "proto/python/src/twofactor/v1/sign_in_service_pb2_grpc.py"]
)
def test_generated_code_is_exempt(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    write(tmp_path, name, "x = 1\n" * 1000)
    assert violations(tmp_path, capsys) == []


def test_a_function_has_fewer_than_40_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "server/twofactor_server/flows/sign_in.py"
    write(tmp_path, name, function(39))
    assert violations(tmp_path, capsys) == []
    write(tmp_path, name, "\n" + function(40))
    assert violations(tmp_path, capsys) == [f"{name}:2 long: 40 lines; a function has fewer than 40"]


def test_a_function_of_a_test_is_exempt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "tests/unit/test_sign_in.py", function(40))
    assert violations(tmp_path, capsys) == []


def test_an_async_method_counts_as_a_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = "class Long:\n" + "".join(f"    {line}\n" for line in f"async {function(40)}".splitlines())
    write(tmp_path, "clients/cli/src/twofactor_try/walk.py", inside)
    assert len(violations(tmp_path, capsys)) == 1


def test_a_docstring_does_not_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "server/twofactor_server/flows/sign_in.py", function(39, docstring=30))
    assert violations(tmp_path, capsys) == []


def test_a_handler_has_fewer_than_10_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "server/twofactor_server/api/sign_in_service.py"
    explained = ['"""Explains,', "at length.", '"""', "", "# Why.", ""]
    write(tmp_path, name, service(explained + ["x = 1"] * 9))
    assert violations(tmp_path, capsys) == []
    write(tmp_path, name, service(["f(", *["    1,"] * 8, ")"]))
    assert violations(tmp_path, capsys) == [f"{name}:2 GetChallenge: 10 lines; a handler has fewer than 10"]


def test_only_async_methods_of_service_files_are_handlers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = ["x = 1"] * 20
    write(tmp_path, "server/twofactor_server/api/sign_in_service.py", service(long, "    def helps(self):"))
    write(tmp_path, "server/twofactor_server/api/serve.py", service(long))
    assert violations(tmp_path, capsys) == []
