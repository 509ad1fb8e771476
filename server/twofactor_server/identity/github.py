"""GitHub and GitHub Enterprise Server: OAuth 2 with PKCE. There is no ID token; two API requests replace it."""

from typing import Any

from twofactor_server.domain.identities import GITHUB, ProvenIdentity, ProviderCredential
from twofactor_server.identity.http import ProviderClient
from twofactor_server.identity.provider import Provider, code_rejected, unavailable

GITHUB_COM = "https://github.com"
_CODE_ERRORS = ("bad_verification_code", "redirect_uri_mismatch", "unverified_user_email", "invalid_grant")
MAX_PAGES = 10
"""Of e-mail addresses, 100 per page."""


class GitHubProvider(Provider):
    """``url`` is the base of GitHub's web pages. The access token is discarded at the end of each exchange."""

    def __init__(self, url: str, client_id: str, client_secret: str, redirect_uris: tuple[str, ...]) -> None:
        super().__init__(GITHUB, redirect_uris)
        self._url = url.rstrip("/")
        self._api = "https://api.github.com" if self._url == GITHUB_COM else f"{self._url}/api/v3"
        self._client_id = client_id
        self._client_secret = client_secret
        self._client = ProviderClient(GITHUB)

    async def exchange(self, credential: ProviderCredential, *, want_email: bool) -> ProvenIdentity:
        """The subject is the numeric user id; a login name can be transferred to another user."""
        access_token = await self._redeem(credential)
        headers = {"Authorization": f"Bearer {access_token}", "X-GitHub-Api-Version": "2022-11-28"}
        user = (await self._client.get(f"{self._api}/user", headers)).content
        user_id = user.get("id") if isinstance(user, dict) else None
        if not isinstance(user_id, int) or isinstance(user_id, bool) or user_id < 1:
            raise unavailable(self.name, "returned a user without a numeric id")
        email = await self._primary_email(headers) if want_email else None
        return ProvenIdentity(self.name, self._url, str(user_id), email)

    async def close(self) -> None:
        await self._client.close()

    async def _redeem(self, credential: ProviderCredential) -> str:
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code": credential.authorization_code,
            "redirect_uri": credential.redirect_uri,
            "code_verifier": credential.code_verifier,
        }
        response = await self._client.post(f"{self._url}/login/oauth/access_token", form)
        # GitHub also returns errors with status 200.
        content: Any = response.content if isinstance(response.content, dict) else {}
        if content.get("error") in _CODE_ERRORS:
            raise code_rejected()
        token = content.get("access_token")
        if response.status != 200 or "error" in content or not isinstance(token, str) or not token.isascii():
            raise unavailable(self.name, f"rejects this server's request (status {response.status})")
        return token

    async def _primary_email(self, headers: dict[str, str]) -> str | None:
        """The address that is both primary and verified. Pages are numbered; links in headers are not followed."""
        for page in range(1, MAX_PAGES + 1):
            response = await self._client.get(f"{self._api}/user/emails?per_page=100&page={page}", headers)
            if not isinstance(response.content, list):
                raise unavailable(self.name, "returned no list of e-mail addresses")
            for entry in response.content:
                if isinstance(entry, dict) and entry.get("primary") is True and entry.get("verified") is True:
                    email = entry.get("email")
                    return email if isinstance(email, str) else None
            if 'rel="next"' not in response.headers.get("link", ""):
                break
        return None
