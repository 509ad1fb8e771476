"""The client of `twofactor.v1`: both kinds of client, typed errors, and what every call should carry.

Importing it hides the secrets of the contract's messages wherever Python prints them (see `showing`).
"""

from twofactor_client.clients import AsyncTwoFactor, TwoFactor
from twofactor_client.config import service_config
from twofactor_client.connection import Tls
from twofactor_client.errors import (
    AuthenticatorDisabled,
    BackupCodeAlreadyUsed,
    ChallengeOver,
    CodeAlreadyUsed,
    CodeExpired,
    CodeMismatch,
    CredentialsMismatch,
    FieldRule,
    FirstFactorSuspended,
    InvalidField,
    ReauthenticationFailed,
    ReauthenticationRequired,
    SessionEnded,
    Throttled,
    TryAgain,
    TwoFactorError,
)
from twofactor_client.request_ids import with_request_id
from twofactor_client.showing import shown

__all__ = [
    "AsyncTwoFactor",
    "AuthenticatorDisabled",
    "BackupCodeAlreadyUsed",
    "ChallengeOver",
    "CodeAlreadyUsed",
    "CodeExpired",
    "CodeMismatch",
    "CredentialsMismatch",
    "FieldRule",
    "FirstFactorSuspended",
    "InvalidField",
    "ReauthenticationFailed",
    "ReauthenticationRequired",
    "SessionEnded",
    "Throttled",
    "Tls",
    "TryAgain",
    "TwoFactor",
    "TwoFactorError",
    "service_config",
    "shown",
    "with_request_id",
]
