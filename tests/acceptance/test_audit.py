"""Audit events: actor, action, time, client, outcome, factor and caller, and never a secret."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.support.clock import Clock
from tests.support.factories import PASSWORD, AccountFactory, Owner, unused_email
from tests.support.rpc import CLIENT, Rpc, refused
from tests.support.steps import sign_in_by_app, sign_in_by_backup_code, wrong_digits
from tests.support.tables import audit
from twofactor_server.postgres import EmbeddedPostgres

Story = Callable[[AccountFactory, Owner], Awaitable[object]]


async def signs_in_by_email(factory: AccountFactory, owner: Owner) -> None:
    challenge = await factory.challenge_for(owner)
    await factory.rpc.VerifyEmailCode(challenge_token=challenge, code=await factory.mailbox.code(owner.email, 2))


async def mistypes_the_email_code(factory: AccountFactory, owner: Owner) -> None:
    challenge = await factory.challenge_for(owner)
    with refused("CODE_MISMATCH"):
        await factory.rpc.VerifyEmailCode(
            challenge_token=challenge, code=wrong_digits(await factory.mailbox.code(owner.email, 2))
        )


async def types_a_superseded_code(factory: AccountFactory, owner: Owner) -> None:
    challenge = await factory.challenge_for(owner)
    older = await factory.mailbox.code(owner.email, 2)
    await factory.rpc.SendEmailCode(challenge_token=challenge)
    with refused("CODE_SUPERSEDED"):
        await factory.rpc.VerifyEmailCode(challenge_token=challenge, code=older)


async def types_an_expired_code(factory: AccountFactory, owner: Owner) -> None:
    challenge = await factory.challenge_for(owner)
    code = await factory.mailbox.code(owner.email, 2)
    factory.clock.advance(timedelta(minutes=6))
    with refused("CODE_EXPIRED"):
        await factory.rpc.VerifyEmailCode(challenge_token=challenge, code=code)


async def mistypes_the_password(factory: AccountFactory, owner: Owner) -> None:
    owner.password = "not the password"
    with refused("CREDENTIALS_MISMATCH"):
        await factory.challenge_for(owner)


async def signs_out(factory: AccountFactory, owner: Owner) -> None:
    await factory.rpc.SignOut(session_token=owner.session_token)


async def sets_up_the_authenticator(factory: AccountFactory, owner: Owner) -> None:
    await factory.set_up_authenticator(owner)


async def cancels_a_setup(factory: AccountFactory, owner: Owner) -> None:
    await factory.rpc.CancelAuthenticatorSetup(
        session_token=owner.session_token,
        setup_id=(await factory.rpc.StartAuthenticatorSetup(**owner.by_password())).setup_id,
    )


async def mistypes_the_first_code(factory: AccountFactory, owner: Owner) -> None:
    started = await factory.rpc.StartAuthenticatorSetup(**owner.by_password())
    owner.secret = started.secret.replace(" ", "")
    with refused("CODE_MISMATCH"):
        await factory.rpc.ConfirmAuthenticatorSetup(
            session_token=owner.session_token, setup_id=started.setup_id, code=owner.wrong_code_at(factory.clock.now)
        )


async def signs_in_by_app(factory: AccountFactory, owner: Owner) -> None:
    await sign_in_by_app(factory, owner)


async def mistypes_the_app_code(factory: AccountFactory, owner: Owner) -> None:
    with refused("CODE_MISMATCH"):
        challenge = await factory.challenge_for(owner)
        await factory.rpc.VerifyAuthenticatorCode(
            challenge_token=challenge, code=owner.wrong_code_at(factory.clock.now)
        )


async def repeats_the_app_code(factory: AccountFactory, owner: Owner) -> None:
    with refused("CODE_ALREADY_USED"):
        await factory.rpc.VerifyAuthenticatorCode(
            challenge_token=await factory.challenge_for(owner), code=owner.code_at(factory.clock.now)
        )


async def uses_the_backup_code(factory: AccountFactory, owner: Owner) -> None:
    await sign_in_by_backup_code(factory, owner)


async def mistypes_the_backup_code(factory: AccountFactory, owner: Owner) -> None:
    challenge = await factory.challenge_for(owner)
    for _ in range(2):
        with refused("CODE_MISMATCH"):
            await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code="abcd 1234 ef56 7890")


async def uses_a_used_backup_code(factory: AccountFactory, owner: Owner) -> None:
    used = owner.backup_code
    await sign_in_by_backup_code(factory, owner)
    challenge = await factory.challenge_for(owner)
    for _ in range(2):
        with refused("CODE_ALREADY_USED"):
            await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=used)


async def retries_a_use(factory: AccountFactory, owner: Owner) -> None:
    challenge, request_id = await factory.challenge_for(owner), str(uuid4())
    for _ in range(2):
        await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=request_id)


async def confirms_saved(factory: AccountFactory, owner: Owner) -> None:
    for _ in range(2):
        await factory.rpc.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=owner.generation)


async def regenerates(factory: AccountFactory, owner: Owner) -> None:
    await factory.rpc.RegenerateBackupCode(**owner.by_password())


async def mistypes_the_password_of_a_change(factory: AccountFactory, owner: Owner) -> None:
    for _ in range(2):
        with refused("REAUTHENTICATION_FAILED"):
            await factory.rpc.RegenerateBackupCode(**owner.by_password(password="not the password"))


async def removes_the_authenticator(factory: AccountFactory, owner: Owner) -> None:
    for _ in range(2):
        await factory.rpc.RemoveAuthenticator(**owner.by_password())


STORIES: list[tuple[Story, str, str, str | None, str]] = [
    (signs_in_by_email, "start_sign_in", "success", "password", "challenge"),
    (signs_in_by_email, "send_email_code", "success", "email_code", "challenge"),
    (signs_in_by_email, "verify_email_code", "success", "email_code", "challenge session"),
    (mistypes_the_email_code, "verify_email_code", "CODE_MISMATCH", "email_code", "challenge"),
    (types_a_superseded_code, "verify_email_code", "CODE_SUPERSEDED", "email_code", "challenge"),
    (types_an_expired_code, "verify_email_code", "CODE_EXPIRED", "email_code", "challenge"),
    (mistypes_the_password, "start_sign_in", "CREDENTIALS_MISMATCH", "password", ""),
    (signs_out, "sign_out", "success", None, "session"),
    (sets_up_the_authenticator, "start_authenticator_setup", "success", "authenticator", "session"),
    (sets_up_the_authenticator, "confirm_authenticator_setup", "success", "authenticator", "session"),
    (cancels_a_setup, "cancel_authenticator_setup", "success", "authenticator", "session"),
    (mistypes_the_first_code, "confirm_authenticator_setup", "CODE_MISMATCH", "authenticator", "session"),
    (signs_in_by_app, "verify_authenticator_code", "success", "authenticator", "challenge session"),
    (mistypes_the_app_code, "verify_authenticator_code", "CODE_MISMATCH", "authenticator", "challenge"),
    (repeats_the_app_code, "verify_authenticator_code", "CODE_ALREADY_USED", "authenticator", "challenge"),
    (uses_the_backup_code, "use_backup_code", "success", "backup_code", "challenge session"),
    (mistypes_the_backup_code, "use_backup_code", "CODE_MISMATCH", "backup_code", "challenge"),
    (uses_a_used_backup_code, "use_backup_code", "CODE_ALREADY_USED", "backup_code", "challenge"),
    (retries_a_use, "replay", "success", None, "challenge session"),
    (confirms_saved, "confirm_backup_code_saved", "success", "backup_code", "session"),
    (regenerates, "regenerate_backup_code", "success", "backup_code", "session"),
    (mistypes_the_password_of_a_change, "reauthenticate", "REAUTHENTICATION_FAILED", "password", "session"),
    (removes_the_authenticator, "remove_authenticator", "success", "authenticator", "session"),
]
WITHOUT_CLIENT = ("sign_out", "cancel_authenticator_setup", "confirm_backup_code_saved")
"""The requests of these do not carry the person's browser."""
FIRST_WITH_APP = [story for story, *_ in STORIES].index(signs_in_by_app)


@pytest.mark.parametrize(("number", "action", "outcome"), [(n, story[1], story[2]) for n, story in enumerate(STORIES)])
async def test_each_action_writes_one_event(
    factory: AccountFactory, clock: Clock, postgres: EmbeddedPostgres, number: int, action: str, outcome: str
) -> None:
    """Each action writes exactly one event with the account, action, time, client, outcome, factor and caller."""
    story, _, _, factor, bound = STORIES[number]
    owner = await (factory.account_with_authenticator() if number >= FIRST_WITH_APP else factory.signed_in_account())
    before = {row["event_id"] for row in await audit(postgres.url, owner.account_id)}
    await story(factory, owner)
    new = [row for row in await audit(postgres.url, owner.account_id) if row["event_id"] not in before]
    (row,) = [row for row in new if (row["action"], row["outcome"]) == (action, outcome)]
    assert row["time"] == clock.now
    assert (row["factor"], row["caller"]) == (factor, "local")
    assert len(row["call_id"]) == 32
    seen = ("", "") if action in WITHOUT_CLIENT else (CLIENT.ip_address, CLIENT.user_agent)
    assert (row["ip_address"], row["user_agent"]) == seen
    assert bool(row["challenge_id"]) == ("challenge" in bound)
    assert bool(row["session_id"]) == ("session" in bound)
    secrets = [PASSWORD, owner.password, owner.secret, owner.backup_code, owner.session_token, "abcd1234ef567890"]
    text = str(new)
    assert not [secret for secret in secrets if secret and secret in text]


async def test_creating_an_account_writes_one_event(
    factory: AccountFactory, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    """CreateAccount writes one event without a factor."""
    owner = await factory.account()
    (row,) = await audit(postgres.url, owner.account_id)
    assert (row["action"], row["outcome"], row["time"]) == ("create_account", "success", clock.now)


async def test_a_sign_in_with_an_unknown_address_is_audited(
    factory: AccountFactory, postgres: EmbeddedPostgres
) -> None:
    """The event belongs to no account and does not contain the address that was typed."""
    attacker = Owner(unused_email(), "")
    no_account = UUID(int=0)
    before = len(await audit(postgres.url, no_account))
    with refused("CREDENTIALS_MISMATCH"):
        await factory.challenge_for(attacker)
    rows = await audit(postgres.url, no_account)
    assert len(rows) == before + 1
    assert rows[-1]["outcome"] == "CREDENTIALS_MISMATCH"
    assert attacker.email not in str(rows)


async def test_read_methods_write_no_event(factory: AccountFactory, rpc: Rpc, postgres: EmbeddedPostgres) -> None:
    """GetSession, GetTwoFactor and GetChallenge."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    before = await audit(postgres.url, owner.account_id)
    await rpc.GetSession(session_token=owner.session_token)
    await rpc.GetTwoFactor(session_token=owner.session_token)
    await rpc.GetChallenge(challenge_token=challenge)
    assert await audit(postgres.url, owner.account_id) == before
