"""The driver of the Python package for the conformance suite: one JSON object a line in, one out.

python clients/python/conformance/driver.py              over the blocking client
python clients/python/conformance/driver.py --asyncio    over the asyncio client
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

Line = dict[str, Any]


class Driver:
    """One client at a time, of one of the two kinds."""

    def __init__(self, runner: asyncio.Runner | None) -> None:
        self._runner = runner
        self._client: TwoFactor | AsyncTwoFactor | None = None

    def answer(self, line: Line) -> Line:
        match line["op"]:
            case "connect":
                self._connect(line["address"], line.get("tls"))
                return {"ok": True}
            case "call":
                return self._call(line)
            case "request_id":
                filled: Any = with_request_id(request_of(line))
                return {"request_id": filled.request_id}
            case "show":
                return {"text": f"{request_of(line)}"}
        raise ValueError(f"no such op: {line['op']}")

    def close(self) -> None:
        if isinstance(self._client, TwoFactor):
            self._client.close()
        elif self._client and self._runner:
            self._runner.run(self._client.close())

    def _connect(self, address: str, tls: dict[str, str] | None) -> None:
        self.close()
        files = Tls(**tls) if tls else None
        self._client = self._runner.run(asynchronous(address, files)) if self._runner else TwoFactor(address, files)

    def _call(self, line: Line) -> Line:
        service = METHODS[line["method"]].containing_service.name
        method = getattr(getattr(self._client, STUBS[service]), line["method"])
        timeout = line["timeout_ms"] / 1000 if "timeout_ms" in line else None
        try:
            if self._runner:
                response = self._runner.run(awaited(method, request_of(line), timeout))
            else:
                response = method(request_of(line), timeout=timeout)
        except TwoFactorError as error:
            return {"error": as_json(error)}
        return {"response": json_format.MessageToDict(response, preserving_proto_field_name=True)}


async def asynchronous(address: str, tls: Tls | None) -> AsyncTwoFactor:
    # Channels of asyncio belong to the loop that runs when they are made.
    return AsyncTwoFactor(address, tls)


async def awaited(method: Any, request: Message, timeout: float | None) -> Any:  # noqa: ASYNC109 - the client's own
    return await method(request, timeout=timeout)


def request_of(line: Line) -> Message:
    request = message_factory.GetMessageClass(METHODS[line["method"]].input_type)()
    return json_format.ParseDict(line.get("request", {}), request)


def as_json(error: TwoFactorError) -> Line:
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
        print(json.dumps(driver.answer(json.loads(line))), flush=True)
    driver.close()


if __name__ == "__main__":
    main()
