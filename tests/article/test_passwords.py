"""SetPassword and ChangePassword: the new one works, the old world ends, and only the owner does it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.article.password_steps import NEW, account, change, set_first, vouched_for, without_a_password
from tests.article.steps import STEP, sign_in_by_app, sign_in_by_mail, vouched_challenge
from tests.conftest import Refusing
from tests.people import PASSWORD, People, Person
from tests.security.tables import audit, of_account
from twofactor.v1 import account_service_pb2, types_pb2
from twofactor_server.postgres import EmbeddedPostgres


async def test_the_new_one_works_and_the_old_one_does_not(people: People, refused: Refusing) -> None:
    """ "ChangePassword: the new one works, the old one does not." The second factor is asked for as before."""
    owner = await people.with_authenticator()
    await change(people, owner)
    with refused("CREDENTIALS_MISMATCH"):
        await people.challenge_for(owner)
    owner.password = NEW
    shown = await people.challenge(await people.challenge_for(owner))
    assert shown.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)


async def test_everybody_else_is_signed_out(people: People, refused: Refusing) -> None:
    """ "The other sessions end and open challenges are void; this session stays." It fails when sessions are not ended,
    or challenges not voided."""
    owner = await people.with_authenticator()
    elsewhere = (await sign_in_by_app(people, owner, str(uuid4()))).session_token
    challenge = await people.challenge_for(owner)
    await change(people, owner)
    with refused("SESSION_ENDED"):
        await people.session(elsewhere)
    assert (await people.session(owner.session_token)).email == owner.email
    for code in (owner.backup_code, "0" * 16):
        with refused("CHALLENGE_EXPIRED"):
            await people.use_backup_code(challenge, code)
    assert (await people.challenge(challenge)).state == types_pb2.CHALLENGE_STATE_EXPIRED


async def test_their_replies_are_erased_and_this_sessions_are_not(people: People, refused: Refusing) -> None:
    """A kept answer of an ended session opens no more; the one of the session that stays does. It fails when replies
    are not erased."""
    owner = await people.with_authenticator()
    there, here = str(uuid4()), str(uuid4())
    people.clock.advance(STEP)
    challenge, code = await people.challenge_for(owner), owner.code_at(people.clock.now)
    await people.verify_authenticator_code(challenge, code, there)
    await people.regenerate(owner, here)
    assert (await people.verify_authenticator_code(challenge, code, there)).replayed
    await change(people, owner)
    with refused("CHALLENGE_CONSUMED"):
        await people.verify_authenticator_code(challenge, code)
    with refused("REQUEST_ID_EXPIRED"):
        await people.verify_authenticator_code(challenge, code, there)
    assert (await people.regenerate(owner, here)).replayed


async def test_a_repeat_is_ok_and_changes_nothing(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """ "Repeated with the same request_id and new password it is OK", though the current password is another by now."""
    owner, request_id = await people.signed_in(), str(uuid4())
    await change(people, owner, request_id=request_id)
    before = await of_account(postgres.url, owner.account_id)
    await change(people, owner, request_id=request_id)
    await change(people, owner, request_id=request_id, current="whatever else")
    after = await of_account(postgres.url, owner.account_id)
    assert {**before, "audit_events": []} == {**after, "audit_events": []}
    with refused("REQUEST_ID_REUSED") as said:
        await change(people, owner, "something else again", request_id)
    assert said[0].fields == ("request_id",)
    with refused("REAUTHENTICATION_FAILED"):
        await change(people, owner)


async def test_five_wrong_ones_end_the_session(people: People, refused: Refusing) -> None:
    """ "The current password is charged as a re-authentication is: five wrong ones end the session.\""""
    owner = await people.signed_in()
    for number in range(5):
        with refused("REAUTHENTICATION_FAILED"):
            await change(people, owner, current=f"wrong {number}")
    with refused("SESSION_ENDED"):
        await change(people, owner)
    await people.challenge_for(owner)


async def test_a_session_of_before_the_app_changes_nothing(people: People, refused: Refusing) -> None:
    """ "REAUTHENTICATION_REQUIRED for a session that did not pass the second factor that is active now.\""""
    owner = await people.signed_in()
    early = replace(owner, session_token=(await sign_in_by_mail(people, owner, 2)).session_token)
    await people.set_up_authenticator(owner)
    with refused("REAUTHENTICATION_REQUIRED"):
        await change(people, early)
    await change(people, owner)


async def test_a_first_password(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """ "SetPassword: gives a password to an account that has none. The other sessions end." """
    owner, request_id = await without_a_password(people), str(uuid4())
    challenge = await vouched_challenge(people, owner)
    code = await people.mailbox.code(owner.email, 2)
    other = (await people.verify_email_code(challenge, code)).session_token
    assert not (await account(people, owner)).has_password
    for _ in range(2):
        await set_first(people, owner, request_id=request_id)
    assert (await account(people, owner)).has_password
    with refused("SESSION_ENDED"):
        await people.session(other)
    with refused("CONFLICT"):
        await set_first(people, owner)
    with refused("REQUEST_ID_REUSED"):
        await set_first(people, owner, "something else again", request_id)
    await people.challenge_for(replace(owner, password=NEW))
    mail = await people.mailbox.newest(owner.email, "password-changed")
    assert len(people.mailbox.to(owner.email, "password-changed")) == 1
    assert NEW not in mail.as_string()
    done = [row["action"] for row in await audit(postgres.url, owner.account_id)]
    assert (done.count("set_password"), done.count("replay")) == (1, 1)


async def test_a_first_password_needs_proof(people: People, refused: Refusing) -> None:
    """No password is right for an account that has none, not for SetPassword and not for ChangePassword."""
    owner = await without_a_password(people)
    with refused("REAUTHENTICATION_REQUIRED"):
        await set_first(people, owner, given=types_pb2.Reauthentication())
    for attempt in (
        set_first(people, owner, given=types_pb2.Reauthentication(password=PASSWORD)),
        change(people, owner, current=PASSWORD),
    ):
        with refused("REAUTHENTICATION_FAILED"):
            await attempt
    assert not (await account(people, owner)).has_password


Change = Callable[[People, Person, str], Awaitable[None]]


async def by_creation(people: People, owner: Person, new: str) -> None:
    request = account_service_pb2.CreateAccountRequest(email=owner.email, password=new)
    await people.stubs.accounts.CreateAccount(request)


@pytest.mark.parametrize("make", [change, set_first, by_creation], ids=["change", "set", "create"])
async def test_what_anybody_would_guess_is_rejected(
    people: People, refused: Refusing, postgres: EmbeddedPostgres, make: Change
) -> None:
    """ "PASSWORD_REJECTED": the field and the rule are told, and nothing is charged or changed."""
    owner = await (without_a_password(people) if make is set_first else people.signed_in())
    if make is by_creation:
        owner.email = f"{uuid4().hex[:12]}@example.test"
    before = await of_account(postgres.url, owner.account_id)
    for new in ("1234567", "password1", "password1password1", "twofactor2024", owner.email, owner.email.split("@")[0]):
        with refused("PASSWORD_REJECTED") as said:
            await make(people, owner, new)
        assert said[0].fields == ("password" if make is by_creation else "new_password",)
        assert said[0].metadata["rule"]
        assert new not in str(said[0])
    assert await of_account(postgres.url, owner.account_id) == before


async def test_the_owner_is_told(people: People, postgres: EmbeddedPostgres) -> None:
    """ "Every change is mailed to the owner", never with a password in it; the trail says who and from where."""
    owner = await people.signed_in()
    await change(people, owner)
    mail = await people.mailbox.newest(owner.email, "password-changed")
    assert owner.password not in mail.as_string()
    assert NEW not in mail.as_string()
    (event,) = [row for row in await audit(postgres.url, owner.account_id) if row["action"] == "change_password"]
    assert (event["outcome"], event["factor"], event["ip_address"]) == ("success", "password", "192.0.2.10")


async def test_vouching_for_another_account_sets_nothing(people: People, refused: Refusing) -> None:
    owner, other = await without_a_password(people), await people.with_account()
    with refused("REAUTHENTICATION_FAILED"):
        await set_first(people, owner, given=vouched_for(people, other))
