"""GitHub's documented endpoints, as GitHub Enterprise Server has them: web flow, user, addresses."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.providers.openid import challenge_of
from tests.providers.web import Answered, Asked, Web
from twofactor.v1 import types_pb2

TOKEN, USER, EMAILS = "/login/oauth/access_token", "/api/v3/user", "/api/v3/user/emails"


@dataclass
class GitHubUser:
    """A user. ``emails`` are in the order in which the API lists them."""

    number: Any
    login: str = "mia"
    emails: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class GitHubGrant:
    """A user's consent. ``error``: what the token endpoint answers instead, with status 200."""

    user: GitHubUser
    redirect_uri: str
    error: str = ""
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    code: str = field(default_factory=lambda: secrets.token_hex(10))


class GitHubServer:
    """The provider."""

    page = 100
    """Addresses on one page, if the request asks for no fewer."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.client_id, self.client_secret = "Iv1.0123456789abcdef", "the client's secret"
        self.redirect_uri = "https://client.example/github/callback"
        self._grants: dict[str, GitHubGrant] = {}
        self._users: dict[str, GitHubUser] = {}
        web.pages |= {TOKEN: self._token, USER: self._user, EMAILS: self._emails}

    @property
    def settings(self) -> dict[str, str]:
        """What a server that knows this provider is started with."""
        return {
            "TWOFACTOR_GITHUB_URL": self.web.url,
            "TWOFACTOR_GITHUB_CLIENT_ID": self.client_id,
            "TWOFACTOR_GITHUB_CLIENT_SECRET": self.client_secret,
            "TWOFACTOR_GITHUB_REDIRECT_URIS": self.redirect_uri,
        }

    def grant(self, user: GitHubUser, **details: str) -> GitHubGrant:
        """The user signs in here and consents."""
        grant = GitHubGrant(user, details.pop("redirect_uri", self.redirect_uri), **details)
        self._grants[grant.code] = grant
        return grant

    def credential(self, grant: GitHubGrant, **changed: str) -> types_pb2.GitHubCredential:
        """What the front end sends on, with some fields changed."""
        fields = {
            "authorization_code": grant.code,
            "code_verifier": grant.verifier,
            "redirect_uri": grant.redirect_uri,
        }
        return types_pb2.GitHubCredential(**(fields | changed))

    def signed_in(self, user: GitHubUser, **details: str) -> types_pb2.GitHubCredential:
        """A sign-in here, made now."""
        return self.credential(self.grant(user, **details))

    def _token(self, asked: Asked) -> Answered:
        form = asked.form
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return Answered({"error": "incorrect_client_credentials"})
        grant = self._grants.pop(form.get("code", ""), None)
        if grant is None or challenge_of(form.get("code_verifier", "")) != challenge_of(grant.verifier):
            return Answered({"error": "bad_verification_code", "error_description": "incorrect or expired"})
        if form.get("redirect_uri") != grant.redirect_uri:
            return Answered({"error": "redirect_uri_mismatch"})
        if grant.error:
            return Answered({"error": grant.error})
        token = f"gho_{secrets.token_hex(18)}"
        self._users[token] = grant.user
        return Answered({"access_token": token, "scope": "user:email", "token_type": "bearer"})

    def _user(self, asked: Asked) -> Answered:
        user = self._owner(asked)
        return Answered({"id": user.number, "login": user.login}) if user else Answered({"message": "Bad"}, 401)

    def _emails(self, asked: Asked) -> Answered:
        user = self._owner(asked)
        if user is None:
            return Answered({"message": "Bad credentials"}, 401)
        size, page = min(self.page, int(asked.form.get("per_page", 30))), int(asked.form.get("page", 1))
        shown = user.emails[(page - 1) * size : page * size]
        more = len(user.emails) > page * size
        # The next page is said to be elsewhere, where no token must ever be sent.
        link = {"Link": f'<{self.web.url}/elsewhere?page={page + 1}>; rel="next"'} if more else {}
        return Answered(shown, headers=link)

    def _owner(self, asked: Asked) -> GitHubUser | None:
        return self._users.get(asked.headers.get("Authorization", "").removeprefix("Bearer "))


def address(email: str, *, primary: bool = True, verified: bool = True) -> dict[str, Any]:
    """One address as the API lists it."""
    return {"email": email, "primary": primary, "verified": verified, "visibility": None}
