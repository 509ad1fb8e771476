"""The audit trail: who, what, when, from where, outcome, factor, caller; never a secret."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.article.steps import sign_in_by_app, sign_in_by_backup_code, wrong_digits
from tests.conftest import Refusing
from tests.people import CLIENT, PASSWORD, People, Person
from tests.security.tables import audit
from twofactor_server.postgres import EmbeddedPostgres

Story = Callable[[People, Person, Refusing], Awaitable[object]]


async def signs_in_by_mail(people: People, owner: Person, refused: Refusing) -> None:
    challenge = await people.challenge_for(owner)
    await people.verify_email_code(challenge, await people.mailbox.code(owner.email, 2))


async def mistypes_the_mailed_code(people: People, owner: Person, refused: Refusing) -> None:
    challenge = await people.challenge_for(owner)
    with refused("CODE_MISMATCH"):
        await people.verify_email_code(challenge, wrong_digits(await people.mailbox.code(owner.email, 2)))


async def types_an_older_code(people: People, owner: Person, refused: Refusing) -> None:
    challenge = await people.challenge_for(owner)
    older = await people.mailbox.code(owner.email, 2)
    await people.send_email_code(challenge)
    with refused("CODE_SUPERSEDED"):
        await people.verify_email_code(challenge, older)


async def types_the_mailed_code_too_late(people: People, owner: Person, refused: Refusing) -> None:
    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email, 2)
    people.clock.advance(timedelta(minutes=6))
    with refused("CODE_EXPIRED"):
        await people.verify_email_code(challenge, code)


async def mistypes_the_password(people: People, owner: Person, refused: Refusing) -> None:
    owner.password = "not the password"
    with refused("CREDENTIALS_MISMATCH"):
        await people.challenge_for(owner)


async def signs_out(people: People, owner: Person, refused: Refusing) -> None:
    await people.sign_out(owner.session_token)


async def sets_up_the_app(people: People, owner: Person, refused: Refusing) -> None:
    await people.set_up_authenticator(owner)


async def cancels_a_setup(people: People, owner: Person, refused: Refusing) -> None:
    await people.cancel_setup(owner, (await people.start_setup(owner)).setup_id)


async def mistypes_the_first_code(people: People, owner: Person, refused: Refusing) -> None:
    started = await people.start_setup(owner)
    owner.secret = started.secret.replace(" ", "")
    with refused("CODE_MISMATCH"):
        await people.confirm_setup(owner, started.setup_id, owner.wrong_code_at(people.clock.now))


async def signs_in_by_app(people: People, owner: Person, refused: Refusing) -> None:
    await sign_in_by_app(people, owner)


async def mistypes_the_app_code(people: People, owner: Person, refused: Refusing) -> None:
    with refused("CODE_MISMATCH"):
        challenge = await people.challenge_for(owner)
        await people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now))


async def repeats_the_app_code(people: People, owner: Person, refused: Refusing) -> None:
    with refused("CODE_ALREADY_USED"):
        await people.verify_authenticator_code(await people.challenge_for(owner), owner.code_at(people.clock.now))


async def uses_the_backup_code(people: People, owner: Person, refused: Refusing) -> None:
    await sign_in_by_backup_code(people, owner)


async def mistypes_the_backup_code(people: People, owner: Person, refused: Refusing) -> None:
    challenge = await people.challenge_for(owner)
    for _ in range(2):
        with refused("CODE_MISMATCH"):
            await people.use_backup_code(challenge, "abcd 1234 ef56 7890")


async def uses_a_used_backup_code(people: People, owner: Person, refused: Refusing) -> None:
    used = owner.backup_code
    await sign_in_by_backup_code(people, owner)
    challenge = await people.challenge_for(owner)
    for _ in range(2):
        with refused("CODE_ALREADY_USED"):
            await people.use_backup_code(challenge, used)


async def repeats_the_call(people: People, owner: Person, refused: Refusing) -> None:
    challenge, request_id = await people.challenge_for(owner), str(uuid4())
    for _ in range(2):
        await people.use_backup_code(challenge, owner.backup_code, request_id)


async def says_saved(people: People, owner: Person, refused: Refusing) -> None:
    for _ in range(2):
        await people.confirm_saved(owner.session_token, owner.generation)


async def regenerates(people: People, owner: Person, refused: Refusing) -> None:
    await people.regenerate(owner)


async def mistypes_the_password_of_a_change(people: People, owner: Person, refused: Refusing) -> None:
    for _ in range(2):
        with refused("REAUTHENTICATION_FAILED"):
            await people.regenerate(owner, password="not the password")


async def removes_the_app(people: People, owner: Person, refused: Refusing) -> None:
    for _ in range(2):
        await people.remove_authenticator(owner)


STORIES: list[tuple[Story, str, str, str | None, str]] = [
    (signs_in_by_mail, "start_sign_in", "success", "password", "challenge"),
    (signs_in_by_mail, "send_email_code", "success", "email_code", "challenge"),
    (signs_in_by_mail, "verify_email_code", "success", "email_code", "challenge session"),
    (mistypes_the_mailed_code, "verify_email_code", "CODE_MISMATCH", "email_code", "challenge"),
    (types_an_older_code, "verify_email_code", "CODE_SUPERSEDED", "email_code", "challenge"),
    (types_the_mailed_code_too_late, "verify_email_code", "CODE_EXPIRED", "email_code", "challenge"),
    (mistypes_the_password, "start_sign_in", "CREDENTIALS_MISMATCH", "password", ""),
    (signs_out, "sign_out", "success", None, "session"),
    (sets_up_the_app, "start_authenticator_setup", "success", "authenticator", "session"),
    (sets_up_the_app, "confirm_authenticator_setup", "success", "authenticator", "session"),
    (cancels_a_setup, "cancel_authenticator_setup", "success", "authenticator", "session"),
    (mistypes_the_first_code, "confirm_authenticator_setup", "CODE_MISMATCH", "authenticator", "session"),
    (signs_in_by_app, "verify_authenticator_code", "success", "authenticator", "challenge session"),
    (mistypes_the_app_code, "verify_authenticator_code", "CODE_MISMATCH", "authenticator", "challenge"),
    (repeats_the_app_code, "verify_authenticator_code", "CODE_ALREADY_USED", "authenticator", "challenge"),
    (uses_the_backup_code, "use_backup_code", "success", "backup_code", "challenge session"),
    (mistypes_the_backup_code, "use_backup_code", "CODE_MISMATCH", "backup_code", "challenge"),
    (uses_a_used_backup_code, "use_backup_code", "CODE_ALREADY_USED", "backup_code", "challenge"),
    (repeats_the_call, "replay", "success", None, "challenge session"),
    (says_saved, "confirm_backup_code_saved", "success", "backup_code", "session"),
    (regenerates, "regenerate_backup_code", "success", "backup_code", "session"),
    (mistypes_the_password_of_a_change, "reauthenticate", "REAUTHENTICATION_FAILED", "password", "session"),
    (removes_the_app, "remove_authenticator", "success", "authenticator", "session"),
]
WITHOUT_CLIENT = ("sign_out", "cancel_authenticator_setup", "confirm_backup_code_saved")
"""The requests of these do not carry the person's browser."""
FIRST_WITH_APP = [story for story, *_ in STORIES].index(signs_in_by_app)


@pytest.mark.parametrize(("number", "action", "outcome"), [(n, story[1], story[2]) for n, story in enumerate(STORIES)])
async def test_it_leaves_one_row(
    people: People, refused: Refusing, postgres: EmbeddedPostgres, number: int, action: str, outcome: str
) -> None:
    """Each of these leaves exactly one row that says who, what, when, from where, the outcome, factor and caller."""
    story, _, _, factor, bound = STORIES[number]
    owner = await (people.with_authenticator() if number >= FIRST_WITH_APP else people.signed_in())
    before = {row["event_id"] for row in await audit(postgres.url, owner.account_id)}
    await story(people, owner, refused)
    new = [row for row in await audit(postgres.url, owner.account_id) if row["event_id"] not in before]
    (row,) = [row for row in new if (row["action"], row["outcome"]) == (action, outcome)]
    assert row["time"] == people.clock.now
    assert (row["factor"], row["caller"]) == (factor, "local")
    assert len(row["call_id"]) == 32
    seen = ("", "") if action in WITHOUT_CLIENT else (CLIENT.ip_address, CLIENT.user_agent)
    assert (row["ip_address"], row["user_agent"]) == seen
    assert bool(row["challenge_id"]) == ("challenge" in bound)
    assert bool(row["session_id"]) == ("session" in bound)
    secrets = [PASSWORD, owner.password, owner.secret, owner.backup_code, owner.session_token, "abcd1234ef567890"]
    told = str(new)
    assert not [secret for secret in secrets if secret and secret in told]


async def test_an_account_is_made(people: People, postgres: EmbeddedPostgres) -> None:
    """CreateAccount leaves one row, without a factor: there is none yet to speak of."""
    owner = await people.with_account()
    (row,) = await audit(postgres.url, owner.account_id)
    assert (row["action"], row["outcome"], row["time"]) == ("create_account", "success", people.clock.now)


async def test_an_unknown_address_is_recorded_for_nobody(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """A first factor that fits no account is audited all the same, without the address that was typed."""
    stranger = Person(f"{uuid4().hex}@example.test", "")
    nobody = UUID(int=0)
    before = len(await audit(postgres.url, nobody))
    with refused("CREDENTIALS_MISMATCH"):
        await people.challenge_for(stranger)
    rows = await audit(postgres.url, nobody)
    assert len(rows) == before + 1
    assert rows[-1]["outcome"] == "CREDENTIALS_MISMATCH"
    assert stranger.email not in str(rows)


async def test_what_reads_leaves_no_row(people: People, postgres: EmbeddedPostgres) -> None:
    """GetSession, GetTwoFactor, GetChallenge: looking changes nothing, and is not an event."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    before = await audit(postgres.url, owner.account_id)
    await people.session(owner.session_token)
    await people.status(owner.session_token)
    await people.challenge(challenge)
    assert await audit(postgres.url, owner.account_id) == before
