"""ConfirmFirstFactor: the suspension is lifted by the mailed link, and the password is changed on the way."""

from datetime import timedelta
from uuid import uuid4

import grpc

from tests.article.steps import sign_in_by_app, vouched_challenge, wrong_backup_codes
from tests.article.suspensions import FAILED, SUSPENDED, confirm, mailed_link
from tests.conftest import Refusing
from tests.people import People, Person
from tests.security.tables import audit, query, rows
from twofactor.v1 import account_service_pb2, two_factor_service_pb2, types_pb2
from twofactor_server.postgres import EmbeddedPostgres

NEW = "a password chosen by the owner"


async def fails(people: People, owner: Person, refused: Refusing, challenges: int = 4) -> None:
    """Five wrong backup codes on each of so many new challenges."""
    codes = wrong_backup_codes()
    for _ in range(challenges):
        challenge = await vouched_challenge(people, owner)
        for _ in range(5):
            with refused("CODE_MISMATCH"):
                await people.use_backup_code(challenge, next(codes))


async def suspended(people: People, refused: Refusing) -> tuple[Person, str]:
    """An owner with an authenticator whose first factor is suspended, and the token that was mailed."""
    owner = await people.with_authenticator()
    await fails(people, owner, refused)
    return owner, await mailed_link(people, owner)


async def without_a_password(people: People) -> Person:
    """An account that only `asserted` opens, with an authenticator and the session that set it up."""
    address = f"{uuid4().hex[:12]}@example.test"
    request = account_service_pb2.CreateAccountRequest(email=address)
    owner = Person(address, (await people.stubs.accounts.CreateAccount(request)).account.account_id)
    challenge = await vouched_challenge(people, owner)
    owner.session_token = (await people.verify_email_code(challenge, await people.mailbox.code(address))).session_token
    setup = two_factor_service_pb2.StartAuthenticatorSetupRequest(session_token=owner.session_token)
    setup.reauthentication.asserted.account_id = owner.account_id
    setup.reauthentication.asserted.auth_time.FromDatetime(people.clock.now)
    started = await people.stubs.two_factor.StartAuthenticatorSetup(setup)
    owner.secret = started.secret.replace(" ", "")
    await people.confirm_setup(owner, started.setup_id, owner.code_at(people.clock.now))
    return owner


async def test_the_owner_confirms_and_signs_in_again(people: People, refused: Refusing) -> None:
    """The new password works and the old one does not; the second factor is asked for as ever, and is what it was."""
    owner, token = await suspended(people, refused)
    await confirm(people, token, NEW)
    with refused("CREDENTIALS_MISMATCH"):
        await people.challenge_for(owner)
    owner.password = NEW
    await sign_in_by_app(people, owner)
    challenge = await people.challenge_for(owner)
    await people.use_backup_code(challenge, owner.backup_code)


async def test_sessions_end_and_open_challenges_are_void(people: People, refused: Refusing) -> None:
    """Whoever came in by the old password is out: "sessions and open challenges end"; kept replies are erased. A
    completed challenge stays completed. It fails with each of the three taken out."""
    owner = await people.with_authenticator()
    done, request_id = await people.challenge_for(owner), str(uuid4())
    used = await people.use_backup_code(done, owner.backup_code, request_id)
    waiting = await people.challenge_for(owner)
    await fails(people, owner, refused)
    await confirm(people, await mailed_link(people, owner), NEW)
    for session_token in (owner.session_token, used.session_token):
        with refused("SESSION_ENDED"):
            await people.session(session_token)
    with refused("CHALLENGE_EXPIRED"):
        await people.use_backup_code(waiting, used.new_backup_code.code)
    assert (await people.challenge(waiting)).state == types_pb2.CHALLENGE_STATE_EXPIRED
    assert (await people.challenge(done)).state == types_pb2.CHALLENGE_STATE_COMPLETED
    with refused("REQUEST_ID_EXPIRED"):
        await people.use_backup_code(done, owner.backup_code, request_id)


async def test_the_count_begins_anew(people: People, refused: Refusing) -> None:
    """After it, nineteen wrong codes suspend nothing, and the owner is told from the fifth of them on; the next
    suspension is mailed with a link of its own, and the first link is used up. It fails, at the first wrong code, when
    the failures are not cleared."""
    owner, first = await suspended(people, refused)
    await confirm(people, first, NEW)
    await fails(people, owner, refused, challenges=1)
    await people.mailbox.wait_for(owner.email, FAILED, 16)
    assert len(people.mailbox.to(owner.email, SUSPENDED)) == 1
    await fails(people, owner, refused, challenges=3)
    second = await mailed_link(people, owner, 2)
    assert second != first
    await confirm(people, first, NEW)
    with refused("FIRST_FACTOR_SUSPENDED"):
        await vouched_challenge(people, owner)
    await confirm(people, second, NEW)
    await vouched_challenge(people, owner)


async def test_the_same_call_once_more_is_ok_and_another_is_not(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """ "Repeated with the same new password it is OK", and changes nothing: a session opened since goes on. With
    another password the link is used up."""
    owner, token = await suspended(people, refused)
    await confirm(people, token, NEW)
    owner.password = NEW
    signed_in = await sign_in_by_app(people, owner)
    before = await rows(postgres.url, "accounts", owner.account_id)
    await confirm(people, token, NEW)
    assert await rows(postgres.url, "accounts", owner.account_id) == before
    await people.session(signed_in.session_token)
    for password in ("another password", ""):
        with refused("LINK_INVALID"):
            await confirm(people, token, password)
    events = [row["outcome"] for row in await audit(postgres.url, owner.account_id) if "confirm_first" in row["action"]]
    assert events == ["success"]


async def test_an_account_without_a_password_gets_none(people: People, refused: Refusing) -> None:
    """It confirms without one, and a password beside it is INVALID_FIELD; a refusal uses nothing up."""
    owner = await without_a_password(people)
    await fails(people, owner, refused)
    token = await mailed_link(people, owner)
    with refused("INVALID_FIELD") as said:
        await confirm(people, token, NEW)
    assert said[0].fields == ("new_password",)
    for _ in range(2):
        await confirm(people, token)
    with refused("SESSION_ENDED"):
        await people.session(owner.session_token)
    await vouched_challenge(people, owner)
    found = await people.stubs.accounts.GetAccount(account_service_pb2.GetAccountRequest(email=owner.email))
    assert not found.account.has_password


async def test_a_password_is_wanted_and_must_be_good(people: People, refused: Refusing) -> None:
    """Without one, and with one that is too short, nothing happens: the link still works."""
    owner, token = await suspended(people, refused)
    with refused("INVALID_FIELD") as said:
        await confirm(people, token)
    assert said[0].fields == ("new_password",)
    with refused("PASSWORD_REJECTED") as said:
        await confirm(people, token, "1234567")
    assert said[0].fields == ("new_password",)
    with refused("FIRST_FACTOR_SUSPENDED"):
        await people.challenge_for(owner)
    await confirm(people, token, NEW)


async def test_a_link_that_is_none(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """Unknown, another account's, over after seven days, of another purpose, or of a closed account: LINK_INVALID, all
    alike. Another kind of token is INVALID_FIELD."""
    owner, token = await suspended(people, refused)
    _, other = await suspended(people, refused)
    for wrong in (token[:-8] + "AAAAAAAA", token[:26] + other[26:]):
        with refused("LINK_INVALID") as said:
            await confirm(people, wrong, NEW)
        assert (said[0].code, said[0].metadata) == (grpc.StatusCode.FAILED_PRECONDITION, {})
    with refused("INVALID_FIELD") as said:
        await confirm(people, owner.session_token, NEW)
    assert said[0].fields == ("token",)
    for change, back in (
        ("UPDATE mailed_links SET purpose = 'not-me'", "UPDATE mailed_links SET purpose = 'confirm-sign-in'"),
        ("UPDATE accounts SET close_time = now()", "UPDATE accounts SET close_time = NULL"),
    ):
        await query(postgres.url, f"{change} WHERE account_id = $1::text::uuid", owner.account_id)
        with refused("LINK_INVALID"):
            await confirm(people, token, NEW)
        await query(postgres.url, f"{back} WHERE account_id = $1::text::uuid", owner.account_id)
    people.clock.advance(timedelta(days=7) - timedelta(seconds=1))
    await confirm(people, token, NEW)
    people.clock.advance(timedelta(seconds=1))
    for late in (token, other):
        with refused("LINK_INVALID"):
            await confirm(people, late, NEW)
