"""The first factor that is no password: a sign-in at a provider, which the walk plays on this machine."""

import os
import urllib.request
from urllib.error import HTTPError

from twofactor.v1.types_pb2 import SECOND_FACTOR_AUTHENTICATOR
from twofactor_try.authorization import ProviderCredential, begin
from twofactor_try.demo.openid_server import OpenIdServer
from twofactor_try.demo.walk import UnexpectedAnswerError, Walk, ensure
from twofactor_try.providers import Provider, on_this_machine
from twofactor_try.refusals import Refused


def sign_in_with_a_provider(walk: Walk) -> None:
    known = on_this_machine(os.environ)
    if known is None:
        walk.screen.aside("No provider on this machine is configured, so nobody signs in with one here. The README")
        walk.screen.aside("says how to start server and demo with one.")
        return
    with OpenIdServer(known, walk.clock_lead):
        try:
            linked = walk.contract.link_identity(walk.session_token, walk.proof(), _signed_in(known, walk))
        except Refused as refusal:
            if refusal.reason != "PROVIDER_NOT_CONFIGURED":
                raise
            walk.screen.aside(
                f"The running server does not know the provider {known.name}, so nobody signs in with it."
            )
            return
        walk.screen.done(f"Linked the owner's {linked.provider} account, for the password.")
        started = walk.contract.start_sign_in(_signed_in(known, walk))
    ensure(started.challenge.second_factor == SECOND_FACTOR_AUTHENTICATOR, "a provider's sign-in was enough")
    ensure(started.challenge.backup_code_accepted, "the backup code is not offered")
    answer = walk.contract.use_backup_code(started.challenge_token, walk.backup_code.code)
    walk.save(answer.new_backup_code, answer.session_token)
    walk.more_notices = 2
    walk.screen.done(f"Signed in with {linked.provider}: “Verify It's You” came all the same; the backup code did it.")
    walk.promise(
        "Sign in with your password (or Google/GitHub). On the “Verify It's You” screen, choose … a backup code.",
        "a provider, then the code",
        "signed in",
        kept="pwd" not in answer.session.methods,
    )


def _signed_in(known: Provider, walk: Walk) -> ProviderCredential:
    """What a browser does: open the provider's page, sign in, and be sent back."""
    authorization = begin(known, hint=walk.email)
    opener = urllib.request.build_opener(_Stay)
    try:
        opener.open(authorization.url, timeout=10)
    except HTTPError as redirect:
        return authorization.credential(redirect.headers.get("Location", ""))
    raise UnexpectedAnswerError("the walk's own provider signed nobody in")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Nobody listens where the redirect leads: its address is all that is wanted."""
