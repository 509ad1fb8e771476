"""Access to methods: the server does not start if a method declares no caller."""

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from tests.support.rpc import METHODS
from twofactor.v1 import options_pb2
from twofactor_server.api.access import Access, UndecidedMethod
from twofactor_server.api.server import SERVICES

Roles = tuple[options_pb2.CallerRole.ValueType, ...]


def service(name: str, *roles: options_pb2.CallerRole.ValueType) -> ServiceDescriptor:
    """A service with one method, for callers with these roles."""
    file = FileDescriptorProto(name=f"tests/{name}.proto", package="tests", syntax="proto3")
    file.dependency.append("twofactor/v1/options.proto")
    file.message_type.add(name=f"{name}Message")
    added = file.service.add(name=name)
    method = added.method.add(name="Do", input_type=f".tests.{name}Message", output_type=f".tests.{name}Message")
    method.options.Extensions[options_pb2.caller].extend(roles)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    found: ServiceDescriptor = pool.FindServiceByName(f"tests.{name}")
    return found


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("Silent", ()),
        ("Unspecified", (options_pb2.CALLER_ROLE_UNSPECIFIED,)),
        ("Both", (options_pb2.CALLER_ROLE_UNSPECIFIED, options_pb2.CALLER_ROLE_AUDIT)),
    ],
)
def test_a_method_without_a_caller_prevents_the_start(
    name: str, roles: tuple[options_pb2.CallerRole.ValueType, ...]
) -> None:
    """ "No option on a method: the server does not start", and the error names the method."""
    with pytest.raises(UndecidedMethod, match=rf"tests\.{name}/Do does not say who may call it"):
        Access([*SERVICES, service(name, *roles)])


def test_a_method_with_one_caller_is_accepted() -> None:
    assert Access([service("Decided", options_pb2.CALLER_ROLE_AUDIT)]).covers("/tests.Decided/Do")


def test_every_method_has_a_caller() -> None:
    """The local caller has every role."""
    access = Access(SERVICES)
    for method in METHODS.values():
        path = f"/{method.containing_service.full_name}/{method.name}"
        assert access.covers(path)
        caller = access.authorize(path)
        assert caller.name == "local"
        assert caller.may_assert
        assert caller.may_provision
    assert not access.covers("/grpc.health.v1.Health/Check")
