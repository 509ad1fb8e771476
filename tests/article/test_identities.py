"""Google, GitHub and others as a first factor: an identity opens the account that it was linked to, and no other."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.article.steps import sign_in_by_app
from tests.conftest import Refusing
from tests.people import PASSWORD, People
from tests.providers.github import GitHubUser, address
from tests.providers.owners import (
    Credential,
    account_of,
    create,
    link,
    linked,
    set_up_app,
    some_user,
    somebody,
    start,
    unlink,
    with_identity,
)
from tests.security.tables import audit, of_account, query, rows
from twofactor.v1 import account_service_pb2, types_pb2
from twofactor_server.postgres import EmbeddedPostgres

KINDS = ("oidc", "github")


def signed_in(people: People, kind: str, who: str) -> Credential:
    """A sign-in at the provider by the person of this name."""
    if kind == "oidc":
        return people.openid.signed_in(who)
    return people.github.signed_in(GitHubUser(int(who, 16), emails=[address(f"{who}@provider.example")]))


@pytest.mark.parametrize("kind", KINDS)
async def test_an_account_is_made_by_an_identity(people: People, postgres: EmbeddedPostgres, kind: str) -> None:
    """ "The provider's verified address becomes the account's", verified; no password; the second factor is asked."""
    who = somebody()
    account = await create(people, signed_in(people, kind, who))
    assert (account.email, account.email_verified, account.has_password) == (f"{who}@provider.example", True, False)
    assert list(account.linked_providers) == [people.openid.name if kind == "oidc" else "github"]
    started = await start(people, signed_in(people, kind, who))
    assert started.challenge.second_factor == types_pb2.SECOND_FACTOR_EMAIL_CODE
    done = await people.verify_email_code(started.challenge_token, await people.mailbox.code(account.email))
    # GitHub and Google say nothing that RFC 8176 has a word for, and never count as a second factor.
    assert list(done.session.methods) == ["otp", "urn:twofactor:email"]
    events = [(row["action"], row["outcome"], row["factor"]) for row in await audit(postgres.url, account.account_id)]
    assert ("create_account", "success", kind) in events
    assert ("start_sign_in", "success", kind) in events


async def test_the_second_factor_is_asked_of_an_account_with_an_app(people: People) -> None:
    who = somebody()
    owner = await with_identity(people, who)
    await set_up_app(people, owner, who)
    started = await start(people, people.openid.signed_in(who))
    assert started.challenge.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    done = await people.use_backup_code(started.challenge_token, owner.backup_code)
    assert list(done.session.methods) == ["otp", "urn:twofactor:backup", "mfa"]


async def test_the_same_call_makes_one_account(people: People, refused: Refusing) -> None:
    """Repeated with its request_id and code it answers the same account, and asks nobody: the code is spent."""
    who, request_id = somebody(), str(uuid4())
    credential = people.openid.signed_in(who)
    made = await create(people, credential, request_id)
    asked = people.openid.web.seen.total()
    assert await create(people, credential, request_id) == made
    assert people.openid.web.seen.total() == asked
    with refused("REQUEST_ID_REUSED"):
        await create(people, people.openid.signed_in(who), request_id)
    with refused("REQUEST_ID_REUSED"):
        await people.stubs.accounts.CreateAccount(
            account_service_pb2.CreateAccountRequest(email=made.email, password=PASSWORD, request_id=request_id)
        )
    with refused("CREDENTIALS_MISMATCH"):
        await create(people, credential)
    by_address = account_service_pb2.CreateAccountRequest(email=f"{somebody()}@example.test", request_id=str(uuid4()))
    await people.stubs.accounts.CreateAccount(by_address)
    with refused("REQUEST_ID_REUSED"):
        await create(people, people.openid.signed_in(somebody()), by_address.request_id)


async def test_an_identity_and_an_address_make_one_account_each(people: People, refused: Refusing) -> None:
    who, other = somebody(), await people.with_account()
    await create(people, people.openid.signed_in(who))
    with refused("IDENTITY_TAKEN"):
        await create(people, people.openid.signed_in(who))
    with refused("IDENTITY_TAKEN"):
        await create(people, people.openid.signed_in(who, f"{somebody()}@provider.example"))
    with refused("EMAIL_TAKEN") as said:
        await create(people, people.openid.signed_in(somebody(), other.email.upper()))
    assert said[0].fields == ("oidc",)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_address_that_the_provider_has_not_verified(people: People, refused: Refusing, kind: str) -> None:
    """INVALID_FIELD naming the credential, for a new account; whoever is linked already signs in all the same."""
    who = somebody()
    unverified: Credential
    if kind == "oidc":
        unverified = people.openid.signed_in(who, email_verified=False)
    else:
        unverified = people.github.signed_in(some_user(emails=[address("x@provider.example", verified=False)]))
    with refused("INVALID_FIELD") as said:
        await create(people, unverified)
    assert said[0].fields == (kind,)
    account = await create(people, people.openid.signed_in(who))
    started = await start(people, people.openid.signed_in(who, email_verified=False))
    assert started.challenge.masked_email.endswith(account.email.rpartition("@")[2])


async def test_an_address_that_is_none(people: People, refused: Refusing) -> None:
    """Whatever a provider calls verified."""
    for email in ("nobody", "a@b\r\nBcc: c@d", f"{'x' * 250}@provider.example", "a@b\0"):
        with refused("INVALID_FIELD") as said:
            await create(people, people.openid.signed_in(somebody(), email))
        assert said[0].fields == ("oidc",)


async def test_nothing_is_linked_for_the_sake_of_an_address(people: People, refused: Refusing) -> None:
    """Somebody registers another's address, here with a password or there with a provider: neither inherits the other's
    account, whatever is verified."""
    owner = await people.signed_in()
    assert (await account_of(people, owner.account_id)).email_verified
    with refused("IDENTITY_NOT_LINKED"):
        await start(people, people.openid.signed_in(somebody(), owner.email))
    with refused("IDENTITY_NOT_LINKED"):
        await start(people, people.github.signed_in(some_user(emails=[address(owner.email)])))
    with refused("EMAIL_TAKEN"):
        await create(people, people.openid.signed_in(somebody(), owner.email))
    assert not (await account_of(people, owner.account_id)).linked_providers


async def test_the_same_subject_elsewhere_is_somebody_else(people: People, refused: Refusing) -> None:
    """An identity is issuer and subject: GitHub's number 7 is not the OpenID provider's subject "7"."""
    user = some_user()
    await create(people, people.github.signed_in(user))
    with refused("IDENTITY_NOT_LINKED"):
        await start(people, people.openid.signed_in(str(user.number)))


async def test_a_login_name_may_change(people: People, refused: Refusing) -> None:
    user = some_user(login="mia")
    await create(people, people.github.signed_in(user))
    await start(people, people.github.signed_in(GitHubUser(user.number, "maria", [])))
    with refused("IDENTITY_NOT_LINKED"):
        await start(people, people.github.signed_in(some_user(login="mia")))


async def test_a_code_opens_one_challenge(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """Used again, or with another sign-in's verifier or nonce, it is refused, and nothing is left of it."""
    who = somebody()
    account = await create(people, people.openid.signed_in(who))
    spent = people.openid.signed_in(who)
    await start(people, spent)
    before = await of_account(postgres.url, account.account_id)
    for credential in (
        spent,
        people.openid.credential(people.openid.grant(who), code_verifier="v" * 43),
        people.openid.credential(people.openid.grant(who), nonce="another session's"),
        people.openid.credential(people.openid.grant(who), redirect_uri=people.openid.loopback_uri),
    ):
        with refused("CREDENTIALS_MISMATCH"):
            await start(people, credential)
    assert await of_account(postgres.url, account.account_id) == before


async def test_identities_are_linked_and_listed(people: People, refused: Refusing) -> None:
    """As more first factors of one account, whatever their addresses. Linked again it is the same link, told once."""
    owner, who, user = await people.signed_in(), somebody(), some_user()
    first = await link(people, owner, people.openid.signed_in(who, "Elsewhere@Provider.example"))
    assert (first.provider, first.email) == (people.openid.name, "elsewhere@provider.example")
    people.clock.advance(timedelta(seconds=1))
    second = await link(people, owner, people.github.signed_in(user))
    assert await link(people, owner, people.openid.signed_in(who)) == first
    assert await linked(people, owner) == [first, second]
    assert list((await account_of(people, owner.account_id)).linked_providers) == ["example", "github"]
    assert (await account_of(people, owner.account_id)).email == owner.email
    for credential in (people.openid.signed_in(who), people.github.signed_in(user)):
        await start(people, credential)
    await people.mailbox.wait_for(owner.email, "identity-linked", 2)
    assert len(people.mailbox.to(owner.email, "identity-linked")) == 2
    other = await people.signed_in()
    with refused("IDENTITY_TAKEN"):
        await link(people, other, people.openid.signed_in(who))
    assert await linked(people, other) == []


async def test_linking_is_replayed(people: People, refused: Refusing) -> None:
    """The same call answers the same link and asks nobody, also once it is unlinked; other content is another call."""
    owner, request_id = await people.signed_in(), str(uuid4())
    credential = people.openid.signed_in(somebody())
    made = await link(people, owner, credential, request_id=request_id)
    asked = people.openid.web.seen.total()
    wrong = types_pb2.Reauthentication(password="not looked at")
    assert await link(people, owner, credential, wrong, request_id) == made
    assert people.openid.web.seen.total() == asked
    with refused("REQUEST_ID_REUSED"):
        await link(people, owner, people.openid.signed_in(somebody()), request_id=request_id)


async def test_an_identity_without_an_address_can_be_linked(people: People) -> None:
    owner = await people.signed_in()
    made = await link(people, owner, people.github.signed_in(some_user(emails=[])))
    assert made.email == ""


async def test_an_unlinked_identity_opens_nothing(people: People, refused: Refusing) -> None:
    """The challenges that it had begun are void, and it is free for another account. Unlinked twice is fine."""
    owner, who = await people.signed_in(), somebody()
    made = await link(people, owner, people.openid.signed_in(who))
    begun = await start(people, people.openid.signed_in(who))
    by_password = await people.challenge_for(owner)
    for _ in range(2):
        await unlink(people, owner, made.identity_id)
    assert (await people.challenge(begun.challenge_token)).state == types_pb2.CHALLENGE_STATE_EXPIRED
    assert (await people.challenge(by_password)).state == types_pb2.CHALLENGE_STATE_OPEN
    with refused("IDENTITY_NOT_LINKED"):
        await start(people, people.openid.signed_in(who))
    assert await linked(people, owner) == []
    await people.mailbox.wait_for(owner.email, "identity-unlinked")
    assert len(people.mailbox.to(owner.email, "identity-unlinked")) == 1
    await create(people, people.openid.signed_in(who))


async def test_another_accounts_identity_is_an_unknown_one(people: People) -> None:
    owner, other = await people.signed_in(), await people.signed_in()
    made = await link(people, owner, people.openid.signed_in(somebody()))
    await unlink(people, other, made.identity_id)
    assert await linked(people, owner) == [made]


async def test_the_last_way_in_stays(people: People, refused: Refusing) -> None:
    """The only identity of an account without a password; with a second one, either may go."""
    who, user = somebody(), some_user()
    owner = await with_identity(people, who)
    (only,) = await linked(people, owner)
    for _ in range(7):
        # Refused, and no guess: the session lives on.
        with refused("LAST_WAY_IN"):
            await unlink(people, owner, only.identity_id, proof_of(people, who))
    await link(people, owner, people.github.signed_in(user), proof_of(people, who))
    await unlink(people, owner, only.identity_id, proof_of(people, who))
    assert [one.provider for one in await linked(people, owner)] == ["github"]


def proof_of(people: People, who: str) -> types_pb2.Reauthentication:
    """The linked identity, exchanged now."""
    return types_pb2.Reauthentication(oidc=people.openid.signed_in(who))


async def test_a_closed_account_is_an_unknown_one(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """Even if its identity were still its own."""
    who = somebody()
    account = await create(people, people.openid.signed_in(who))
    close = "UPDATE accounts SET close_time = now() WHERE account_id = $1::text::uuid"
    await query(postgres.url, close, account.account_id)
    with refused("IDENTITY_NOT_LINKED"):
        await start(people, people.openid.signed_in(who))


async def test_nothing_secret_is_kept_of_an_exchange(people: People, postgres: EmbeddedPostgres) -> None:
    """Neither codes nor verifiers, in whatever table, and no token at all."""
    owner = await people.with_authenticator()
    grants = [people.openid.grant(somebody()) for _ in range(2)]
    await link(people, owner, people.openid.credential(grants[0]), request_id=str(uuid4()))
    await create(people, people.openid.credential(grants[1]), str(uuid4()))
    await sign_in_by_app(people, owner)
    account = await rows(postgres.url, "account_creations", owner.account_id)
    content = str([await of_account(postgres.url, owner.account_id), account])
    content += str([dict(row) for row in await query(postgres.url, "SELECT * FROM audit_events, account_creations")])
    for grant in grants:
        for secret in (grant.code, grant.verifier, grant.nonce):
            assert secret not in content
    assert "eyJ" not in content
