"""Nothing is left behind by a refused call, except the attempt that it was counted as."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import grpc
import pytest

from tests.account.steps import confirm_email, report
from tests.article.steps import STEP, from_network, sign_in_by_backup_code, vouched_challenge, wrong_digits
from tests.people import People, Person
from tests.security.tables import Row, of_account
from twofactor.v1 import two_factor_service_pb2
from twofactor_server.postgres import EmbeddedPostgres

Tables = dict[str, list[Row]]
Refusals = AsyncIterator[Awaitable[object]]
KEYS = {
    "accounts": ("account_id",), "second_factors": ("account_id",), "challenges": ("challenge_id",),
    "sessions": ("session_id",), "audit_events": ("event_id",), "outbox": ("message_id",),
    "email_codes": ("challenge_id", "number"), "replies": ("scope_id", "request_id"),
    "spent_backup_codes": ("generation",), "authenticator_setups": ("setup_id",), "account_emails": ("email",),
    "backup_code_attempts": ("challenge_id", "fingerprint"), "reauthentication_attempts": ("session_id", "fingerprint"),
    "account_creations": ("request_id",), "mailed_links": ("link_id",), "identities": ("identity_id",),
    "identity_owners": ("issuer", "subject"), "second_factor_failures": ("failure_id",),
}  # fmt: skip


def changes(before: Tables, after: Tables) -> set[str]:
    """What is different: ``table+`` for a new row, ``table-`` for a lost one, ``table.column`` for a changed value."""
    found = set()
    for table in before.keys() | after.keys():
        old = {tuple(row[key] for key in KEYS[table]): row for row in before.get(table, [])}
        new = {tuple(row[key] for key in KEYS[table]): row for row in after.get(table, [])}
        found |= {f"{table}+" for _ in new.keys() - old.keys()} | {f"{table}-" for _ in old.keys() - new.keys()}
        for key in old.keys() & new.keys():
            found |= {f"{table}.{column}" for column in old[key] if old[key][column] != new[key][column]}
    return found


async def malformed(people: People, owner: Person) -> Refusals:
    challenge = await people.challenge_for(owner)
    yield people.use_backup_code(challenge, "too short")
    yield people.verify_authenticator_code(challenge, "12345")
    yield people.use_backup_code(challenge, owner.backup_code, "not a uuid")


async def another_method(people: People, owner: Person) -> Refusals:
    challenge = await people.challenge_for(owner)
    yield people.send_email_code(challenge)
    yield people.verify_email_code(challenge, "123456")


async def too_late(people: People, owner: Person) -> Refusals:
    challenge = await people.challenge_for(owner)
    people.clock.advance(timedelta(minutes=10))
    yield people.use_backup_code(challenge, owner.backup_code)
    yield people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))


async def exhausted(people: People, owner: Person) -> Refusals:
    challenge = await people.challenge_for(owner)
    for number in range(5):
        with pytest.raises(grpc.aio.AioRpcError):
            await people.use_backup_code(challenge, f"abcd 1234 ef56 789{number}")
    people.clock.advance(STEP)
    yield people.use_backup_code(challenge, owner.backup_code)
    yield people.use_backup_code(challenge, "abcd 1234 ef56 7890")
    yield people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))


async def consumed(people: People, owner: Person) -> Refusals:
    challenge, request_id = await people.challenge_for(owner), str(uuid4())
    shown = await people.use_backup_code(challenge, owner.backup_code, request_id)
    yield people.use_backup_code(challenge, owner.backup_code)
    yield people.use_backup_code(challenge, shown.new_backup_code.code, request_id)


async def waiting(people: People, owner: Person) -> Refusals:
    challenge = await people.challenge_for(owner)
    for _ in range(5):
        with pytest.raises(grpc.aio.AioRpcError):
            await people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now))
    challenge = await people.challenge_for(owner)
    yield people.verify_authenticator_code(challenge, "123456")


async def over_budget(people: People, owner: Person) -> Refusals:
    here = from_network(1)
    # All of them before the first guess: so many suspend the first factor, and what is open goes on.
    *guessed, challenge = [await vouched_challenge(people, owner, here) for _ in range(7)]
    for number in range(30):
        with pytest.raises(grpc.aio.AioRpcError):
            await people.use_backup_code(guessed[number // 5], f"{number:016d}", client=here)
    yield people.use_backup_code(challenge, owner.backup_code, str(uuid4()), here)


async def suspended(people: People, owner: Person) -> Refusals:
    for number in range(20):
        if number % 5 == 0:
            challenge = await vouched_challenge(people, owner)
        with pytest.raises(grpc.aio.AioRpcError):
            await people.use_backup_code(challenge, f"{number:016d}")
    yield people.challenge_for(owner)


async def not_reauthenticated(people: People, owner: Person) -> Refusals:
    yield people.confirm_saved(owner.session_token, 7)
    yield people.confirm_setup(owner, str(uuid4()), "123456")
    started = await people.start_setup(owner)
    yield people.confirm_setup(owner, started.setup_id, "12345")
    for method in ("RegenerateBackupCode", "RemoveAuthenticator", "StartAuthenticatorSetup"):
        request = getattr(two_factor_service_pb2, f"{method}Request")(session_token=owner.session_token)
        yield getattr(people.stubs.two_factor, method)(request)


async def signed_out(people: People, owner: Person) -> Refusals:
    await people.sign_out(owner.session_token)
    yield people.session(owner.session_token)
    yield people.regenerate(owner)
    yield people.start_setup(owner)
    yield people.remove_authenticator(owner)
    yield people.confirm_saved(owner.session_token, 1)


async def no_more_mails(people: People, owner: Person) -> Refusals:
    await people.remove_authenticator(owner)
    for number in range(9):
        challenge = await people.challenge_for(owner, from_network(number))
    yield people.send_email_code(challenge)
    yield people.challenge_for(owner, from_network(10))


async def links_of_no_use(people: People, owner: Person) -> Refusals:
    notice = await people.mailbox.link(owner.email, "authenticator-on", "not-me")
    yield report(people, notice, "short")
    yield report(people, notice[:-4] + ("AAAA" if notice[-4:] != "AAAA" else "BBBB"))
    yield confirm_email(people, notice)
    people.clock.advance(timedelta(days=7))
    yield report(people, notice)


async def wrong_app_code(people: People, owner: Person) -> Refusals:
    challenge = await people.challenge_for(owner)
    yield people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now))


async def used_app_code(people: People, owner: Person) -> Refusals:
    yield people.verify_authenticator_code(await people.challenge_for(owner), owner.code_at(people.clock.now))


async def wrong_backup_code(people: People, owner: Person) -> Refusals:
    yield people.use_backup_code(await people.challenge_for(owner), "abcd 1234 ef56 7890", str(uuid4()))


async def used_backup_code(people: People, owner: Person) -> Refusals:
    used = owner.backup_code
    await sign_in_by_backup_code(people, owner)
    yield people.use_backup_code(await people.challenge_for(owner), used, str(uuid4()))


async def wrong_password(people: People, owner: Person) -> Refusals:
    yield people.regenerate(owner, str(uuid4()), "not the password")


async def wrong_setup_code(people: People, owner: Person) -> Refusals:
    started = await people.start_setup(owner)
    yield people.confirm_setup(owner, started.setup_id, "000000")


async def wrong_mailed_code(people: People, owner: Person) -> Refusals:
    await people.remove_authenticator(owner)
    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email, 2)
    yield people.verify_email_code(challenge, wrong_digits(code), str(uuid4()))


async def superseded_mailed_code(people: People, owner: Person) -> Refusals:
    await people.remove_authenticator(owner)
    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email, 2)
    await people.send_email_code(challenge)
    yield people.verify_email_code(challenge, code, str(uuid4()))


async def expired_mailed_code(people: People, owner: Person) -> Refusals:
    await people.remove_authenticator(owner)
    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email, 2)
    people.clock.advance(timedelta(minutes=5))
    yield people.verify_email_code(challenge, code, str(uuid4()))


NOTHING: set[str] = set()
FAILURE = ("second_factor_failures+", "audit_events+")
CASES: list[tuple[Callable[[People, Person], Refusals], set[str]]] = [
    *((story, NOTHING) for story in (malformed, another_method, too_late, exhausted, consumed, waiting, over_budget,
                                     not_reauthenticated, signed_out, no_more_mails, links_of_no_use)),
    (suspended, {"audit_events+"}),
    (wrong_app_code, {"challenges.attempts", "second_factors.authenticator_failures", *FAILURE}),
    (used_app_code, {"audit_events+"}),
    (wrong_backup_code, {"challenges.attempts", "backup_code_attempts+", *FAILURE}),
    (used_backup_code, {"challenges.attempts", "backup_code_attempts+", "audit_events+"}),
    (wrong_setup_code, {"authenticator_setups.attempts", "audit_events+"}),
    (wrong_mailed_code, {"challenges.attempts", "second_factors.email_code_failures", *FAILURE}),
    (superseded_mailed_code, {"challenges.attempts", *FAILURE}),
    (expired_mailed_code, {"audit_events+"}),
    (wrong_password, {"reauthentication_attempts+", "audit_events+"}),
]  # fmt: skip


@pytest.mark.parametrize(("story", "left"), CASES, ids=[story.__name__ for story, _ in CASES])
async def test_a_refusal_leaves_its_attempt_and_no_more(
    people: People, postgres: EmbeddedPostgres, story: Callable[[People, Person], Refusals], left: set[str]
) -> None:
    """All that the database holds of the account, before and after: what differs is the counted attempt and the line
    in the audit trail that tells of it, and where nothing was judged, nothing at all.

    With the refusal over budget returned instead of raised, so that its transaction commits, `over_budget` fails.
    """
    owner = await people.with_authenticator()
    async for call in story(people, owner):
        before = await of_account(postgres.url, owner.account_id)
        with pytest.raises(grpc.aio.AioRpcError):
            await call
        assert changes(before, await of_account(postgres.url, owner.account_id)) == left
