"""Scene: many sign-ins use the same backup code at the same time."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

from twofactor.v1.sign_in_service_pb2 import StartSignInRequest
from twofactor.v1.two_factor_service_pb2 import UseBackupCodeRequest, UseBackupCodeResponse
from twofactor.v1.types_pb2 import PasswordCredential
from twofactor_client import BackupCodeAlreadyUsed, TwoFactorError
from twofactor_try.demo.context import CAFE, Demo, expect
from twofactor_try.rpc import Rpc, open_client

SIGN_INS = 32
CONNECTIONS = 8

# Each sign-in hashes a password. More of them at a time would only be answered OVERLOADED, and be repeated.
PARALLEL_STARTS = 4

Result = UseBackupCodeResponse | TwoFactorError


def race(demo: Demo) -> None:
    code = demo.backup_code.code
    results, overload_count = _use_at_same_time(demo, code)
    successes = [result for result in results if isinstance(result, UseBackupCodeResponse)]
    rejections = [result for result in results if isinstance(result, BackupCodeAlreadyUsed)]
    for result in results:
        if isinstance(result, TwoFactorError) and not isinstance(result, BackupCodeAlreadyUsed):
            raise result
    demo.screen.success(
        f"{SIGN_INS} sign-ins on {CONNECTIONS} connections entered ", (code, "code"), " at the same time:"
    )
    demo.screen.dots([isinstance(result, UseBackupCodeResponse) for result in results])
    if rejections:
        demo.screen.rejected(rejections[0], f"{len(successes)} signed in; {len(rejections)} were rejected:")
    if overload_count:
        demo.screen.note(f"Answered OVERLOADED, without an attempt being counted, and repeated: {overload_count}.")
    demo.check(
        "A backup code is a one-time code …",
        f"{SIGN_INS} sign-ins at once",
        f"{len(successes)} in, {len(rejections)} rejected",
        passed=len(successes) == 1,
    )
    expect(len(successes) == 1, f"{len(successes)} of {SIGN_INS} sign-ins with one code succeeded")
    demo.save(successes[0].new_backup_code, successes[0].session_token)
    _use_new_code(demo)


def _use_new_code(demo: Demo) -> None:
    code = demo.backup_code.code
    response = demo.use_backup_code(demo.start_sign_in(CAFE).challenge_token, code, CAFE)
    demo.session_token = response.session_token
    demo.screen.success("The new code ", (code, "code"), " works immediately: no wait was imposed.")
    demo.check("… use the newest one we showed you afterward.", "the new code", "signed in")
    demo.save(response.new_backup_code, response.session_token)


def _use_at_same_time(demo: Demo, code: str) -> tuple[list[Result], int]:
    """All results in the order in which they arrived, and how often a call was answered OVERLOADED."""
    results: list[Result] = []
    barrier = Barrier(SIGN_INS)

    def start(rpc: Rpc) -> UseBackupCodeRequest:
        credential = PasswordCredential(email=demo.email, password=demo.password)
        started = rpc.call(rpc.sign_in.StartSignIn, StartSignInRequest(password=credential))
        return UseBackupCodeRequest(challenge_token=started.challenge_token, backup_code=code)

    def use(rpc: Rpc, request: UseBackupCodeRequest) -> None:
        barrier.wait()
        try:
            results.append(rpc.call(rpc.two_factor.UseBackupCode, request))
        except TwoFactorError as error:
            results.append(error)

    with ExitStack() as stack:
        # Without this option, gRPC channels to one address share a connection, and so a server process.
        separate = ("grpc.use_local_subchannel_pool", 1)
        clients = [stack.enter_context(open_client(demo.server, separate)) for _ in range(CONNECTIONS)]
        rpcs = [Rpc(clients[i % CONNECTIONS], f"203.0.113.{i + 1}") for i in range(SIGN_INS)]
        with ThreadPoolExecutor(PARALLEL_STARTS) as executor:
            requests = list(executor.map(start, rpcs))
        with ThreadPoolExecutor(SIGN_INS) as executor:
            list(executor.map(use, rpcs, requests))
    return results, sum(rpc.overload_count for rpc in rpcs)
