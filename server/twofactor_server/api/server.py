"""The gRPC server: services, interceptors, health, reflection, and draining."""

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
from twofactor_server.api.interceptors import AccessInterceptor, CallContextInterceptor, CallRunner, ErrorInterceptor
from twofactor_server.api.reflection import ReflectionPool
from twofactor_server.api.sign_in_service import SignInService
from twofactor_server.api.two_factor_service import TwoFactorService
from twofactor_server.flows.unit_of_work import Dependencies

SERVICES: tuple[ServiceDescriptor, ...] = (
    sign_in_service_pb2.DESCRIPTOR.services_by_name["SignInService"],
    two_factor_service_pb2.DESCRIPTOR.services_by_name["TwoFactorService"],
    account_service_pb2.DESCRIPTOR.services_by_name["AccountService"],
)
"""The contract's services."""

DRAIN_GRACE = 15.0
"""Seconds for running calls to finish: more than any call may take."""

_DRAIN_NOTICE = 0.2
"""Seconds between NOT_SERVING, for load balancers, and refusing new calls."""


class AddressBusy(Exception):
    """Another process listens on the address."""


class GrpcServer:
    """One listening server process."""

    def __init__(self, deps: Dependencies, *, share_port: bool) -> None:
        access = Access(SERVICES)
        self._calls = CallRunner()
        self._server = grpc.aio.server(
            interceptors=[
                ErrorInterceptor(access),
                CallContextInterceptor(access, self._calls),
                AccessInterceptor(access),
            ],
            options=[
                # On by default, which would let a second server silently take half of the calls.
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
        reflection.enable_server_reflection([*self._names, *own], self._server, pool=cast(Any, ReflectionPool()))

    async def start(self, address: str) -> None:
        """Listen, and report SERVING. Raises AddressBusy."""
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
        """Refuse new calls and let the running ones finish."""
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(_DRAIN_NOTICE)
        await self._server.stop(DRAIN_GRACE)
        await self._calls.drain()
