"""What a command works with."""

import argparse
import os
import time
from dataclasses import dataclass

from twofactor.v1.sign_in_service_pb2 import GetSessionRequest
from twofactor.v1.types_pb2 import AssertedFirstFactor, Reauthentication
from twofactor_try.oauth import Credential, sign_in_with_provider
from twofactor_try.prompts import read_password
from twofactor_try.providers import provider_from_environment
from twofactor_try.rpc import Rpc
from twofactor_try.state_file import StateFile

# The server rejects an assertion from the future, and its clock may be behind this machine's.
_ASSERTION_AGE_SECONDS = 30


@dataclass(frozen=True)
class Context:
    """The command's options, the server, and the values that earlier commands stored."""

    options: argparse.Namespace
    rpc: Rpc
    state: StateFile

    @property
    def challenge_token(self) -> str:
        problem = f"No sign-in is in progress on {self.options.server}. Run `twofactor-try sign-in` first."
        return self.state.require("challenge_token", problem)

    @property
    def session_token(self) -> str:
        problem = f"Not signed in on {self.options.server}. Run `twofactor-try sign-in` first."
        return self.state.require("session_token", problem)

    def provider_credential(self, name: str) -> Credential:
        """The credential from a new sign-in with this provider."""
        return sign_in_with_provider(provider_from_environment(name, os.environ))

    def reauthentication(self) -> Reauthentication:
        """The owner's password, a linked identity (`--by`), or this caller's assertion (`--asserted`)."""
        if self.options.by:
            credential = self.provider_credential(self.options.by)
            return Reauthentication(authenticator_code=self.options.app_code, **credential)
        if self.options.asserted:
            session = self.rpc.call(self.rpc.sign_in.GetSession, GetSessionRequest(session_token=self.session_token))
            return Reauthentication(asserted=asserted_first_factor(session.session.account_id))
        return Reauthentication(password=read_password(self.options))


def asserted_first_factor(account_id: str) -> AssertedFirstFactor:
    """This caller's assertion that it has just verified the first factor of the account."""
    asserted = AssertedFirstFactor(account_id=account_id)
    asserted.auth_time.FromSeconds(int(time.time()) - _ASSERTION_AGE_SECONDS)
    return asserted
