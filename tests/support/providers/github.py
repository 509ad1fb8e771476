"""A GitHub Enterprise Server: the documented endpoints of the web flow, the user, and the e-mail addresses."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.support.providers.openid import challenge_of
from tests.support.providers.web import Request, Response, Web
from twofactor.v1 import types_pb2

TOKEN, USER, EMAILS = "/login/oauth/access_token", "/api/v3/user", "/api/v3/user/emails"


@dataclass
class GitHubUser:
    """A user. ``emails`` are in the order of the API."""

    number: Any
    login: str = "mia"
    emails: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class GitHubGrant:
    """A user's consent. With ``error``, the token endpoint answers with this error and status 200."""

    user: GitHubUser
    redirect_uri: str
    error: str = ""
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    code: str = field(default_factory=lambda: secrets.token_hex(10))


class GitHubServer:
    """The provider."""

    page = 100
    """The maximum number of addresses on one page."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.client_id, self.client_secret = "Iv1.0123456789abcdef", "the client's secret"
        self.redirect_uri = "https://client.example/github/callback"
        self._grants: dict[str, GitHubGrant] = {}
        self._users: dict[str, GitHubUser] = {}
        web.pages |= {TOKEN: self._token, USER: self._user, EMAILS: self._emails}

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a server that uses this provider."""
        return {
            "TWOFACTOR_GITHUB_URL": self.web.url,
            "TWOFACTOR_GITHUB_CLIENT_ID": self.client_id,
            "TWOFACTOR_GITHUB_CLIENT_SECRET": self.client_secret,
            "TWOFACTOR_GITHUB_REDIRECT_URIS": self.redirect_uri,
        }

    def grant(self, user: GitHubUser, **details: str) -> GitHubGrant:
        """Sign in and consent as this user."""
        grant = GitHubGrant(user, details.pop("redirect_uri", self.redirect_uri), **details)
        self._grants[grant.code] = grant
        return grant

    def credential(self, grant: GitHubGrant, **changed: str) -> types_pb2.GitHubCredential:
        """The credential that the front end sends to the server, with some fields changed."""
        fields = {
            "authorization_code": grant.code,
            "code_verifier": grant.verifier,
            "redirect_uri": grant.redirect_uri,
        }
        return types_pb2.GitHubCredential(**(fields | changed))

    def signed_in(self, user: GitHubUser, **details: str) -> types_pb2.GitHubCredential:
        """The credential of a new sign-in."""
        return self.credential(self.grant(user, **details))

    def _token(self, request: Request) -> Response:
        form = request.form
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return Response({"error": "incorrect_client_credentials"})
        grant = self._grants.pop(form.get("code", ""), None)
        if grant is None or challenge_of(form.get("code_verifier", "")) != challenge_of(grant.verifier):
            return Response({"error": "bad_verification_code", "error_description": "incorrect or expired"})
        if form.get("redirect_uri") != grant.redirect_uri:
            return Response({"error": "redirect_uri_mismatch"})
        if grant.error:
            return Response({"error": grant.error})
        token = f"gho_{secrets.token_hex(18)}"
        self._users[token] = grant.user
        return Response({"access_token": token, "scope": "user:email", "token_type": "bearer"})

    def _user(self, request: Request) -> Response:
        user = self._owner(request)
        return Response({"id": user.number, "login": user.login}) if user else Response({"message": "Bad"}, 401)

    def _emails(self, request: Request) -> Response:
        user = self._owner(request)
        if user is None:
            return Response({"message": "Fault credentials"}, 401)
        size, page = min(self.page, int(request.form.get("per_page", 30))), int(request.form.get("page", 1))
        shown = user.emails[(page - 1) * size : page * size]
        more = len(user.emails) > page * size
        # The link to the next page points elsewhere, where no token may be sent.
        link = {"Link": f'<{self.web.url}/elsewhere?page={page + 1}>; rel="next"'} if more else {}
        return Response(shown, headers=link)

    def _owner(self, request: Request) -> GitHubUser | None:
        return self._users.get(request.headers.get("Authorization", "").removeprefix("Bearer "))


def address(email: str, *, primary: bool = True, verified: bool = True) -> dict[str, Any]:
    """One address in the format of the API."""
    return {"email": email, "primary": primary, "verified": verified, "visibility": None}
