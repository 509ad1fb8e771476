"""Steps with identities at providers."""

from typing import Any
from uuid import uuid4

from tests.support.factories import PASSWORD, AccountFactory, Owner
from tests.support.providers.github import GitHubUser, address
from twofactor.v1 import types_pb2

Credential = types_pb2.OidcCredential | types_pb2.GitHubCredential
BY_PASSWORD = types_pb2.Reauthentication(password=PASSWORD)


def new_subject() -> str:
    """A subject that no identity has."""
    return uuid4().hex[:12]


def new_github_user(**details: Any) -> GitHubUser:
    """A GitHub user with a number that no other has."""
    number = uuid4().int % 10**15
    return GitHubUser(number, **({"emails": [address(f"{number}@provider.example")]} | details))


def credential_field(credential: Credential) -> dict[str, Any]:
    """The credential under the name of its field in requests."""
    return {"oidc" if isinstance(credential, types_pb2.OidcCredential) else "github": credential}


def proof_by(credential: Credential, code: str = "") -> types_pb2.Reauthentication:
    """A sign-in at the provider as a re-authentication, with the app's code if one is required."""
    return types_pb2.Reauthentication(**credential_field(credential), authenticator_code=code)


async def create_account_by(factory: AccountFactory, credential: Credential, request_id: str = "") -> types_pb2.Account:
    """Create an account by an identity."""
    created = await factory.rpc.CreateAccount(**credential_field(credential), request_id=request_id)
    account: types_pb2.Account = created.account
    return account


async def start_sign_in_by(factory: AccountFactory, credential: Credential) -> Any:
    """Start a sign-in by an identity."""
    return await factory.rpc.StartSignIn(**credential_field(credential))


async def link_identity(
    factory: AccountFactory,
    owner: Owner,
    credential: Credential,
    proof: types_pb2.Reauthentication = BY_PASSWORD,
    request_id: str = "",
) -> types_pb2.Identity:
    """Link an identity to the owner's account."""
    linked = await factory.rpc.LinkIdentity(
        session_token=owner.session_token,
        reauthentication=proof,
        **credential_field(credential),
        request_id=request_id,
    )
    identity: types_pb2.Identity = linked.identity
    return identity


async def unlink_identity(
    factory: AccountFactory, owner: Owner, identity_id: str, proof: types_pb2.Reauthentication = BY_PASSWORD
) -> None:
    """Unlink an identity from the owner's account."""
    await factory.rpc.UnlinkIdentity(session_token=owner.session_token, reauthentication=proof, identity_id=identity_id)


async def list_identities(factory: AccountFactory, owner: Owner) -> list[types_pb2.Identity]:
    """The identities that are linked to the owner's account."""
    return list((await factory.rpc.ListIdentities(session_token=owner.session_token)).identities)


async def account_with_identity(factory: AccountFactory, subject: str) -> Owner:
    """An account without a password, created by the identity of this subject, with a session that it opened."""
    account = await create_account_by(factory, factory.openid.signed_in(subject))
    owner = Owner(account.email, account.account_id)
    started = await start_sign_in_by(factory, factory.openid.signed_in(subject))
    code = await factory.mailbox.code(owner.email)
    signed_in = await factory.rpc.VerifyEmailCode(challenge_token=started.challenge_token, code=code)
    owner.session_token = signed_in.session_token
    return owner


async def set_up_authenticator_by(factory: AccountFactory, owner: Owner, subject: str) -> None:
    """Set up an authenticator, re-authenticated by the identity of this subject."""
    started = await factory.rpc.StartAuthenticatorSetup(
        session_token=owner.session_token, reauthentication=proof_by(factory.openid.signed_in(subject))
    )
    await factory.finish_setup(owner, started)
