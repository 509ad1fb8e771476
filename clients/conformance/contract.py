"""The contract's methods, and their messages as the JSON that drivers send."""

from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2

METHODS: dict[str, MethodDescriptor] = {
    method.name: method
    for file in (sign_in_service_pb2, two_factor_service_pb2, account_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


class ContractMismatch(Exception):
    """A driver or a case used a message that the contract does not define."""


def parse_request(method: str, serialized: bytes) -> Message:
    return message_factory.GetMessageClass(METHODS[method].input_type).FromString(serialized)


def build_response(method: str, fields: dict[str, Any]) -> Message:
    message_class = message_factory.GetMessageClass(METHODS[method].output_type)
    try:
        return json_format.ParseDict(fields, message_class())
    except json_format.ParseError as error:
        raise ContractMismatch(f"{METHODS[method].output_type.name}: {error}") from None


def normalise_response(method: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The response with the fields at their defaults, which drivers may omit, so that equal messages compare equal."""
    _check_field_names(fields)
    return json_format.MessageToDict(
        build_response(method, fields), preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _check_field_names(value: Any) -> None:
    # ParseDict accepts both spellings; drivers must use the contract's.
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != name.lower():
                raise ContractMismatch(f"{name} is not a field name of the contract: use snake_case")
            _check_field_names(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_field_names(inner)
