"""Commands for linked identities: Google, GitHub and other providers."""

from twofactor.v1.account_service_pb2 import (
    LinkIdentityRequest,
    ListIdentitiesRequest,
    ListIdentitiesResponse,
    UnlinkIdentityRequest,
)
from twofactor_try.commands.command import CommandGroup, Output
from twofactor_try.commands.context import Context
from twofactor_try.commands.options import PROVIDER_NAMES, add_reauthentication_options
from twofactor_try.errors import CannotStartError
from twofactor_try.formatting import identity_lines


def register(commands: CommandGroup) -> None:
    link = commands.add_call("link", link_identity, "link an identity", "AccountService.LinkIdentity")
    link.add_argument("provider", metavar="PROVIDER", help=PROVIDER_NAMES)
    add_reauthentication_options(link)

    unlink = commands.add_call("unlink", unlink_identity, "unlink an identity", "AccountService.UnlinkIdentity")
    unlink.add_argument("which", metavar="IDENTITY", help="its id, or its provider's name")
    add_reauthentication_options(unlink)

    commands.add_call("identities", list_identities, "list the linked identities", "AccountService.ListIdentities")


def link_identity(context: Context) -> Output:
    # The re-authentication comes first: the authorization code must not expire while the user types a password.
    request = LinkIdentityRequest(
        session_token=context.session_token,
        reauthentication=context.reauthentication(),
        **context.provider_credential(context.options.provider),
    )
    response = context.rpc.call(context.rpc.accounts.LinkIdentity, request)
    return Output(response, ["The identity is linked.", *identity_lines(response.identity)])


def unlink_identity(context: Context) -> Output:
    which = context.options.which
    matches = [
        identity for identity in _identities(context).identities if which in (identity.identity_id, identity.provider)
    ]
    if len(matches) != 1:
        count = "No linked identity matches" if not matches else "More than one linked identity matches"
        raise CannotStartError(f"{count} {which}. Pass an id from `twofactor-try identities`.")
    request = UnlinkIdentityRequest(
        session_token=context.session_token,
        reauthentication=context.reauthentication(),
        identity_id=matches[0].identity_id,
    )
    response = context.rpc.call(context.rpc.accounts.UnlinkIdentity, request)
    return Output(response, [f"The {matches[0].provider} identity is unlinked. It no longer opens this account."])


def list_identities(context: Context) -> Output:
    response = _identities(context)
    lines = [line for identity in response.identities for line in identity_lines(identity)]
    return Output(response, lines or ["No identity is linked."])


def _identities(context: Context) -> ListIdentitiesResponse:
    request = ListIdentitiesRequest(session_token=context.session_token)
    return context.rpc.call(context.rpc.accounts.ListIdentities, request)
