"""A password reset by a mailed link: it tells a stranger nothing, and spares its owner nothing but the old password."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from tests.article.password_steps import (
    NEW,
    account,
    change,
    complete_reset,
    mailed_token,
    reset_token,
    start_reset,
    without_a_password,
)
from tests.article.steps import from_network, sign_in_by_backup_code
from tests.conftest import Refusing
from tests.people import People, Person
from tests.security.tables import audit, of_account, query, rows
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

HOUR = timedelta(hours=1)


async def sign_in_again(people: People, owner: Person) -> Person:
    """With the new password and another mailed code."""
    owner = replace(owner, password=NEW)
    challenge = await people.challenge_for(owner)
    signed_in = await people.verify_email_code(challenge, await people.mailbox.code(owner.email, 2))
    return replace(owner, session_token=signed_in.session_token)


async def test_by_the_link_to_a_new_password(people: People, refused: Refusing) -> None:
    """ "All sessions end, open challenges are void. It signs nobody in and spares nobody the second factor.\""""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    await start_reset(people, owner.email.upper())
    token = await mailed_token(people, owner.email)
    await people.session(owner.session_token)
    await complete_reset(people, token)
    with refused("SESSION_ENDED"):
        await people.session(owner.session_token)
    with refused("CHALLENGE_EXPIRED"):
        await people.use_backup_code(challenge, owner.backup_code)
    with refused("CREDENTIALS_MISMATCH"):
        await people.challenge_for(owner)
    owner.password = NEW
    shown = await people.challenge(await people.challenge_for(owner))
    assert shown.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    await sign_in_by_backup_code(people, owner)
    await people.mailbox.wait_for(owner.email, "password-changed")


async def test_nothing_changes_until_the_link_is_followed(people: People, postgres: EmbeddedPostgres) -> None:
    owner = await people.signed_in()
    before = await of_account(postgres.url, owner.account_id)
    await reset_token(people, owner.email)
    after = await of_account(postgres.url, owner.account_id)
    new = {table for table in after if after[table] != before.get(table)}
    assert new == {"mailed_links", "outbox", "audit_events"}
    await people.challenge_for(owner)


async def test_a_link_works_once_and_a_repeat_is_ok(people: People, refused: Refusing) -> None:
    """ "Repeated with the same password it is OK, until the link's hour is over"; with another one: LINK_INVALID."""
    owner = await people.signed_in()
    token = await reset_token(people, owner.email)
    for _ in range(3):
        await complete_reset(people, token)
    with refused("LINK_INVALID"):
        await complete_reset(people, token, "something else again")
    await people.mailbox.wait_for(owner.email, "password-changed")
    assert len(people.mailbox.to(owner.email, "password-changed")) == 1
    people.clock.advance(HOUR)
    with refused("LINK_INVALID"):
        await complete_reset(people, token)


async def test_a_link_lives_an_hour(people: People, refused: Refusing) -> None:
    owner = await people.signed_in()
    token = await reset_token(people, owner.email)
    people.clock.advance(HOUR)
    with refused("LINK_INVALID"):
        await complete_reset(people, token)


async def test_only_the_newest_link_works(people: People, refused: Refusing) -> None:
    """ "The links mailed before are void", and a link in the mailbox is void once the password has changed."""
    owner = await people.signed_in()
    first, second = await reset_token(people, owner.email), await reset_token(people, owner.email, 2)
    with refused("LINK_INVALID"):
        await complete_reset(people, first)
    await complete_reset(people, second)
    third = await reset_token(people, owner.email, 3)
    owner = await sign_in_again(people, owner)
    await change(people, owner, "something else again")
    with refused("LINK_INVALID"):
        await complete_reset(people, third)


async def test_other_tokens_open_nothing(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """A link is of one account and one purpose; what is no token of a link at all is INVALID_FIELD."""
    owner, stranger = await people.signed_in(), await people.with_account()
    token, theirs = await reset_token(people, owner.email), await reset_token(people, stranger.email)
    await query(
        postgres.url,
        "UPDATE mailed_links SET purpose = 'not-me' WHERE account_id = $1::text::uuid", stranger.account_id,
    )  # fmt: skip
    for other in (theirs, theirs[:26] + token[26:], token[:26] + theirs[26:]):
        with refused("LINK_INVALID"):
            await complete_reset(people, other)
    for other in (owner.session_token, token[4:], token[:-1], f"{token}A", "tfr_"):
        with refused("INVALID_FIELD") as said:
            await complete_reset(people, other)
        assert said[0].fields == ("reset_token",)
    await complete_reset(people, token)


async def test_weak_passwords_leave_the_link_alive(people: People, refused: Refusing) -> None:
    owner = await people.signed_in()
    token = await reset_token(people, owner.email)
    for new in ("1234567", "password1", owner.email):
        with refused("PASSWORD_REJECTED") as said:
            await complete_reset(people, token, new)
        assert said[0].fields == ("new_password",)
    await complete_reset(people, token)


async def test_three_mails_an_hour_and_no_word_of_it(people: People, postgres: EmbeddedPostgres) -> None:
    """ "Where the budget of 3 such mails per account and hour is spent, nothing is mailed and the answer is still the
    same"; the newest link goes on working, and it is a budget of its own."""
    owner = await people.with_account()
    for number in range(5):
        assert await start_reset(people, owner.email, from_network(number)) == b""
    await people.mailbox.wait_for(owner.email, "password-reset", 3)
    await people.challenge_for(owner)
    await people.mailbox.code(owner.email)
    assert len(people.mailbox.to(owner.email, "password-reset")) == 3
    made = await rows(postgres.url, "mailed_links", owner.account_id)
    assert sorted(link["void_time"] is None for link in made) == [False, False, True]
    people.clock.advance(HOUR)
    await start_reset(people, owner.email)
    await people.mailbox.wait_for(owner.email, "password-reset", 4)


async def test_an_unknown_address_is_answered_the_same_and_mailed_nothing(
    people: People, postgres: EmbeddedPostgres
) -> None:
    nobody = f"{uuid4().hex[:12]}@example.test"
    owner = await people.with_account()
    assert await start_reset(people, nobody) == await start_reset(people, owner.email) == b""
    await mailed_token(people, owner.email)
    assert people.mailbox.to(nobody) == []
    waiting = "SELECT count(*) FROM outbox WHERE payload IS NOT NULL AND kind = 'password-reset'"
    assert (await query(postgres.url, waiting))[0][0] == 0


async def test_waits_are_lifted_but_the_authenticators_count_stays(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """ "Waits … are cleared"; how many of the app's codes were wrong in a row stays, or whoever reads the mailbox could
    guess on for ever. The next wrong one waits accordingly."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    for _ in range(5):
        with refused("CODE_MISMATCH"):
            await people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now))
    await complete_reset(people, await reset_token(people, owner.email))
    owner.password = NEW
    challenge = await people.challenge_for(owner)
    assert list((await people.challenge(challenge)).waits) == []
    with refused("CODE_MISMATCH"):
        await people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now))
    with refused("ATTEMPTS_THROTTLED") as said:
        await people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now))
    assert said[0].retry_after == 60
    (factor,) = await rows(postgres.url, "second_factors", owner.account_id)
    assert factor["authenticator_failures"] == 6


async def test_the_waits_of_the_first_factor_are_lifted(people: People, refused: Refusing) -> None:
    owner = await people.signed_in()
    owner.password = "not the password"
    for _ in range(5):
        with refused("CREDENTIALS_MISMATCH"):
            await people.challenge_for(owner)
    with refused("ATTEMPTS_THROTTLED"):
        await people.challenge_for(owner)
    await complete_reset(people, await reset_token(people, owner.email))
    owner.password = NEW
    await people.challenge_for(owner)


async def test_a_disabled_authenticator_stays_disabled_and_a_suspension_is_lifted(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    owner = await people.with_authenticator()
    for statement in (
        "UPDATE second_factors SET authenticator_disabled = true, authenticator_failures = 100"
        " WHERE account_id = $1::text::uuid",
        "UPDATE accounts SET suspend_time = now() WHERE account_id = $1::text::uuid",
    ):
        await query(postgres.url, statement, owner.account_id)
    await complete_reset(people, await reset_token(people, owner.email))
    (row,) = await rows(postgres.url, "accounts", owner.account_id)
    assert row["suspend_time"] is None
    owner.password = NEW
    challenge = await people.challenge_for(owner)
    with refused("AUTHENTICATOR_DISABLED"):
        await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))
    await people.use_backup_code(challenge, owner.backup_code)


async def test_a_stranger_who_made_the_account_keeps_nothing(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """An account that a stranger made for somebody's address: the reset proves the address, and the stranger's password
    and linked identity open it no longer. Where the address was proved before, identities stay."""
    for proved in (False, True):
        owner = await (people.signed_in() if proved else people.with_account())
        subject = uuid4().hex
        for statement in (
            "INSERT INTO identities VALUES ($1::text::uuid, gen_random_uuid(), 'google', 'https://id.example', $2,"
            " 'x@example.test', now())",
            "INSERT INTO identity_owners VALUES ('https://id.example', $2, $1::text::uuid)",
        ):
            await query(postgres.url, statement, owner.account_id, subject)
        assert (await account(people, owner)).email_verified is proved
        await complete_reset(people, await reset_token(people, owner.email))
        assert (await account(people, owner)).email_verified
        with refused("CREDENTIALS_MISMATCH"):
            await people.challenge_for(owner)
        left = await rows(postgres.url, "identity_owners", owner.account_id)
        assert [row["subject"] for row in left] == ([subject] if proved else [])
        assert len(await rows(postgres.url, "identities", owner.account_id)) == len(left)


async def test_an_account_without_a_password_gets_one(people: People) -> None:
    owner = await without_a_password(people)
    await complete_reset(people, await reset_token(people, owner.email))
    assert (await account(people, owner)).has_password


async def test_a_closed_account_is_like_an_unknown_one(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """Closed before: nothing is mailed. Closed after the mail: its link opens nothing."""
    owner = await people.signed_in()
    token = await reset_token(people, owner.email)
    await query(
        postgres.url, "UPDATE accounts SET close_time = now() WHERE account_id = $1::text::uuid", owner.account_id
    )
    with refused("LINK_INVALID"):
        await complete_reset(people, token)
    assert await start_reset(people, owner.email) == b""
    assert len(await rows(postgres.url, "mailed_links", owner.account_id)) == 1


async def test_the_trail_tells_of_it(people: People, postgres: EmbeddedPostgres) -> None:
    owner = await people.signed_in()
    await complete_reset(people, await reset_token(people, owner.email))
    done = {(row["action"], row["outcome"], row["ip_address"]) for row in await audit(postgres.url, owner.account_id)}
    for action in ("start_password_reset", "reset_password"):
        assert (action, "success", people.client.ip_address) in done
