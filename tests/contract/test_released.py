"""A client built from the last released contract works with this server."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from tests.support.factories import AccountFactory

SERVICES = ("SignInService", "TwoFactorService", "AccountService")


class Released:
    """A client whose messages are created at run time from proto/released.binpb, not from the current stubs."""

    def __init__(self, channel: grpc.aio.Channel, descriptors: bytes) -> None:
        self._channel = channel
        self._pool = DescriptorPool()
        for file in FileDescriptorSet.FromString(descriptors).file:
            self._pool.Add(file)

    async def call(self, method: str, **fields: Any) -> dict[str, Any]:
        service = next(name for name in SERVICES if method in self._methods(name))
        descriptor = self._methods(service)[method]
        request = json_format.ParseDict(fields, message_factory.GetMessageClass(descriptor.input_type)())
        response = message_factory.GetMessageClass(descriptor.output_type)
        call: grpc.aio.UnaryUnaryMultiCallable[Message, Message] = self._channel.unary_unary(
            f"/twofactor.v1.{service}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=lambda data: response.FromString(data),
        )
        return json_format.MessageToDict(await call(request), preserving_proto_field_name=True)

    def _methods(self, service: str) -> dict[str, Any]:
        return dict(self._pool.FindServiceByName(f"twofactor.v1.{service}").methods_by_name)


@pytest.fixture
def released(channel: grpc.aio.Channel, repository: Path) -> Released:
    return Released(channel, (repository / "proto" / "released.binpb").read_bytes())


async def test_a_complete_sign_in_with_the_released_contract(released: Released, factory: AccountFactory) -> None:
    person = await factory.account_with_authenticator()
    started = await released.call("StartSignIn", password={"email": person.email, "password": person.password})
    assert started["challenge"]["second_factor"] == "SECOND_FACTOR_AUTHENTICATOR"
    verification = {"challenge_token": started["challenge_token"], "backup_code": person.backup_code}
    request_id = "7b1c9a52-0d3e-4f68-8a91-2c4d6e8f0a1b"
    first = await released.call("UseBackupCode", **verification, request_id=request_id)
    again = await released.call("UseBackupCode", **verification, request_id=request_id)
    assert again == first | {"replayed": True}
    token, generation = first["session_token"], first["new_backup_code"]["generation"]
    await released.call("ConfirmBackupCodeSaved", session_token=token, generation=generation)
    status = await released.call("GetTwoFactor", session_token=token)
    assert status["backup_code"]["generation"] == generation == 2
    assert "save_time" in status["backup_code"]
    assert (await released.call("GetSession", session_token=token))["session"]["email"] == person.email
    await released.call("SignOut", session_token=token)


async def test_a_refusal_with_the_released_contract(released: Released, factory: AccountFactory) -> None:
    person = await factory.account()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await released.call("StartSignIn", password={"email": person.email, "password": "not the password"})
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
