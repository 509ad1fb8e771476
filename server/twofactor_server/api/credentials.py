"""Reading first factors, identities and re-authentications."""

import re

from twofactor.v1 import account_service_pb2, sign_in_service_pb2, types_pb2
from twofactor_server.api import fields
from twofactor_server.domain.email_codes import normalise as normalise_code
from twofactor_server.domain.first_factors import Assertion, FirstFactor, PasswordCredential
from twofactor_server.domain.identities import GITHUB, ProviderCredential
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.identity.providers import IdentityProviders

# RFC 7636 §4.1.
_CODE_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class CredentialReader:
    """Reads credentials, and checks those of providers against the configured ``providers``."""

    def __init__(self, providers: IdentityProviders) -> None:
        self._providers = providers

    def first_factor(self, request: sign_in_service_pb2.StartSignInRequest) -> FirstFactor:
        """The first factor of a sign-in."""
        match request.WhichOneof("first_factor"):
            case "password":
                email = fields.email(request.password.email, "password.email")
                return PasswordCredential(email, fields.password(request.password.password, "password.password"))
            case "oidc":
                return self._oidc(request.oidc, "oidc")
            case "github":
                return self._github(request.github, "github")
            case "asserted":
                return self._assertion(request.asserted, "asserted")
        raise fields.refuse_field("first_factor", "required")

    def identity(
        self, request: account_service_pb2.CreateAccountRequest | account_service_pb2.LinkIdentityRequest
    ) -> ProviderCredential | None:
        """The provider's sign-in; None if the request has none."""
        match request.WhichOneof("identity"):
            case "oidc":
                return self._oidc(request.oidc, "oidc")
            case "github":
                return self._github(request.github, "github")
        return None

    def reauthentication(self, given: types_pb2.Reauthentication) -> Reauthentication:
        """The re-authentication; the flow decides whether one is required."""
        password = asserted = provider = code = None
        match given.WhichOneof("first_factor"):
            case "password":
                password = fields.password(given.password, "reauthentication.password")
            case "asserted":
                asserted = self._assertion(given.asserted, "reauthentication.asserted")
            case "oidc":
                provider = self._oidc(given.oidc, "reauthentication.oidc")
            case "github":
                provider = self._github(given.github, "reauthentication.github")
        if given.authenticator_code:
            code = fields.parse(normalise_code, given.authenticator_code, "reauthentication.authenticator_code")
        return Reauthentication(password, asserted, provider, code)

    def lenient_reauthentication(self, given: types_pb2.Reauthentication) -> Reauthentication:
        """For methods whose repeated call is answered before the re-authentication is looked at."""
        try:
            return self.reauthentication(given)
        except Refusal as refusal:
            return Reauthentication(malformed=refusal)

    def _oidc(self, given: types_pb2.OidcCredential, path: str) -> ProviderCredential:
        credential = ProviderCredential(
            "oidc", given.provider, given.authorization_code, given.code_verifier, given.nonce, given.redirect_uri
        )
        return self._checked(credential, path)

    def _github(self, given: types_pb2.GitHubCredential, path: str) -> ProviderCredential:
        credential = ProviderCredential(
            GITHUB, GITHUB, given.authorization_code, given.code_verifier, "", given.redirect_uri
        )
        return self._checked(credential, path)

    def _checked(self, credential: ProviderCredential, path: str) -> ProviderCredential:
        """Refuse a provider that is not configured, a missing or malformed field, and a foreign redirect URI."""
        if credential.provider and not self._providers.serves(credential):
            raise Refusal(Reason.PROVIDER_NOT_CONFIGURED)
        for name in ("provider", "authorization_code", "code_verifier", "nonce", "redirect_uri"):
            if not getattr(credential, name) and (name, credential.first_factor) != ("nonce", GITHUB):
                raise fields.refuse_field(f"{path}.{name}", "required")
        if not _CODE_VERIFIER.fullmatch(credential.code_verifier):
            raise fields.refuse_field(f"{path}.code_verifier", "43 to 128 letters, digits, or any of . _ ~ -")
        if not self._providers.allows_redirect(credential):
            raise fields.refuse_field(f"{path}.redirect_uri", "one of the server's configured redirect URIs")
        return credential

    def _assertion(self, given: types_pb2.AssertedFirstFactor, path: str) -> Assertion:
        account_id = fields.uuid(fields.required(given.account_id, f"{path}.account_id"), f"{path}.account_id")
        if not given.HasField("auth_time"):
            raise fields.refuse_field(f"{path}.auth_time", "required")
        return Assertion(account_id, fields.time(given.auth_time, f"{path}.auth_time"))
