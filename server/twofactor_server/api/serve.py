"""The gRPC server: services, interceptors, health, reflection, and how it drains."""

import asyncio
from typing import Any, cast

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection

from twofactor.v1 import (
    account_service_pb2,
    account_service_pb2_grpc,
    sign_in_service_pb2,
    sign_in_service_pb2_grpc,
    two_factor_service_pb2,
    two_factor_service_pb2_grpc,
)
from twofactor_server.api.access import Access
from twofactor_server.api.account_service import AccountService
from twofactor_server.api.calls import Calls
from twofactor_server.api.sign_in_service import SignInService
from twofactor_server.api.symbols import Symbols
from twofactor_server.api.two_factor_service import TwoFactorService
from twofactor_server.flows.dependencies import Dependencies

SERVICES: tuple[ServiceDescriptor, ...] = (
    sign_in_service_pb2.DESCRIPTOR.services_by_name["SignInService"],
    two_factor_service_pb2.DESCRIPTOR.services_by_name["TwoFactorService"],
    account_service_pb2.DESCRIPTOR.services_by_name["AccountService"],
)
"""The contract's services."""

DRAIN_GRACE = 15.0
"""Seconds that running calls are given to finish: more than any call may take."""

_NOTICE = 0.2
"""Seconds between telling the balancers and refusing new calls."""


class AddressBusy(Exception):
    """Somebody listens there already."""


class GrpcServer:
    """One listening server process."""

    def __init__(self, deps: Dependencies, *, share_port: bool) -> None:
        self._server = grpc.aio.server(
            interceptors=[Calls(Access(SERVICES))],
            options=[
                # On by default, and then a second server takes half of the calls without a word.
                ("grpc.so_reuseport", int(share_port)),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ],
        )
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        sign_in_service_pb2_grpc.add_SignInServiceServicer_to_server(SignInService(deps), self._server)
        two_factor_service_pb2_grpc.add_TwoFactorServiceServicer_to_server(TwoFactorService(deps), self._server)
        account_service_pb2_grpc.add_AccountServiceServicer_to_server(AccountService(deps), self._server)
        self._names = [service.full_name for service in SERVICES]
        own = [health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME]
        reflection.enable_server_reflection([*self._names, *own], self._server, pool=cast(Any, Symbols()))

    async def start(self, address: str) -> None:
        """Listen, and say so to the health service. A busy address: AddressBusy."""
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise AddressBusy(f"the address {address} is in use.") from error
        if not port:
            raise AddressBusy(f"the address {address} is in use.")
        await self._server.start()
        for name in ("", *self._names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> None:
        """Stop taking calls, and let the running ones finish."""
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(_NOTICE)
        await self._server.stop(DRAIN_GRACE)
