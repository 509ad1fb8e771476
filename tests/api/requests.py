"""Requests with every field set, built by walking the descriptors of the contract."""

from collections.abc import Iterator, Mapping
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from tests.support.factories import Owner
from tests.support.rpc import METHODS, Refused, Rpc

UNKNOWN_LINK = f"tfr_{'A' * 64}"
"""A well-formed token of a link that does not exist."""

_PROVIDERS = ("OidcCredential", "GitHubCredential")
_NEEDS_A_PROVIDER = "LinkIdentityRequest"


async def refusal_of(channel: grpc.aio.Channel, method: str, content: bytes) -> Refused:
    """Send these bytes, which must be refused."""
    with pytest.raises(Refused) as caught:
        await Rpc(channel).send_bytes(method, content)
    return caught.value


def values_of(owner: Owner, challenge_token: str, setup_id: str) -> dict[str, Any]:
    """Valid values by field name, for requests of this owner."""
    return {
        "challenge_token": challenge_token,
        "session_token": owner.session_token,
        "account_id": owner.account_id,
        "email": owner.email,
        "new_email": f"new-{owner.email}",
        "token": UNKNOWN_LINK,
        "new_password": "another fine password",
        "password": owner.password,
        "current_password": owner.password,
        # Well formed, but unknown: real tokens are only in e-mails.
        "reset_token": UNKNOWN_LINK,
        "code": "123456",
        "authenticator_code": "123456",
        "backup_code": "abcd 1234 ef56 7890",
        "setup_id": setup_id,
        "session_id": setup_id,
        "request_id": "0f7d0b52-7c39-4a3c-9f44-3b8f0e4ad001",
        "generation": 1,
        "ip_address": "192.0.2.10",
        "user_agent": "Mozilla/5.0",
        "identity_id": "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a003",
        "provider": "example",
        "authorization_code": "an authorization code",
        "code_verifier": "v" * 43,
        "nonce": "a nonce",
        "redirect_uri": "https://client.example/example/callback",
    }


def filled(method: str, values: Mapping[str, Any]) -> Message:
    """The method's request with every field set; of a oneof, the first member."""
    request: Message = GetMessageClass(METHODS[method].input_type)()
    _fill(request, values)
    return request


def string_fields(method: str) -> Iterator[str]:
    """The paths of all text fields of the method's request, snake_case from its root."""
    yield from _strings(METHODS[method].input_type, "")


def provider_fields(method: str) -> Iterator[str]:
    """The paths of all fields that hold a provider's credential."""
    yield from _messages(METHODS[method].input_type, "", _PROVIDERS)


def put(request: Message, path: str, value: Any) -> None:
    """Set the field at the path; members of oneofs on the way are chosen."""
    *parents, name = path.split(".")
    for parent in parents:
        request = getattr(request, parent)
    setattr(request, name, value)


def fill_at(request: Message, path: str, values: Mapping[str, Any]) -> None:
    """Choose the message at the path and fill it."""
    for name in path.split("."):
        request = getattr(request, name)
    request.SetInParent()
    _fill(request, values)


def _fill(message: Message, values: Mapping[str, Any]) -> None:
    chosen: set[str] = set()
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        spared = _is_provider(field) and message.DESCRIPTOR.name != _NEEDS_A_PROVIDER
        if oneof is not None and (oneof.name in chosen or spared):
            continue
        if oneof is not None:
            chosen.add(oneof.name)
        if field.message_type is None:
            if field.name in values:
                setattr(message, field.name, values[field.name])
        elif field.message_type.file.package == "twofactor.v1":
            getattr(message, field.name).SetInParent()
            _fill(getattr(message, field.name), values)


def _is_provider(field: Any) -> bool:
    return field.message_type is not None and field.message_type.name in _PROVIDERS


def _strings(descriptor: Descriptor, path: str) -> Iterator[str]:
    for field in descriptor.fields:
        if field.message_type is not None:
            yield from _strings(field.message_type, f"{path}{field.name}.")
        elif field.type == FieldDescriptor.TYPE_STRING:
            yield path + field.name


def _messages(descriptor: Descriptor, path: str, names: tuple[str, ...]) -> Iterator[str]:
    for field in descriptor.fields:
        if field.message_type is not None:
            if field.message_type.name in names:
                yield path + field.name
            yield from _messages(field.message_type, f"{path}{field.name}.", names)
