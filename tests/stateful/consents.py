"""People at their providers: who signs in there, and the codes that they come back with."""

from dataclasses import dataclass, field
from hashlib import sha256

from tests.providers.both import Providers
from tests.providers.github import GitHubUser, address
from tests.stateful.oracle.linking import Credential, KnownAs

EXAMPLE, GITHUB = "example", "github"


def own(account_id: str, word: str) -> KnownAs:
    """One of the identities that an account's owner has: ``first``, ``second`` and ``stranger`` at the OpenID provider,
    ``hub`` at GitHub."""
    if word == "hub":
        return KnownAs(GITHUB, str(int(sha256(account_id.encode()).hexdigest()[:12], 16)))
    return KnownAs(EXAMPLE, f"{account_id}-{word}")


@dataclass
class Consents:
    """Sign-ins at the providers. ``key`` names one that is to be brought back again and again; without, each is new."""

    providers: Providers
    _kept: dict[tuple[KnownAs, str], Credential] = field(default_factory=dict)

    def given(self, identity: KnownAs, key: str = "") -> Credential:
        """The person consents, and the front end has a code."""
        if key and (identity, key) in self._kept:
            return self._kept[identity, key]
        credential = self._github(identity) if identity.provider == GITHUB else self._openid(identity)
        if key:
            self._kept[identity, key] = credential
        return credential

    def made_up(self, identity: KnownAs) -> Credential:
        """A code that the provider never gave."""
        redirect_uri = self.providers.openid.redirect_uri
        return Credential(identity, "", "made up", "v" * 43, "nonce", redirect_uri, given=False)

    def _openid(self, identity: KnownAs) -> Credential:
        grant = self.providers.openid.grant(identity.subject)
        return Credential(identity, grant.email, grant.code, grant.verifier, grant.nonce, grant.redirect_uri)

    def _github(self, identity: KnownAs) -> Credential:
        email = f"{identity.subject}@provider.example"
        grant = self.providers.github.grant(GitHubUser(int(identity.subject), emails=[address(email)]))
        return Credential(identity, email, grant.code, grant.verifier, "", grant.redirect_uri)
