"""GitHub, and GitHub Enterprise Server: OAuth 2 with PKCE, and two questions to its API. It gives no ID token."""

from typing import Any

from twofactor_server.domain.identities import GITHUB, ProvenIdentity, ProviderCredential
from twofactor_server.identity.asking import Asking
from twofactor_server.identity.failures import refused, unavailable
from twofactor_server.identity.provider import Provider

GITHUB_COM = "https://github.com"
_REFUSED = ("bad_verification_code", "redirect_uri_mismatch", "unverified_user_email", "invalid_grant")
PAGES = 10
"""Of addresses, a hundred on each: more than anybody has."""


class GitHubProvider(Provider):
    """One GitHub. The access token is used for the two questions, and forgotten with the call."""

    def __init__(self, url: str, client_id: str, client_secret: str, redirect_uris: tuple[str, ...]) -> None:
        super().__init__(GITHUB, redirect_uris)
        self._url = url.rstrip("/")
        self._api = "https://api.github.com" if self._url == GITHUB_COM else f"{self._url}/api/v3"
        self._client_id = client_id
        self._client_secret = client_secret
        self._asking = Asking(GITHUB)

    async def ask(self, credential: ProviderCredential, *, want_email: bool) -> ProvenIdentity:
        """Exchange the code, and ask whose token that is. The numeric id counts; a login name can be given away."""
        headers = {"Authorization": f"Bearer {await self._exchange(credential)}", "X-GitHub-Api-Version": "2022-11-28"}
        user = (await self._asking.get(f"{self._api}/user", headers)).content
        number = user.get("id") if isinstance(user, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise unavailable(self.name, "told of a user without a number")
        email = await self._primary_email(headers) if want_email else None
        return ProvenIdentity(self.name, self._url, str(number), email)

    async def close(self) -> None:
        """Close the connections."""
        await self._asking.close()

    async def _exchange(self, credential: ProviderCredential) -> str:
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code": credential.authorization_code,
            "redirect_uri": credential.redirect_uri,
            "code_verifier": credential.code_verifier,
        }
        answer = await self._asking.post(f"{self._url}/login/oauth/access_token", form)
        # GitHub answers an error with status 200, too.
        said: Any = answer.content if isinstance(answer.content, dict) else {}
        if said.get("error") in _REFUSED:
            raise refused()
        token = said.get("access_token")
        if answer.status != 200 or "error" in said or not isinstance(token, str) or not token.isascii():
            raise unavailable(self.name, f"refuses this server, not the code (status {answer.status})")
        return token

    async def _primary_email(self, headers: dict[str, str]) -> str | None:
        """The address that is both primary and verified. Pages are counted, not followed to where a header points."""
        for page in range(1, PAGES + 1):
            answer = await self._asking.get(f"{self._api}/user/emails?per_page=100&page={page}", headers)
            if not isinstance(answer.content, list):
                raise unavailable(self.name, "told of no list of addresses")
            for one in answer.content:
                if isinstance(one, dict) and one.get("primary") is True and one.get("verified") is True:
                    email = one.get("email")
                    return email if isinstance(email, str) else None
            if 'rel="next"' not in answer.headers.get("link", ""):
                break
        return None
