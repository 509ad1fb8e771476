"""The contract's methods, and their messages as the JSON that drivers speak."""

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


class NotOfTheContract(Exception):
    """What a driver or a case says is not a message of the contract."""


def received_as(method: str, sent: bytes) -> Message:
    """The method's request, from what came over the wire."""
    return message_factory.GetMessageClass(METHODS[method].input_type).FromString(sent)


def response_of(method: str, fields: dict[str, Any]) -> Message:
    """The method's response with these fields."""
    return _parsed(fields, METHODS[method].output_type)


def whole(method: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The method's response, whatever a driver left out put in: equal messages are equal objects."""
    _check_names(fields)
    return json_format.MessageToDict(
        response_of(method, fields), preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _parsed(fields: dict[str, Any], descriptor: Any) -> Message:
    try:
        return json_format.ParseDict(fields, message_factory.GetMessageClass(descriptor)())
    except json_format.ParseError as error:
        raise NotOfTheContract(f"{descriptor.name}: {error}") from None


def _check_names(value: Any) -> None:
    if isinstance(value, dict):
        for name, held in value.items():
            if name != name.lower():
                raise NotOfTheContract(f"{name} is not a field's name in the contract (snake_case is)")
            _check_names(held)
    elif isinstance(value, list):
        for held in value:
            _check_names(held)
