"""Conformance driver of the Python package. clients/conformance/README.md describes the protocol.

python clients/python/conformance/driver.py              uses the blocking client
python clients/python/conformance/driver.py --asyncio    uses the asyncio client
"""

import asyncio
import json
import sys
from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2
from twofactor_client import AsyncTwoFactor, Tls, TwoFactor, TwoFactorError, with_request_id

STUBS = {"SignInService": "sign_in", "TwoFactorService": "two_factor", "AccountService": "accounts"}
METHODS: dict[str, MethodDescriptor] = {
    method.name: method
    for file in (sign_in_service_pb2, two_factor_service_pb2, account_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}

Json = dict[str, Any]


class Driver:
    """Holds one client: blocking, or asyncio if there is a runner."""

    def __init__(self, runner: asyncio.Runner | None) -> None:
        self._runner = runner
        self._client: TwoFactor | AsyncTwoFactor | None = None

    def reply(self, command: Json) -> Json:
        match command["op"]:
            case "connect":
                self._connect(command["address"], command.get("tls"))
                return {"ok": True}
            case "call":
                return self._call(command)
            case "request_id":
                prepared: Any = with_request_id(build_request(command))
                return {"request_id": prepared.request_id}
            case "format":
                return {"text": f"{build_request(command)}"}
        raise ValueError(f"unknown operation: {command['op']}")

    def close(self) -> None:
        if isinstance(self._client, TwoFactor):
            self._client.close()
        elif self._client and self._runner:
            self._runner.run(self._client.close())

    def _connect(self, address: str, tls: dict[str, str] | None) -> None:
        self.close()
        files = Tls(**tls) if tls else None
        self._client = (
            self._runner.run(create_async_client(address, files)) if self._runner else TwoFactor(address, files)
        )

    def _call(self, command: Json) -> Json:
        service = METHODS[command["method"]].containing_service.name
        method = getattr(getattr(self._client, STUBS[service]), command["method"])
        timeout = command["timeout_ms"] / 1000 if "timeout_ms" in command else None
        try:
            if self._runner:
                response = self._runner.run(await_call(method, build_request(command), timeout))
            else:
                response = method(build_request(command), timeout=timeout)
        except TwoFactorError as error:
            return {"error": error_to_json(error)}
        return {"response": json_format.MessageToDict(response, preserving_proto_field_name=True)}


async def create_async_client(address: str, tls: Tls | None) -> AsyncTwoFactor:
    # A channel of grpc.aio belongs to the event loop that is running when it is created.
    return AsyncTwoFactor(address, tls)


async def await_call(method: Any, request: Message, timeout: float | None) -> Any:  # noqa: ASYNC109 - passed to gRPC
    return await method(request, timeout=timeout)


def build_request(command: Json) -> Message:
    request = message_factory.GetMessageClass(METHODS[command["method"]].input_type)()
    return json_format.ParseDict(command.get("request", {}), request)


def error_to_json(error: TwoFactorError) -> Json:
    wait = error.retry_after
    return {
        "type": type(error).__name__,
        "status": error.status.name,
        "reason": error.reason,
        "metadata": dict(error.metadata),
        "fields": [field.path for field in error.fields],
        "retry_after_ms": None if wait is None else round(wait.total_seconds() * 1000),
    }


def main() -> None:
    driver = Driver(asyncio.Runner() if sys.argv[1:] == ["--asyncio"] else None)
    for line in sys.stdin.buffer:
        print(json.dumps(driver.reply(json.loads(line))), flush=True)
    driver.close()


if __name__ == "__main__":
    main()
