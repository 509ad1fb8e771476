"""Reading first factors, identities and re-authentications."""

from twofactor.v1 import account_service_pb2, sign_in_service_pb2, types_pb2
from twofactor_server.api import fields
from twofactor_server.domain.first_factors import Assertion, FirstFactor, PasswordCredential
from twofactor_server.domain.identities import GITHUB, ProviderCredential
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import invalid


def first_factor(request: sign_in_service_pb2.StartSignInRequest) -> FirstFactor:
    """The first factor of a sign-in; none: INVALID_FIELD."""
    match request.WhichOneof("first_factor"):
        case "password":
            return PasswordCredential(request.password.email, request.password.password)
        case "oidc":
            return oidc(request.oidc, "oidc")
        case "github":
            return github(request.github, "github")
        case "asserted":
            return assertion(request.asserted, "asserted")
    raise invalid("first_factor", "required")


def identity(
    request: account_service_pb2.CreateAccountRequest | account_service_pb2.LinkIdentityRequest,
) -> ProviderCredential | None:
    """The provider's sign-in, not checked yet; None where the request has none."""
    match request.WhichOneof("identity"):
        case "oidc":
            return oidc(request.oidc, "oidc")
        case "github":
            return github(request.github, "github")
    return None


def oidc(given: types_pb2.OidcCredential, path: str) -> ProviderCredential:
    """A sign-in with an OpenID provider, not checked yet."""
    return ProviderCredential(
        path, "oidc", given.provider, given.authorization_code, given.code_verifier, given.nonce, given.redirect_uri
    )


def github(given: types_pb2.GitHubCredential, path: str) -> ProviderCredential:
    """A sign-in with GitHub, not checked yet."""
    return ProviderCredential(
        path, "github", GITHUB, given.authorization_code, given.code_verifier, "", given.redirect_uri
    )


def assertion(asserted: types_pb2.AssertedFirstFactor, path: str) -> Assertion:
    """A trusted caller's assertion; both fields are required."""
    account_id = fields.uuid(fields.required(asserted.account_id, f"{path}.account_id"), f"{path}.account_id")
    if not asserted.HasField("auth_time"):
        raise invalid(f"{path}.auth_time", "required")
    return Assertion(account_id, fields.moment(asserted.auth_time, f"{path}.auth_time"))


def reauthentication(given: types_pb2.Reauthentication) -> Reauthentication:
    """The re-authentication as it was typed; whether it is needed, and right, is for the flow to say."""
    first = given.WhichOneof("first_factor")
    provider = None
    if first == "oidc":
        provider = oidc(given.oidc, "reauthentication.oidc")
    elif first == "github":
        provider = github(given.github, "reauthentication.github")
    return Reauthentication(
        password=given.password if first == "password" else None,
        asserted=assertion(given.asserted, "reauthentication.asserted") if first == "asserted" else None,
        provider=provider,
        authenticator_code=given.authenticator_code or None,
    )
