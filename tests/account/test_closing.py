"""An account that is closed looks like one that never was, and nothing in it opens anything."""

from uuid import uuid4

import grpc
import pytest

from tests.account.steps import (
    account,
    change_email,
    change_link,
    close_account,
    confirm_email,
    move_to,
    report,
    unused_address,
)
from tests.article.steps import STEP, sign_in_by_backup_code, sign_in_by_mail, vouched_challenge
from tests.conftest import Refusing
from tests.people import PASSWORD, People, Person
from tests.providers.owners import create, somebody
from tests.refusals import Refused, refusal
from tests.security.tables import audit, query, rows
from twofactor.v1 import account_service_pb2, types_pb2
from twofactor_server.postgres import EmbeddedPostgres

NOBODY = "00000000-0000-4000-8000-000000000000"


async def close_by_id(people: People, account_id: str) -> None:
    """CloseAccount by a provisioning caller's right."""
    request = account_service_pb2.CloseAccountRequest(account_id=account_id, client=people.client)
    await people.stubs.accounts.CloseAccount(request)


async def full(people: People, postgres: EmbeddedPostgres) -> Person:
    """An account that has one of everything."""
    owner = await people.with_authenticator()
    await sign_in_by_backup_code(people, owner, "0f7d0b52-7c39-4a3c-9f44-3b8f0e4ad001")
    await people.start_setup(owner)
    await change_email(people, owner, unused_address())
    for statement in (
        "INSERT INTO identities "
        "VALUES ($1::text::uuid, gen_random_uuid(), 'google', 'https://idp.example', $1::text, '', now())",
        "INSERT INTO identity_owners VALUES ('https://idp.example', $1::text, $1::text::uuid)",
    ):
        await query(postgres.url, statement, owner.account_id)
    return owner


@pytest.mark.parametrize("by", ["session", "account_id"])
async def test_what_is_left(people: People, postgres: EmbeddedPostgres, by: str) -> None:
    """Its secrets are erased and what was its own is free; the audit trail stays, and so does what says which backup
    codes were used. Sessions are over, challenges void."""
    owner = await full(people, postgres)
    await people.challenge_for(owner)
    before = await audit(postgres.url, owner.account_id)
    if by == "session":
        await close_account(people, owner)
    else:
        await close_by_id(people, owner.account_id)
    held = {}
    for table in ("accounts", "second_factors", "sessions", "challenges", "replies", "authenticator_setups",
                  "identities", "identity_owners", "account_emails", "mailed_links", "spent_backup_codes"):  # fmt: skip
        held[table] = await rows(postgres.url, table, owner.account_id)
    (row,), (factor,) = held["accounts"], held["second_factors"]
    assert row["close_time"] is not None
    assert (row["password_hash"], row["suspend_time"]) == (None, None)
    assert (factor["method"], factor["totp_secret"], factor["backup_code_hash"]) == ("email", None, None)
    assert factor["generation"] == 2
    for table in ("identities", "identity_owners", "account_emails", "mailed_links"):
        assert held[table] == [], table
    assert all(one["end_time"] for one in held["sessions"])
    assert all(one["void_time"] or one["complete_time"] for one in held["challenges"])
    assert all(one["sealed"] is None for one in held["replies"])
    assert all(one["totp_secret"] is None for one in held["authenticator_setups"])
    assert len(held["spent_backup_codes"]) == 1
    trail = await audit(postgres.url, owner.account_id)
    (closed,) = [event for event in trail if event not in before]
    assert len(trail) == len(before) + 1
    assert (closed["action"], closed["outcome"]) == ("close_account", "success")
    await people.mailbox.wait_for(owner.email, "account-closed")


async def test_it_looks_like_none(people: People, refused: Refusing) -> None:
    """Each way in and each way to look answers what it answers for an account that never was, or a link or session
    that is over."""
    owner, new = await people.with_authenticator(), unused_address()
    await change_email(people, owner, new)
    confirm = await change_link(people, new)
    not_me = await people.mailbox.link(owner.email, "authenticator-on", "not-me")
    challenge = await people.challenge_for(owner)
    await close_account(people, owner)
    for call, reason in (
        (people.challenge_for(owner), "CREDENTIALS_MISMATCH"),
        (vouched_challenge(people, owner), "ACCOUNT_NOT_FOUND"),
        (account(people, account_id=owner.account_id), "ACCOUNT_NOT_FOUND"),
        (account(people, email=owner.email), "ACCOUNT_NOT_FOUND"),
        (people.session(owner.session_token), "SESSION_ENDED"),
        (people.status(owner.session_token), "SESSION_ENDED"),
        (people.regenerate(owner), "SESSION_ENDED"),
        (people.use_backup_code(challenge, owner.backup_code), "CHALLENGE_EXPIRED"),
        (report(people, not_me), "LINK_INVALID"),
        (confirm_email(people, confirm), "LINK_INVALID"),
    ):
        with refused(reason):
            await call


async def test_a_password_of_a_closed_account_is_one_like_any(people: People) -> None:
    """To the byte, what a stranger is told of an address that nobody has."""
    owner = await people.signed_in()
    await close_account(people, owner)

    async def said(email: str) -> Refused:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await people.challenge_for(Person(email, ""))
        return refusal(caught.value)

    assert await said(owner.email) == await said(unused_address())


async def test_closing_twice(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """ "A closed one is OK", by its id and by the session that ended with it; told once. A session that was signed out
    of before has ended, and an unknown account is not found."""
    owner = await people.with_account()
    earlier = (await sign_in_by_mail(people, owner, 1)).session_token
    await people.sign_out(earlier)
    people.clock.advance(STEP)
    owner.session_token = (await sign_in_by_mail(people, owner, 2)).session_token
    for _ in range(2):
        await close_account(people, owner)
        await close_by_id(people, owner.account_id)
    owner.session_token = earlier
    with refused("SESSION_ENDED"):
        await close_account(people, owner)
    with refused("ACCOUNT_NOT_FOUND"):
        await close_by_id(people, NOBODY)
    outbox = await rows(postgres.url, "outbox", owner.account_id)
    assert [row["kind"] for row in outbox].count("account-closed") == 1


async def test_who_may_close(people: People, refused: Refusing) -> None:
    """By a session: for the password, or what stands for it. Nothing given: the field is named."""
    owner = await people.with_authenticator()
    request = account_service_pb2.CloseAccountRequest(session_token=owner.session_token)
    with refused("REAUTHENTICATION_REQUIRED"):
        await people.stubs.accounts.CloseAccount(request)
    request.reauthentication.CopyFrom(types_pb2.Reauthentication(password="not the password"))
    with refused("REAUTHENTICATION_FAILED"):
        await people.stubs.accounts.CloseAccount(request)
    with refused("INVALID_FIELD") as said:
        await people.stubs.accounts.CloseAccount(account_service_pb2.CloseAccountRequest())
    assert said[0].fields == ("session_token",)
    await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)


async def test_its_address_is_free(people: People, refused: Refusing) -> None:
    """For another account, which inherits nothing; those that it had left are free as well, and told."""
    owner = await people.signed_in()
    old = await move_to(people, owner, unused_address())
    await close_account(people, owner)
    for address in (old, owner.email):
        await people.mailbox.wait_for(address, "account-closed")
        create = account_service_pb2.CreateAccountRequest(email=address, password=PASSWORD)
        created = (await people.stubs.accounts.CreateAccount(create)).account
        assert created.account_id != owner.account_id
        assert not created.email_verified


async def test_its_creation_is_not_repeated(people: People, refused: Refusing) -> None:
    """A late repeat of the call that made it must not bring it back to life."""
    for password in (PASSWORD, ""):
        create = account_service_pb2.CreateAccountRequest(
            email=unused_address(), password=password, request_id=unused_address()[:8] + "-7c39-4a3c-9f44-3b8f0e4ad001"
        )
        made = (await people.stubs.accounts.CreateAccount(create)).account
        await close_by_id(people, made.account_id)
        with refused("REQUEST_ID_REUSED"):
            await people.stubs.accounts.CreateAccount(create)


async def test_nor_is_its_creation_by_an_identity(people: People, refused: Refusing) -> None:
    """The same for an account that came by a provider; it fails without the look at whether it was closed."""
    credential, request_id = people.openid.signed_in(somebody()), str(uuid4())
    made = await create(people, credential, request_id)
    await close_by_id(people, made.account_id)
    with refused("REQUEST_ID_REUSED"):
        await create(people, credential, request_id)
