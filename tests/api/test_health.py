"""Health and reflection, which are open to every caller."""

from typing import Any, cast

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.support.rpc import SERVICES

NAMES = [service.full_name for service in SERVICES]


@pytest.mark.parametrize("service", ["", *NAMES])
async def test_health_is_serving(channel: grpc.aio.Channel, service: str) -> None:
    """`grpc.health.v1.Health` answers for the server and for each service."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_health_of_an_unknown_service(channel: grpc.aio.Channel) -> None:
    """NOT_FOUND."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="twofactor.v1.Nothing"))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


async def test_reflection_lists_and_describes_services(channel: grpc.aio.Channel) -> None:
    """For clients without the contract's files, such as grpcurl."""
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(cast(Any, channel))
    wanted = [reflection_pb2.ServerReflectionRequest(list_services="")]
    wanted += [reflection_pb2.ServerReflectionRequest(file_containing_symbol=name) for name in NAMES]
    answers = [answer async for answer in stub.ServerReflectionInfo(iter(wanted))]
    listed = {service.name for service in answers[0].list_services_response.service}
    assert listed == {*NAMES, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    for service, answer in zip(SERVICES, answers[1:], strict=True):
        files = [FileDescriptorProto.FromString(it) for it in answer.file_descriptor_response.file_descriptor_proto]
        methods = {method.name for file in files for one in file.service for method in one.method}
        assert methods == {method.name for method in service.methods}


async def test_reflection_finds_methods_by_name(channel: grpc.aio.Channel) -> None:
    """As `grpcurl describe twofactor.v1.SignInService.StartSignIn` does; an unknown name is NOT_FOUND. Fails with
    protobuf's own pool, which does not find methods."""
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(cast(Any, channel))
    names = [method.full_name for service in SERVICES for method in service.methods]
    nothing = [f"{NAMES[0]}.Nothing", "twofactor.v1.Nothing.Nothing", "nothing"]
    wanted = [reflection_pb2.ServerReflectionRequest(file_containing_symbol=name) for name in names + nothing]
    answers = [answer async for answer in stub.ServerReflectionInfo(iter(wanted))]
    for name, answer in zip(names, answers, strict=False):
        assert answer.file_descriptor_response.file_descriptor_proto, name
    codes = {answer.error_response.error_code for answer in answers[len(names) :]}
    assert codes == {grpc.StatusCode.NOT_FOUND.value[0]}
