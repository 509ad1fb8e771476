"""Who may call what: the contract's caller option against the peer. A method without the option stops the start."""

from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.descriptor import ServiceDescriptor

from twofactor.v1 import options_pb2
from twofactor_server.domain.refusals import Reason, Refusal

LOCAL_CALLER = "local"
"""The one identity of whoever can reach a loopback address or unix socket in plaintext."""


class UndecidedMethod(Exception):
    """A method of the contract does not say who may call it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A calling service and its roles."""

    name: str
    roles: frozenset[int]

    @property
    def may_assert(self) -> bool:
        """Whether its word for a first factor is taken."""
        return options_pb2.CALLER_ROLE_ASSERTING in self.roles

    @property
    def may_provision(self) -> bool:
        """Whether it makes and closes accounts by its own right."""
        return options_pb2.CALLER_ROLE_PROVISIONING in self.roles


class Access:
    """The roles of every method. In plaintext on loopback the one local caller has all of them."""

    def __init__(self, services: Iterable[ServiceDescriptor]) -> None:
        self._roles: dict[str, frozenset[int]] = {}
        for service in services:
            for method in service.methods:
                roles = frozenset(method.GetOptions().Extensions[options_pb2.caller])
                if not roles or options_pb2.CALLER_ROLE_UNSPECIFIED in roles:
                    raise UndecidedMethod(f"{service.full_name}/{method.name} does not say who may call it")
                self._roles[f"/{service.full_name}/{method.name}"] = roles
        self._local = Caller(LOCAL_CALLER, frozenset(options_pb2.CallerRole.values()))

    def covers(self, method: str) -> bool:
        """Whether the method is one of the contract's."""
        return method in self._roles

    def admit(self, method: str) -> Caller:
        """The caller, if it has one of the method's roles; before anything is validated or looked up."""
        caller = self._local
        if not caller.roles & self._roles[method]:
            raise Refusal(Reason.CALLER_NOT_ALLOWED)
        return caller
