"""ConfirmFirstFactor: the e-mailed link lifts the suspension and sets a new password."""

from datetime import timedelta
from uuid import uuid4

import grpc

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.mailbox import Mailbox
from tests.support.rpc import Rpc, refused
from tests.support.steps import FAILED, SUSPENDED, sign_in_by_app, unlock_token, wrong_backup_codes
from tests.support.tables import audit, query, rows
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

NEW = "a password chosen by the owner"


async def fail(factory: AccountFactory, owner: Owner, challenges: int = 4) -> None:
    """Try five wrong backup codes on each of ``challenges`` new challenges."""
    codes = wrong_backup_codes()
    for _ in range(challenges):
        challenge = await factory.asserted_challenge_for(owner)
        for _ in range(5):
            with refused("CODE_MISMATCH"):
                await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=next(codes))


async def suspended_account(factory: AccountFactory) -> tuple[Owner, str]:
    """An account with an authenticator whose first factor is suspended, and the e-mailed token."""
    owner = await factory.account_with_authenticator()
    await fail(factory, owner)
    return owner, await unlock_token(factory, owner)


async def account_without_password(factory: AccountFactory) -> Owner:
    """An account that only `asserted` opens, with an authenticator and the session that set it up."""
    owner = await factory.account_without_password()
    started = await factory.rpc.StartAuthenticatorSetup(**factory.by_assertion(owner))
    await factory.finish_setup(owner, started)
    return owner


async def test_confirming_sets_the_new_password(factory: AccountFactory, rpc: Rpc) -> None:
    """The new password works and the old one does not. The second factor is unchanged and still required."""
    owner, token = await suspended_account(factory)
    await rpc.ConfirmFirstFactor(token=token, new_password=NEW)
    with refused("CREDENTIALS_MISMATCH"):
        await factory.challenge_for(owner)
    owner.password = NEW
    await sign_in_by_app(factory, owner)
    challenge = await factory.challenge_for(owner)
    await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)


async def test_confirming_ends_sessions_and_challenges(factory: AccountFactory, rpc: Rpc) -> None:
    """ "Sessions and open challenges end", and stored replies are erased. Completed challenges stay completed. Fails
    without any of the three."""
    owner = await factory.account_with_authenticator()
    done, request_id = await factory.challenge_for(owner), str(uuid4())
    used = await rpc.UseBackupCode(challenge_token=done, backup_code=owner.backup_code, request_id=request_id)
    waiting = await factory.challenge_for(owner)
    await fail(factory, owner)
    await rpc.ConfirmFirstFactor(token=await unlock_token(factory, owner), new_password=NEW)
    for session_token in (owner.session_token, used.session_token):
        with refused("SESSION_ENDED"):
            await rpc.GetSession(session_token=session_token)
    with refused("CHALLENGE_EXPIRED"):
        await rpc.UseBackupCode(challenge_token=waiting, backup_code=used.new_backup_code.code)
    assert (await rpc.GetChallenge(challenge_token=waiting)).challenge.state == types_pb2.CHALLENGE_STATE_EXPIRED
    assert (await rpc.GetChallenge(challenge_token=done)).challenge.state == types_pb2.CHALLENGE_STATE_COMPLETED
    with refused("REQUEST_ID_EXPIRED"):
        await rpc.UseBackupCode(challenge_token=done, backup_code=owner.backup_code, request_id=request_id)


async def test_confirming_resets_the_failure_count(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """Nineteen more wrong codes do not suspend, and the owner is notified from the fifth on. The next suspension has a
    link of its own. Fails at the first wrong code if the failures are not cleared."""
    owner, first = await suspended_account(factory)
    await rpc.ConfirmFirstFactor(token=first, new_password=NEW)
    await fail(factory, owner, challenges=1)
    await mailbox.wait_for(owner.email, FAILED, 16)
    assert len(mailbox.to(owner.email, SUSPENDED)) == 1
    await fail(factory, owner, challenges=3)
    second = await unlock_token(factory, owner, 2)
    assert second != first
    await rpc.ConfirmFirstFactor(token=first, new_password=NEW)
    with refused("FIRST_FACTOR_SUSPENDED"):
        await factory.asserted_challenge_for(owner)
    await rpc.ConfirmFirstFactor(token=second, new_password=NEW)
    await factory.asserted_challenge_for(owner)


async def test_a_retry_succeeds_and_another_password_does_not(
    factory: AccountFactory, rpc: Rpc, postgres: EmbeddedPostgres
) -> None:
    """ "Repeated with the same new password it is OK", and changes nothing: a session opened since stays. With another
    password it is LINK_INVALID."""
    owner, token = await suspended_account(factory)
    await rpc.ConfirmFirstFactor(token=token, new_password=NEW)
    owner.password = NEW
    signed_in = await sign_in_by_app(factory, owner)
    before = await rows(postgres.url, "accounts", owner.account_id)
    await rpc.ConfirmFirstFactor(token=token, new_password=NEW)
    assert await rows(postgres.url, "accounts", owner.account_id) == before
    await rpc.GetSession(session_token=signed_in.session_token)
    for password in ("another password", ""):
        with refused("LINK_INVALID"):
            await rpc.ConfirmFirstFactor(token=token, new_password=password)
    events = [row["outcome"] for row in await audit(postgres.url, owner.account_id) if "confirm_first" in row["action"]]
    assert events == ["success"]


async def test_an_account_without_password_confirms_without_one(factory: AccountFactory, rpc: Rpc) -> None:
    """A password is INVALID_FIELD, and a refusal does not use up the link."""
    owner = await account_without_password(factory)
    await fail(factory, owner)
    token = await unlock_token(factory, owner)
    with refused("INVALID_FIELD") as refusal:
        await rpc.ConfirmFirstFactor(token=token, new_password=NEW)
    assert refusal.value.fields == ("new_password",)
    for _ in range(2):
        await rpc.ConfirmFirstFactor(token=token)
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=owner.session_token)
    await factory.asserted_challenge_for(owner)
    found = await rpc.GetAccount(email=owner.email)
    assert not found.account.has_password


async def test_the_new_password_is_required_and_checked(factory: AccountFactory, rpc: Rpc) -> None:
    """Without a password, or with one that is too short, nothing changes and the link still works."""
    owner, token = await suspended_account(factory)
    with refused("INVALID_FIELD") as refusal:
        await rpc.ConfirmFirstFactor(token=token)
    assert refusal.value.fields == ("new_password",)
    with refused("PASSWORD_REJECTED") as refusal:
        await rpc.ConfirmFirstFactor(token=token, new_password="1234567")
    assert refusal.value.fields == ("new_password",)
    with refused("FIRST_FACTOR_SUSPENDED"):
        await factory.challenge_for(owner)
    await rpc.ConfirmFirstFactor(token=token, new_password=NEW)


async def test_invalid_links(factory: AccountFactory, rpc: Rpc, clock: Clock, postgres: EmbeddedPostgres) -> None:
    """Unknown, another account's, expired after seven days, of another purpose, or of a closed account: LINK_INVALID.
    Another kind of token is INVALID_FIELD."""
    owner, token = await suspended_account(factory)
    _, other = await suspended_account(factory)
    for wrong in (token[:-8] + "AAAAAAAA", token[:26] + other[26:]):
        with refused("LINK_INVALID") as refusal:
            await rpc.ConfirmFirstFactor(token=wrong, new_password=NEW)
        assert (refusal.value.code, refusal.value.metadata) == (grpc.StatusCode.FAILED_PRECONDITION, {})
    with refused("INVALID_FIELD") as refusal:
        await rpc.ConfirmFirstFactor(token=owner.session_token, new_password=NEW)
    assert refusal.value.fields == ("token",)
    for change, back in (
        ("UPDATE mailed_links SET purpose = 'not-me'", "UPDATE mailed_links SET purpose = 'confirm-sign-in'"),
        ("UPDATE accounts SET close_time = now()", "UPDATE accounts SET close_time = NULL"),
    ):
        await query(postgres.url, f"{change} WHERE account_id = $1::text::uuid", owner.account_id)
        with refused("LINK_INVALID"):
            await rpc.ConfirmFirstFactor(token=token, new_password=NEW)
        await query(postgres.url, f"{back} WHERE account_id = $1::text::uuid", owner.account_id)
    clock.advance(timedelta(days=7) - timedelta(seconds=1))
    await rpc.ConfirmFirstFactor(token=token, new_password=NEW)
    clock.advance(timedelta(seconds=1))
    for late in (token, other):
        with refused("LINK_INVALID"):
            await rpc.ConfirmFirstFactor(token=late, new_password=NEW)
