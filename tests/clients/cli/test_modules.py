"""Modules of the command-line client that tests can use without a command."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pyotp
import pytest
import segno
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from tests.clients.cli.cli import Cli
from tests.support.servers import Server
from twofactor.v1.account_service_pb2 import GetAccountRequest, GetAccountResponse
from twofactor.v1.types_pb2 import Account
from twofactor_client import TryAgain
from twofactor_try.demo.screen import Check, Screen
from twofactor_try.drop_proxy import DropProxy
from twofactor_try.errors import CannotStartError
from twofactor_try.qr_code import BLOCKS, QrCode
from twofactor_try.rpc import Rpc, open_client
from twofactor_try.state_file import StateFile
from twofactor_try.totp_app import TotpApp


def test_app_returns_two_new_valid_codes_without_waiting() -> None:
    secret = pyotp.random_base32()
    app = TotpApp(secret)
    started_at = time.time()
    codes = [app.next_code() for _ in range(2)]
    assert time.time() - started_at < 1
    assert len(set(codes)) == 2
    assert all(pyotp.TOTP(secret).verify(code, valid_window=1) for code in codes)


def test_app_follows_clock_offset() -> None:
    secret = pyotp.random_base32()
    code = TotpApp(secret, clock_offset=86_400).next_code()
    assert pyotp.TOTP(secret).verify(code, for_time=int(time.time()) + 86_400, valid_window=1)


@pytest.mark.parametrize("inverted", [False, True])
def test_qr_code_shows_every_module(inverted: bool) -> None:
    content = "otpauth://totp/x:y?secret=JBSWY3DPEHPK3PXP"
    blocks = [[BLOCKS.index(character) for character in line] for line in QrCode(content).lines(inverted=inverted)]
    drawn = [[bool(block & bit) != inverted for block in line] for line in blocks for bit in (2, 1)]
    matrix = segno.make(content, error="l", micro=False, boost_error=False).matrix_iter(border=2)
    expected = [[bool(module) for module in row] for row in matrix]
    assert drawn[: len(expected)] == expected


def test_drop_proxy_keeps_the_response_and_the_client_sees_a_broken_connection(cli: Cli) -> None:
    request = GetAccountRequest(email=cli.create_account())
    with open_client(cli.server.address) as client:
        expected = client.accounts.GetAccount(request)
    with DropProxy(cli.server.address) as proxy, open_client(proxy.address, ("grpc.enable_retries", 0)) as client:
        with pytest.raises(TryAgain) as error:
            client.accounts.GetAccount(request)
        assert (error.value.status, error.value.reason) == (grpc.StatusCode.UNAVAILABLE, "")
    assert GetAccountResponse.FromString(proxy.dropped_message) == expected


def test_unused_drop_proxy_stops(server: Server) -> None:
    with DropProxy(server.address) as proxy:
        pass
    assert proxy.dropped_message == b""


@pytest.fixture
def overloaded_server() -> Iterator[str]:
    """A server that answers two calls with OVERLOADED. The real one cannot be overloaded on demand."""
    remaining = [2]

    def get_account(request: GetAccountRequest, context: grpc.ServicerContext) -> GetAccountResponse:
        if remaining[0]:
            remaining[0] -= 1
            info, retry = AnyMessage(), AnyMessage()
            info.Pack(ErrorInfo(reason="OVERLOADED", domain="twofactor"))
            retry.Pack(RetryInfo(retry_delay=Duration(nanos=50_000_000)))
            status = Status(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], details=[info, retry])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")
        return GetAccountResponse(account=Account(email=request.email))

    handler = grpc.unary_unary_rpc_method_handler(
        get_account, GetAccountRequest.FromString, GetAccountResponse.SerializeToString
    )
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("twofactor.v1.AccountService", {"GetAccount": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(grace=None).wait()


def test_overloaded_call_is_repeated_after_the_requested_time(overloaded_server: str) -> None:
    with open_client(overloaded_server) as client:
        rpc = Rpc(client, "127.0.0.1")
        started_at = time.monotonic()
        response = rpc.call(rpc.accounts.GetAccount, GetAccountRequest(email="a@example.test"))
    assert response.account.email == "a@example.test"
    assert time.monotonic() - started_at >= 0.1
    assert rpc.overload_count == 2


def test_state_file_separates_servers(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    StateFile(path, "a:1").store(challenge_token="tfc_a")
    StateFile(path, "b:1").store(challenge_token="tfc_b")
    assert StateFile(path, "a:1").get("challenge_token") == "tfc_a"
    StateFile(path, "a:1").remove("challenge_token")
    assert StateFile(path, "a:1").get("challenge_token") is None
    assert StateFile(path, "b:1").get("challenge_token") == "tfc_b"


def test_state_file_of_another_program_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("[]")
    with pytest.raises(CannotStartError, match="not a state file"):
        StateFile(path, "a:1")


def test_failed_check_is_visible(capsys: pytest.CaptureFixture[str]) -> None:
    failed = Check("Backup codes are single-use.", "32 sign-ins", "2 in", passed=False)
    screen = Screen()
    screen.check(failed)
    screen.summary([failed])
    output = capsys.readouterr().out
    assert "✗ “Backup codes are single-use.”  failed: 2 in" in output
    assert output.count("✗") == 2
