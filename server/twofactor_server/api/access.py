"""Who may call what: the contract's ``caller`` option on each method, checked against the roles of the peer."""

from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.descriptor import ServiceDescriptor

from twofactor.v1 import options_pb2
from twofactor_server.domain.refusals import Reason, Refusal

LOCAL_CALLER = "local"
"""The identity of every caller on a plaintext loopback address or unix socket."""


class UndecidedMethod(Exception):
    """A method of the contract has no ``caller`` option, so the server does not start."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A calling service and its roles."""

    name: str
    roles: frozenset[int]

    @property
    def may_assert(self) -> bool:
        """Whether the caller may assert a first factor."""
        return options_pb2.CALLER_ROLE_ASSERTING in self.roles

    @property
    def may_provision(self) -> bool:
        """Whether the caller may create and close accounts on its own authority."""
        return options_pb2.CALLER_ROLE_PROVISIONING in self.roles


class Access:
    """The roles of every method. In plaintext on loopback the one local caller has all of them."""

    def __init__(self, services: Iterable[ServiceDescriptor]) -> None:
        self._roles: dict[str, frozenset[int]] = {}
        for service in services:
            for method in service.methods:
                roles = frozenset(method.GetOptions().Extensions[options_pb2.caller])
                if not roles or options_pb2.CALLER_ROLE_UNSPECIFIED in roles:
                    raise UndecidedMethod(f"{service.full_name}/{method.name} does not say who may call it.")
                self._roles[f"/{service.full_name}/{method.name}"] = roles
        self._local = Caller(LOCAL_CALLER, frozenset(options_pb2.CallerRole.values()))

    def covers(self, method: str) -> bool:
        """Whether the method belongs to the contract."""
        return method in self._roles

    def authorize(self, method: str) -> Caller:
        """The caller, if it has one of the method's roles; otherwise CALLER_NOT_ALLOWED."""
        caller = self._local
        if not caller.roles & self._roles[method]:
            raise Refusal(Reason.CALLER_NOT_ALLOWED)
        return caller
