"""Scene: the response of a sign-in is lost on the network, and the request is repeated."""

from twofactor.v1.two_factor_service_pb2 import UseBackupCodeRequest, UseBackupCodeResponse
from twofactor_client import TwoFactorError
from twofactor_try.demo.context import AWAY, Demo, UnexpectedResponseError
from twofactor_try.drop_proxy import DropProxy
from twofactor_try.rpc import open_client

ATTEMPTS = 3


def lose_response(demo: Demo) -> None:
    code = demo.backup_code.code
    challenge_token = demo.start_sign_in(AWAY).challenge_token
    request = UseBackupCodeRequest(challenge_token=challenge_token, backup_code=code, client=AWAY)
    dropped, error = _send_through_drop_proxy(demo.server, request)
    demo.screen.rejected(
        error,
        *("Entered ", (code, "code"), f". The server replied, but the demo dropped the response ({dropped.ByteSize()}"),
        " bytes). The client sees only this error:",
    )
    repeated = [demo.rpc.call(demo.rpc.two_factor.UseBackupCode, request) for _ in range(2)]
    new_code = repeated[0].new_backup_code
    same_code = all(response.new_backup_code == dropped.new_backup_code for response in repeated)
    same_session = all(response.session_token == dropped.session_token for response in repeated)
    demo.session_token = repeated[0].session_token
    demo.screen.success("Repeated the same request: signed in, and the response is marked ", ("replayed", "code"), ".")
    demo.screen.success(
        *("The dropped response contained ", (dropped.new_backup_code.code, "code")),
        *("; the repeated one contains ", (new_code.code, "code"), "."),
    )
    demo.check(
        "You're signed in. We … show you a new one on a “Save your new backup code” screen.",
        "a lost response",
        "the same new code" if same_code else "another code",
        passed=same_code and same_session and all(response.replayed for response in repeated),
    )
    demo.save(new_code, demo.session_token)


def _send_through_drop_proxy(
    server: str, request: UseBackupCodeRequest
) -> tuple[UseBackupCodeResponse, TwoFactorError]:
    """The response that the proxy dropped, and the error that the client saw instead."""
    for _ in range(ATTEMPTS):
        # Without gRPC's own retries, which would repeat the request before anyone sees the error.
        with DropProxy(server) as proxy, open_client(proxy.address, ("grpc.enable_retries", 0)) as client:
            try:
                client.two_factor.UseBackupCode(request)
            except TwoFactorError as caught:
                error = caught
            else:
                raise UnexpectedResponseError("a response came through the drop proxy")
        if proxy.dropped_message:
            return UseBackupCodeResponse.FromString(proxy.dropped_message), error
        # The dropped response was an error, most likely OVERLOADED: the code is not used yet.
    raise UnexpectedResponseError("the server rejected a correct backup code")
