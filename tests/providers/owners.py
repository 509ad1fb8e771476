"""Owners who come by a provider, and the calls they make."""

from typing import Any
from uuid import uuid4

from tests.people import PASSWORD, People, Person
from tests.providers.github import GitHubUser, address
from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2, types_pb2

Credential = types_pb2.OidcCredential | types_pb2.GitHubCredential
BY_PASSWORD = types_pb2.Reauthentication(password=PASSWORD)


def somebody() -> str:
    """A subject that nobody had before."""
    return uuid4().hex[:12]


def some_user(**details: Any) -> GitHubUser:
    """A GitHub user that nobody was before."""
    number = uuid4().int % 10**15
    return GitHubUser(number, **({"emails": [address(f"{number}@provider.example")]} | details))


def member(credential: Credential) -> dict[str, Credential]:
    """The credential under the name that requests have for it."""
    return {"oidc" if isinstance(credential, types_pb2.OidcCredential) else "github": credential}


def proof(credential: Credential, code: str = "") -> types_pb2.Reauthentication:
    """A provider's sign-in as a re-authentication, with the app's code where that is wanted."""
    return types_pb2.Reauthentication(**member(credential), authenticator_code=code)  # type: ignore[arg-type]


async def create(people: People, credential: Credential, request_id: str = "") -> types_pb2.Account:
    """CreateAccount by an identity."""
    request = account_service_pb2.CreateAccountRequest(**member(credential), request_id=request_id)  # type: ignore[arg-type]
    return (await people.stubs.accounts.CreateAccount(request)).account


async def start(people: People, credential: Credential) -> sign_in_service_pb2.StartSignInResponse:
    """StartSignIn by an identity."""
    request = sign_in_service_pb2.StartSignInRequest(**member(credential), client=people.client)  # type: ignore[arg-type]
    return await people.stubs.sign_in.StartSignIn(request)


async def link(
    people: People,
    owner: Person,
    credential: Credential,
    given: types_pb2.Reauthentication = BY_PASSWORD,
    request_id: str = "",
) -> types_pb2.Identity:
    """LinkIdentity."""
    request = account_service_pb2.LinkIdentityRequest(
        session_token=owner.session_token,
        reauthentication=given,
        **member(credential),  # type: ignore[arg-type]
        request_id=request_id,
        client=people.client,
    )
    return (await people.stubs.accounts.LinkIdentity(request)).identity


async def unlink(
    people: People, owner: Person, identity_id: str, given: types_pb2.Reauthentication = BY_PASSWORD
) -> None:
    """UnlinkIdentity."""
    request = account_service_pb2.UnlinkIdentityRequest(
        session_token=owner.session_token, reauthentication=given, identity_id=identity_id, client=people.client
    )
    await people.stubs.accounts.UnlinkIdentity(request)


async def linked(people: People, owner: Person) -> list[types_pb2.Identity]:
    """ListIdentities."""
    request = account_service_pb2.ListIdentitiesRequest(session_token=owner.session_token)
    return list((await people.stubs.accounts.ListIdentities(request)).identities)


async def account_of(people: People, account_id: str) -> types_pb2.Account:
    """GetAccount."""
    request = account_service_pb2.GetAccountRequest(account_id=account_id)
    return (await people.stubs.accounts.GetAccount(request)).account


async def with_identity(people: People, subject: str) -> Person:
    """An account without a password, made by the identity of this subject, and signed in by it."""
    account = await create(people, people.openid.signed_in(subject))
    owner = Person(account.email, account.account_id)
    started = await start(people, people.openid.signed_in(subject))
    code = await people.mailbox.code(owner.email)
    owner.session_token = (await people.verify_email_code(started.challenge_token, code)).session_token
    return owner


async def set_up_app(people: People, owner: Person, subject: str) -> None:
    """An authenticator for an account that has only this identity."""
    request = two_factor_service_pb2.StartAuthenticatorSetupRequest(
        session_token=owner.session_token,
        reauthentication=proof(people.openid.signed_in(subject)),
        client=people.client,
    )
    started = await people.stubs.two_factor.StartAuthenticatorSetup(request)
    owner.secret = started.secret.replace(" ", "")
    confirmed = await people.confirm_setup(owner, started.setup_id, owner.code_at(people.clock.now))
    owner.backup_code, owner.generation = confirmed.backup_code.code, confirmed.backup_code.generation
