"""A client with the stubs of the contract as last released signs in on this server."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from tests.people import People

SERVICES = ("SignInService", "TwoFactorService", "AccountService")


class Released:
    """Calls by the messages of proto/released.binpb, made from it at run time: none of today's stubs takes part."""

    def __init__(self, channel: grpc.aio.Channel, descriptors: bytes) -> None:
        self._channel = channel
        self._pool = DescriptorPool()
        for file in FileDescriptorSet.FromString(descriptors).file:
            self._pool.Add(file)

    async def call(self, method: str, **fields: Any) -> dict[str, Any]:
        service = next(name for name in SERVICES if method in self._methods(name))
        described = self._methods(service)[method]
        request = json_format.ParseDict(fields, message_factory.GetMessageClass(described.input_type)())
        answer = message_factory.GetMessageClass(described.output_type)
        ask: grpc.aio.UnaryUnaryMultiCallable[Message, Message] = self._channel.unary_unary(
            f"/twofactor.v1.{service}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=lambda data: answer.FromString(data),
        )
        return json_format.MessageToDict(await ask(request), preserving_proto_field_name=True)

    def _methods(self, service: str) -> dict[str, Any]:
        return dict(self._pool.FindServiceByName(f"twofactor.v1.{service}").methods_by_name)


@pytest.fixture
def released(channel: grpc.aio.Channel, repository: Path) -> Released:
    return Released(channel, (repository / "proto" / "released.binpb").read_bytes())


async def test_a_whole_sign_in_with_released_stubs(released: Released, people: People) -> None:
    person = await people.with_authenticator()
    started = await released.call("StartSignIn", password={"email": person.email, "password": person.password})
    assert started["challenge"]["second_factor"] == "SECOND_FACTOR_AUTHENTICATOR"
    completing = {"challenge_token": started["challenge_token"], "backup_code": person.backup_code}
    request_id = "7b1c9a52-0d3e-4f68-8a91-2c4d6e8f0a1b"
    first = await released.call("UseBackupCode", **completing, request_id=request_id)
    again = await released.call("UseBackupCode", **completing, request_id=request_id)
    assert again == first | {"replayed": True}
    token, generation = first["session_token"], first["new_backup_code"]["generation"]
    await released.call("ConfirmBackupCodeSaved", session_token=token, generation=generation)
    status = await released.call("GetTwoFactor", session_token=token)
    assert status["backup_code"]["generation"] == generation == 2
    assert "save_time" in status["backup_code"]
    assert (await released.call("GetSession", session_token=token))["session"]["email"] == person.email
    await released.call("SignOut", session_token=token)


async def test_a_released_client_reads_the_refusals_of_today(released: Released, people: People) -> None:
    person = await people.with_account()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await released.call("StartSignIn", password={"email": person.email, "password": "not the password"})
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
