"""The parts of the command line that have rules of their own."""

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

from tests.clients_cli.commands import unused_address
from tests.servers import Server
from twofactor.v1.account_service_pb2 import GetAccountRequest, GetAccountResponse
from twofactor.v1.types_pb2 import Account, ClientInfo
from twofactor_try.by_hand.memory import Memory
from twofactor_try.connection import open_channel, open_channel_without_retries
from twofactor_try.contract import Contract
from twofactor_try.demo.screen import Promise, Screen
from twofactor_try.failures import CannotStartError
from twofactor_try.lossy_wire import LossyWire
from twofactor_try.phone import Phone
from twofactor_try.qr_code import BLOCKS, QrCode
from twofactor_try.refusals import Refused


def test_a_phone_shows_three_codes_without_waiting_each_of_them_new_and_in_the_window() -> None:
    secret = pyotp.random_base32()
    phone = Phone(secret)
    begin = time.time()
    codes = [phone.fresh_code() for _ in range(2)]
    assert time.time() - begin < 1
    assert len(set(codes)) == 2
    assert all(pyotp.TOTP(secret).verify(code, valid_window=1) for code in codes)


def test_a_phone_follows_the_clock_of_the_server() -> None:
    secret = pyotp.random_base32()
    code = Phone(secret, clock_lead=86_400).fresh_code()
    assert pyotp.TOTP(secret).verify(code, for_time=int(time.time()) + 86_400, valid_window=1)


@pytest.mark.parametrize("inverted", [False, True])
def test_a_qr_code_in_the_terminal_is_the_qr_code(inverted: bool) -> None:
    content = "otpauth://totp/x:y?secret=JBSWY3DPEHPK3PXP"
    drawn = [[BLOCKS.index(char) for char in line] for line in QrCode(content).lines(inverted=inverted)]
    modules = [[bool(block & bit) != inverted for block in line] for line in drawn for bit in (2, 1)]
    expected = segno.make(content, error="l", micro=False, boost_error=False).matrix_iter(border=2)
    wanted = [[bool(module) for module in row] for row in expected]
    assert modules[: len(wanted)] == wanted


def test_a_lossy_wire_keeps_the_answer_and_the_caller_sees_a_cut_connection(server: Server) -> None:
    address = unused_address()
    with open_channel(server.address) as channel:
        account = Contract(channel, ClientInfo()).create_account(address, "")
    with (
        LossyWire(server.address) as wire,
        open_channel_without_retries(wire.address) as channel,
        pytest.raises(Refused) as refusal,
    ):
        Contract(channel, ClientInfo()).get_account(email=address)
    assert refusal.value.status == "UNAVAILABLE"
    assert refusal.value.reason == ""
    assert GetAccountResponse.FromString(wire.lost_message).account == account


def test_a_lossy_wire_that_nobody_uses_comes_down(server: Server) -> None:
    with LossyWire(server.address) as wire:
        pass
    assert wire.lost_message == b""


@pytest.fixture
def full_server() -> Iterator[str]:
    """A server that is full for two calls: the real one cannot be made full on demand."""
    left = [2]

    def get_account(request: GetAccountRequest, context: grpc.ServicerContext) -> GetAccountResponse:
        if left[0]:
            left[0] -= 1
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


def test_overloaded_is_asked_again_after_the_time_that_the_server_names(full_server: str) -> None:
    with open_channel(full_server) as channel:
        contract = Contract(channel, ClientInfo())
        begin = time.monotonic()
        assert contract.get_account(email="a@example.test").email == "a@example.test"
        assert time.monotonic() - begin >= 0.1
    assert contract.turned_away == 2


def test_the_memory_keeps_servers_apart_and_reports_a_file_that_is_not_its_own(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    Memory(path, "a:1").keep(challenge_token="tfc_a")
    Memory(path, "b:1").keep(challenge_token="tfc_b")
    assert Memory(path, "a:1").find("challenge_token") == "tfc_a"
    Memory(path, "a:1").forget("challenge_token")
    assert Memory(path, "a:1").find("challenge_token") is None
    assert Memory(path, "b:1").find("challenge_token") == "tfc_b"
    path.write_text("[]")
    with pytest.raises(CannotStartError, match="no state file"):
        Memory(path, "a:1")


def test_a_broken_promise_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    broken = Promise("Backup codes are single-use.", "32 sign-ins", "2 in", kept=False)
    screen = Screen()
    screen.promise(broken)
    screen.summary([broken])
    shown = capsys.readouterr().out
    assert "✗ “Backup codes are single-use.”  not kept: 2 in" in shown
    assert shown.count("✗") == 2
