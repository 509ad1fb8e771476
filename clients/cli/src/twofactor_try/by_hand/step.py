"""What a command is given, and what it gives back."""

import argparse
import os
import time
from dataclasses import dataclass

from google.protobuf.message import Message

from twofactor.v1.types_pb2 import AssertedFirstFactor, OidcCredential, Reauthentication
from twofactor_try.authorization import ProviderCredential, sign_in_there
from twofactor_try.by_hand.memory import Memory
from twofactor_try.by_hand.passwords import read_password
from twofactor_try.contract import Contract
from twofactor_try.providers import provider
from twofactor_try.qr_code import QrCode


@dataclass(frozen=True)
class Step:
    """One command: what was typed, the server to ask, and what earlier commands left."""

    options: argparse.Namespace
    contract: Contract
    memory: Memory

    @property
    def challenge_token(self) -> str:
        return self.memory.get(
            "challenge_token", f"No sign-in is under way at {self.options.server}: begin with `twofactor-try sign-in`."
        )

    @property
    def session_token(self) -> str:
        return self.memory.get(
            "session_token", f"Nobody is signed in at {self.options.server}: begin with `twofactor-try sign-in`."
        )

    def signed_in_at(self, name: str) -> ProviderCredential:
        """A sign-in at the provider, made now."""
        return sign_in_there(provider(name, os.environ))

    def proof(self) -> Reauthentication:
        """The re-authentication that a change wants: the password, a linked identity, or the caller's word."""
        if self.options.by:
            credential = self.signed_in_at(self.options.by)
            given = Reauthentication(authenticator_code=self.options.app_code)
            (given.oidc if isinstance(credential, OidcCredential) else given.github).MergeFrom(credential)  # type: ignore[arg-type]
            return given
        if not self.options.asserted:
            return Reauthentication(password=read_password(self.options))
        return Reauthentication(asserted=asserted_now(self.contract.get_session(self.session_token).account_id))


@dataclass(frozen=True)
class Said:
    """The answer: the server's message for machines, and the same in plain words."""

    message: Message | None
    words: tuple[str | QrCode, ...]


def said(message: Message | None, *words: str | QrCode) -> Said:
    return Said(message, words)


def asserted_now(account_id: str) -> AssertedFirstFactor:
    """ "I have checked the first factor of this account", half a minute ago."""
    first_factor = AssertedFirstFactor(account_id=account_id)
    # Not this very moment: the server's clock may run behind ours, and refuses what lies in its future.
    first_factor.auth_time.FromSeconds(int(time.time()) - 30)
    return first_factor
