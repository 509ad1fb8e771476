"""What all commands have in common: help, errors, and the state file."""

import json
import re
import stat

import pytest

from tests.clients.cli.cli import Cli, run_process
from twofactor.v1.error_reason_pb2 import ErrorReason
from twofactor_try.cli import build_parser
from twofactor_try.errors import ADVICE


def command_names(capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["--help"])
    return re.findall(r"^    ([a-z-]+)", capsys.readouterr().out, re.MULTILINE)


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    commands = command_names(capsys)
    assert len(commands) == 31
    for command in commands:
        with pytest.raises(SystemExit) as end:
            build_parser().parse_args([command, "--help"])
        assert end.value.code == 0
        assert "Exit status: 0 success" in capsys.readouterr().out


def test_advice_names_existing_reasons_and_commands(capsys: pytest.CaptureFixture[str]) -> None:
    reasons = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.DESCRIPTOR.values_by_name}
    assert set(ADVICE) <= reasons
    named = re.findall(r"twofactor-try ([a-z-]+)", " ".join(ADVICE.values()))
    assert set(named) <= set(command_names(capsys))


def test_error_is_followed_by_advice(cli: Cli) -> None:
    email = cli.create_account()
    cli.output("sign-in", email)
    result = cli.run("verify-code", "12345")
    assert (result.status, result.out) == (1, "")
    error, hint = result.err.splitlines()
    assert error.startswith("error: INVALID_ARGUMENT INVALID_FIELD (code: six digits)")
    assert hint == "hint: Correct the value and run the command again."


def test_error_as_json(cli: Cli) -> None:
    result = cli.run("get-account", "--json", "somebody@example.test")
    assert (result.status, result.err) == (1, "")
    error = json.loads(result.out)["error"]
    assert (error["status"], error["reason"]) == ("NOT_FOUND", "ACCOUNT_NOT_FOUND")
    assert error["hint"] == ADVICE["ACCOUNT_NOT_FOUND"]


def test_unreachable_server_is_reported(cli: Cli) -> None:
    result = run_process("get-account", "somebody@example.test", "--server", "127.0.0.1:1")
    assert (result.status, result.out) == (2, "")
    assert result.err == (
        "error: Cannot connect to 127.0.0.1:1. Start a server with `make run`, or pass its address with --server.\n"
    )


def test_tokens_are_stored_for_the_user_only_and_not_printed(cli: Cli) -> None:
    email = cli.create_account()
    output = cli.output("sign-in", email)
    assert stat.S_IMODE(cli.state.stat().st_mode) == 0o600
    assert "tfc_" in cli.state.read_text()
    assert "tfc_" not in output
