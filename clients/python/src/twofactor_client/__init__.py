"""Blocking and asyncio clients of `twofactor.v1`, with typed errors.

Importing this package redacts the secrets of the contract's messages in `str`, `repr` and f-strings (see `redaction`).
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
from twofactor_client.redaction import shown
from twofactor_client.request_ids import with_request_id

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
