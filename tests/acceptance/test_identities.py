"""Identities at Google, GitHub and other providers as a first factor: each opens the one account it is linked to."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.support.clock import Clock
from tests.support.factories import PASSWORD, AccountFactory
from tests.support.identity_steps import (
    Credential,
    account_with_identity,
    create_account_by,
    link_identity,
    list_identities,
    new_github_user,
    new_subject,
    set_up_authenticator_by,
    start_sign_in_by,
    unlink_identity,
)
from tests.support.mailbox import Mailbox
from tests.support.providers.github import GitHubUser, address
from tests.support.rpc import Rpc, refused
from tests.support.steps import sign_in_by_app
from tests.support.tables import audit, of_account, query, rows
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

KINDS = ("oidc", "github")


def credential_of(factory: AccountFactory, kind: str, who: str) -> Credential:
    """A sign-in at the provider by this subject."""
    if kind == "oidc":
        return factory.openid.signed_in(who)
    return factory.github.signed_in(GitHubUser(int(who, 16), emails=[address(f"{who}@provider.example")]))


@pytest.mark.parametrize("kind", KINDS)
async def test_creating_an_account_by_an_identity(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, postgres: EmbeddedPostgres, kind: str
) -> None:
    """ "The provider's verified address becomes the account's", verified. There is no password, and the second factor
    is required."""
    who = new_subject()
    account = await create_account_by(factory, credential_of(factory, kind, who))
    assert (account.email, account.email_verified, account.has_password) == (f"{who}@provider.example", True, False)
    assert list(account.linked_providers) == [factory.openid.name if kind == "oidc" else "github"]
    started = await start_sign_in_by(factory, credential_of(factory, kind, who))
    assert started.challenge.second_factor == types_pb2.SECOND_FACTOR_EMAIL_CODE
    done = await rpc.VerifyEmailCode(challenge_token=started.challenge_token, code=await mailbox.code(account.email))
    # The providers report no method of RFC 8176, and never count as a second factor.
    assert list(done.session.methods) == ["otp", "urn:twofactor:email"]
    events = [(row["action"], row["outcome"], row["factor"]) for row in await audit(postgres.url, account.account_id)]
    assert ("create_account", "success", kind) in events
    assert ("start_sign_in", "success", kind) in events


async def test_an_identity_does_not_replace_the_authenticator(factory: AccountFactory, rpc: Rpc) -> None:
    who = new_subject()
    owner = await account_with_identity(factory, who)
    await set_up_authenticator_by(factory, owner, who)
    started = await start_sign_in_by(factory, factory.openid.signed_in(who))
    assert started.challenge.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    done = await rpc.UseBackupCode(challenge_token=started.challenge_token, backup_code=owner.backup_code)
    assert list(done.session.methods) == ["otp", "urn:twofactor:backup", "mfa"]


async def test_a_retried_creation_creates_one_account(factory: AccountFactory, rpc: Rpc) -> None:
    """A retry with the request_id and code returns the same account and does not ask the provider, because the code is
    spent."""
    who, request_id = new_subject(), str(uuid4())
    credential = factory.openid.signed_in(who)
    made = await create_account_by(factory, credential, request_id)
    requests = factory.openid.web.seen.total()
    assert await create_account_by(factory, credential, request_id) == made
    assert factory.openid.web.seen.total() == requests
    with refused("REQUEST_ID_REUSED"):
        await create_account_by(factory, factory.openid.signed_in(who), request_id)
    with refused("REQUEST_ID_REUSED"):
        await rpc.CreateAccount(email=made.email, password=PASSWORD, request_id=request_id)
    with refused("CREDENTIALS_MISMATCH"):
        await create_account_by(factory, credential)
    by_address = dict(email=f"{new_subject()}@example.test", request_id=str(uuid4()))
    await rpc.CreateAccount(**by_address)
    with refused("REQUEST_ID_REUSED"):
        await create_account_by(factory, factory.openid.signed_in(new_subject()), by_address["request_id"])


async def test_identities_and_addresses_are_unique(factory: AccountFactory) -> None:
    who, other = new_subject(), await factory.account()
    await create_account_by(factory, factory.openid.signed_in(who))
    with refused("IDENTITY_TAKEN"):
        await create_account_by(factory, factory.openid.signed_in(who))
    with refused("IDENTITY_TAKEN"):
        await create_account_by(factory, factory.openid.signed_in(who, f"{new_subject()}@provider.example"))
    with refused("EMAIL_TAKEN") as refusal:
        await create_account_by(factory, factory.openid.signed_in(new_subject(), other.email.upper()))
    assert refusal.value.fields == ("oidc",)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_unverified_address(factory: AccountFactory, kind: str) -> None:
    """A new account is refused with INVALID_FIELD that names the credential; a linked identity still signs in."""
    who = new_subject()
    unverified: Credential
    if kind == "oidc":
        unverified = factory.openid.signed_in(who, email_verified=False)
    else:
        unverified = factory.github.signed_in(new_github_user(emails=[address("x@provider.example", verified=False)]))
    with refused("INVALID_FIELD") as refusal:
        await create_account_by(factory, unverified)
    assert refusal.value.fields == (kind,)
    account = await create_account_by(factory, factory.openid.signed_in(who))
    started = await start_sign_in_by(factory, factory.openid.signed_in(who, email_verified=False))
    assert started.challenge.masked_email.endswith(account.email.rpartition("@")[2])


async def test_a_malformed_address(factory: AccountFactory) -> None:
    """Even if the provider calls it verified."""
    for email in ("nobody", "a@b\r\nBcc: c@d", f"{'x' * 250}@provider.example", "a@b\0"):
        with refused("INVALID_FIELD") as refusal:
            await create_account_by(factory, factory.openid.signed_in(new_subject(), email))
        assert refusal.value.fields == ("oidc",)


async def test_accounts_are_never_linked_by_address(factory: AccountFactory, rpc: Rpc) -> None:
    """Two accounts with the same address, here by password or at a provider, never share anything, verified or not."""
    owner = await factory.signed_in_account()
    assert (await rpc.GetAccount(account_id=owner.account_id)).account.email_verified
    with refused("IDENTITY_NOT_LINKED"):
        await start_sign_in_by(factory, factory.openid.signed_in(new_subject(), owner.email))
    with refused("IDENTITY_NOT_LINKED"):
        await start_sign_in_by(factory, factory.github.signed_in(new_github_user(emails=[address(owner.email)])))
    with refused("EMAIL_TAKEN"):
        await create_account_by(factory, factory.openid.signed_in(new_subject(), owner.email))
    assert not (await rpc.GetAccount(account_id=owner.account_id)).account.linked_providers


async def test_a_subject_belongs_to_its_issuer(factory: AccountFactory) -> None:
    """GitHub's user 7 is not the OpenID provider's subject "7"."""
    user = new_github_user()
    await create_account_by(factory, factory.github.signed_in(user))
    with refused("IDENTITY_NOT_LINKED"):
        await start_sign_in_by(factory, factory.openid.signed_in(str(user.number)))


async def test_a_github_login_may_change(factory: AccountFactory) -> None:
    user = new_github_user(login="mia")
    await create_account_by(factory, factory.github.signed_in(user))
    await start_sign_in_by(factory, factory.github.signed_in(GitHubUser(user.number, "maria", [])))
    with refused("IDENTITY_NOT_LINKED"):
        await start_sign_in_by(factory, factory.github.signed_in(new_github_user(login="mia")))


async def test_an_authorization_code_is_used_once(factory: AccountFactory, postgres: EmbeddedPostgres) -> None:
    """Used again, or with another sign-in's verifier or nonce, it is refused and leaves nothing behind."""
    who = new_subject()
    account = await create_account_by(factory, factory.openid.signed_in(who))
    spent = factory.openid.signed_in(who)
    await start_sign_in_by(factory, spent)
    before = await of_account(postgres.url, account.account_id)
    for credential in (
        spent,
        factory.openid.credential(factory.openid.grant(who), code_verifier="v" * 43),
        factory.openid.credential(factory.openid.grant(who), nonce="another session's"),
        factory.openid.credential(factory.openid.grant(who), redirect_uri=factory.openid.loopback_uri),
    ):
        with refused("CREDENTIALS_MISMATCH"):
            await start_sign_in_by(factory, credential)
    assert await of_account(postgres.url, account.account_id) == before


async def test_linking_and_listing_identities(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock
) -> None:
    """Several identities with any addresses open one account. Linking again returns the same link, with one e-mail."""
    owner, who, user = await factory.signed_in_account(), new_subject(), new_github_user()
    first = await link_identity(factory, owner, factory.openid.signed_in(who, "Elsewhere@Provider.example"))
    assert (first.provider, first.email) == (factory.openid.name, "elsewhere@provider.example")
    clock.advance(timedelta(seconds=1))
    second = await link_identity(factory, owner, factory.github.signed_in(user))
    assert await link_identity(factory, owner, factory.openid.signed_in(who)) == first
    assert await list_identities(factory, owner) == [first, second]
    assert list((await rpc.GetAccount(account_id=owner.account_id)).account.linked_providers) == ["example", "github"]
    assert (await rpc.GetAccount(account_id=owner.account_id)).account.email == owner.email
    for credential in (factory.openid.signed_in(who), factory.github.signed_in(user)):
        await start_sign_in_by(factory, credential)
    await mailbox.wait_for(owner.email, "identity-linked", 2)
    assert len(mailbox.to(owner.email, "identity-linked")) == 2
    other = await factory.signed_in_account()
    with refused("IDENTITY_TAKEN"):
        await link_identity(factory, other, factory.openid.signed_in(who))
    assert await list_identities(factory, other) == []


async def test_a_retried_link_is_replayed(factory: AccountFactory) -> None:
    """The same call returns the same link without asking the provider, also after it was unlinked. Other content is
    REQUEST_ID_REUSED."""
    owner, request_id = await factory.signed_in_account(), str(uuid4())
    credential = factory.openid.signed_in(new_subject())
    made = await link_identity(factory, owner, credential, request_id=request_id)
    requests = factory.openid.web.seen.total()
    wrong = types_pb2.Reauthentication(password="not looked at")
    assert await link_identity(factory, owner, credential, wrong, request_id) == made
    assert factory.openid.web.seen.total() == requests
    with refused("REQUEST_ID_REUSED"):
        await link_identity(factory, owner, factory.openid.signed_in(new_subject()), request_id=request_id)


async def test_an_identity_without_an_address_can_be_linked(factory: AccountFactory) -> None:
    owner = await factory.signed_in_account()
    made = await link_identity(factory, owner, factory.github.signed_in(new_github_user(emails=[])))
    assert made.email == ""


async def test_an_unlinked_identity_does_not_sign_in(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """Its open challenges are void, and another account can link it. Unlinking twice succeeds."""
    owner, who = await factory.signed_in_account(), new_subject()
    made = await link_identity(factory, owner, factory.openid.signed_in(who))
    begun = await start_sign_in_by(factory, factory.openid.signed_in(who))
    by_password = await factory.challenge_for(owner)
    for _ in range(2):
        await unlink_identity(factory, owner, made.identity_id)
    assert (
        await rpc.GetChallenge(challenge_token=begun.challenge_token)
    ).challenge.state == types_pb2.CHALLENGE_STATE_EXPIRED
    assert (await rpc.GetChallenge(challenge_token=by_password)).challenge.state == types_pb2.CHALLENGE_STATE_OPEN
    with refused("IDENTITY_NOT_LINKED"):
        await start_sign_in_by(factory, factory.openid.signed_in(who))
    assert await list_identities(factory, owner) == []
    await mailbox.wait_for(owner.email, "identity-unlinked")
    assert len(mailbox.to(owner.email, "identity-unlinked")) == 1
    await create_account_by(factory, factory.openid.signed_in(who))


async def test_unlinking_another_accounts_identity_changes_nothing(factory: AccountFactory) -> None:
    owner, other = await factory.signed_in_account(), await factory.signed_in_account()
    made = await link_identity(factory, owner, factory.openid.signed_in(new_subject()))
    await unlink_identity(factory, other, made.identity_id)
    assert await list_identities(factory, owner) == [made]


async def test_the_last_first_factor_cannot_be_unlinked(factory: AccountFactory) -> None:
    """The only identity of an account without a password; if there are two, either can be unlinked."""
    who, user = new_subject(), new_github_user()
    owner = await account_with_identity(factory, who)
    (only,) = await list_identities(factory, owner)
    for _ in range(7):
        # The refusal is not a guess: the session stays live.
        with refused("LAST_WAY_IN"):
            await unlink_identity(factory, owner, only.identity_id, proof_of(factory, who))
    await link_identity(factory, owner, factory.github.signed_in(user), proof_of(factory, who))
    await unlink_identity(factory, owner, only.identity_id, proof_of(factory, who))
    assert [one.provider for one in await list_identities(factory, owner)] == ["github"]


def proof_of(factory: AccountFactory, who: str) -> types_pb2.Reauthentication:
    """A re-authentication by the linked identity."""
    return types_pb2.Reauthentication(oidc=factory.openid.signed_in(who))


async def test_an_identity_of_a_closed_account_is_not_linked(
    factory: AccountFactory, postgres: EmbeddedPostgres
) -> None:
    """Even if the database still linked it."""
    who = new_subject()
    account = await create_account_by(factory, factory.openid.signed_in(who))
    close = "UPDATE accounts SET close_time = now() WHERE account_id = $1::text::uuid"
    await query(postgres.url, close, account.account_id)
    with refused("IDENTITY_NOT_LINKED"):
        await start_sign_in_by(factory, factory.openid.signed_in(who))


async def test_exchanges_leave_no_secrets_in_the_database(factory: AccountFactory, postgres: EmbeddedPostgres) -> None:
    """No codes, verifiers or tokens in any table."""
    owner = await factory.account_with_authenticator()
    grants = [factory.openid.grant(new_subject()) for _ in range(2)]
    await link_identity(factory, owner, factory.openid.credential(grants[0]), request_id=str(uuid4()))
    await create_account_by(factory, factory.openid.credential(grants[1]), str(uuid4()))
    await sign_in_by_app(factory, owner)
    account = await rows(postgres.url, "account_creations", owner.account_id)
    content = str([await of_account(postgres.url, owner.account_id), account])
    content += str([dict(row) for row in await query(postgres.url, "SELECT * FROM audit_events, account_creations")])
    for grant in grants:
        for secret in (grant.code, grant.verifier, grant.nonce):
            assert secret not in content
    assert "eyJ" not in content
