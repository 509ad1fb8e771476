"""Scene: sign in with an identity provider. The demo itself acts as the provider, on this machine."""

import os
import urllib.request
from urllib.error import HTTPError

from twofactor.v1.account_service_pb2 import LinkIdentityRequest
from twofactor.v1.sign_in_service_pb2 import StartSignInRequest
from twofactor.v1.types_pb2 import SECOND_FACTOR_AUTHENTICATOR
from twofactor_client import TwoFactorError
from twofactor_try.demo.context import Demo, UnexpectedResponseError, expect
from twofactor_try.demo.openid_provider import OpenIdProvider
from twofactor_try.oauth import Credential, new_authorization_request
from twofactor_try.providers import Provider, find_loopback_provider


def sign_in_with_provider(demo: Demo) -> None:
    provider = find_loopback_provider(os.environ)
    if provider is None:
        demo.screen.note("Skipped: no provider on this machine is configured. The README shows how to add one.")
        return
    with OpenIdProvider(provider, demo.clock_offset):
        request = LinkIdentityRequest(
            session_token=demo.session_token,
            reauthentication=demo.reauthentication(),
            **_authorize(provider, demo.email),
        )
        try:
            linked = demo.rpc.call(demo.rpc.accounts.LinkIdentity, request).identity
        except TwoFactorError as error:
            if error.reason != "PROVIDER_NOT_CONFIGURED":
                raise
            demo.screen.note(
                f"Skipped: the server is not configured for the provider {provider.name}. Restart it with the settings "
                "of this environment."
            )
            return
        demo.screen.success(f"Linked the owner's {linked.provider} identity, after the password was confirmed again.")
        sign_in = StartSignInRequest(**_authorize(provider, demo.email))
        started = demo.rpc.call(demo.rpc.sign_in.StartSignIn, sign_in)
    expect(started.challenge.second_factor == SECOND_FACTOR_AUTHENTICATOR, "no second factor is required")
    expect(started.challenge.backup_code_accepted, "the backup code is not accepted")
    response = demo.use_backup_code(started.challenge_token, demo.backup_code.code)
    demo.save(response.new_backup_code, response.session_token)
    demo.provider_notices = 2
    demo.screen.success(
        f"Signed in with {linked.provider} and the backup code: the provider does not replace the second factor."
    )
    demo.check(
        "Sign in with your password (or Google/GitHub). On the “Verify It's You” screen, choose … a backup code.",
        "a provider, then the code",
        "signed in",
        passed="pwd" not in response.session.methods,
    )


def _authorize(provider: Provider, email: str) -> Credential:
    """What a browser does: open the provider's page, sign in, and return with the redirect."""
    request = new_authorization_request(provider, login_hint=email)
    opener = urllib.request.build_opener(_IgnoreRedirects)
    try:
        opener.open(request.url, timeout=10)
    except HTTPError as redirect:
        return request.credential(redirect.headers.get("Location", ""))
    raise UnexpectedResponseError("the demo's own provider did not redirect")


class _IgnoreRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Only the redirect's URL is needed; nothing listens there."""
