"""Reading first factors and re-authentications; the providers that this version does not have are refused."""

from typing import Any

from twofactor.v1 import sign_in_service_pb2, types_pb2
from twofactor_server.api import fields
from twofactor_server.domain.first_factors import Assertion, FirstFactor, PasswordCredential
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal, invalid

_PROVIDERS = ("oidc", "github")


def member(message: Any, oneof: str) -> str:
    """Which member of the oneof was given, "" if none; a provider's: PROVIDER_NOT_CONFIGURED."""
    given: str = message.WhichOneof(oneof) or ""
    if given in _PROVIDERS:
        raise Refusal(Reason.PROVIDER_NOT_CONFIGURED)
    return given


def first_factor(request: sign_in_service_pb2.StartSignInRequest) -> FirstFactor:
    """The first factor of a sign-in; none: INVALID_FIELD."""
    match member(request, "first_factor"):
        case "password":
            return PasswordCredential(request.password.email, request.password.password)
        case "asserted":
            return assertion(request.asserted, "asserted")
    raise invalid("first_factor", "required")


def assertion(asserted: types_pb2.AssertedFirstFactor, path: str) -> Assertion:
    """A trusted caller's assertion; both fields are required."""
    account_id = fields.uuid(fields.required(asserted.account_id, f"{path}.account_id"), f"{path}.account_id")
    if not asserted.HasField("auth_time"):
        raise invalid(f"{path}.auth_time", "required")
    return Assertion(account_id, fields.moment(asserted.auth_time, f"{path}.auth_time"))


def reauthentication(given: types_pb2.Reauthentication) -> Reauthentication:
    """The re-authentication as it was typed; whether it is needed, and right, is for the flow to say."""
    first = given.WhichOneof("first_factor")
    return Reauthentication(
        password=given.password if first == "password" else None,
        asserted=assertion(given.asserted, "reauthentication.asserted") if first == "asserted" else None,
        provider=first in _PROVIDERS,
        authenticator_code=given.authenticator_code or None,
    )
