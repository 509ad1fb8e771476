"""ReportNotMe and the second factor: it restores the state before the change, never a weaker one."""

import re
from itertools import permutations
from random import Random

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.mailbox import Mailbox, text_of
from tests.support.rpc import Refused, Rpc, refused
from tests.support.steps import (
    NEW_PASSWORD,
    STEP,
    report_not_me,
    report_token,
    sign_in_by_app,
    sign_in_by_backup_code,
    sign_in_by_email,
)
from tests.support.tables import query, rows
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

AUTHENTICATOR, EMAIL = types_pb2.SECOND_FACTOR_AUTHENTICATOR, types_pb2.SECOND_FACTOR_EMAIL_CODE
RESTORED = ["SESSIONS_ENDED", "PASSWORD_CHANGED", "AUTHENTICATOR_RESTORED", "BACKUP_CODE_RETIRED"]


async def factor(postgres: EmbeddedPostgres, owner: Owner) -> dict[str, object]:
    """The row of the second factor."""
    return (await rows(postgres.url, "second_factors", owner.account_id))[0]


async def set_up_second_device(factory: AccountFactory, owner: Owner) -> Owner:
    """Set up another authenticator in the owner's session. Waits for each notice, which keeps the order of notices
    known."""
    await factory.mailbox.wait_for(owner.email, "authenticator-on")
    before = len(factory.mailbox.to(owner.email, "authenticator-on"))
    factory.clock.advance(STEP)
    attacker = Owner(owner.email, owner.account_id, session_token=owner.session_token)
    await factory.set_up_authenticator(attacker)
    await factory.mailbox.wait_for(owner.email, "authenticator-on", before + 1)
    return attacker


async def assert_code_retired(factory: AccountFactory, owner: Owner, *retired: str) -> None:
    """The owner signs in by the app, no backup code that was shown works, and the status says must_regenerate."""
    for code in retired:
        with refused("CODE_MISMATCH"):
            await factory.rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=code)
    signed_in = await sign_in_by_app(factory, owner)
    status = await factory.rpc.GetTwoFactor(session_token=signed_in.session_token)
    assert status.method == AUTHENTICATOR
    assert status.backup_code.must_regenerate
    assert not status.backup_code.HasField("save_time")
    owner.session_token = signed_in.session_token
    fresh = (await factory.rpc.RegenerateBackupCode(**owner.by_password())).backup_code
    assert fresh.generation == status.backup_code.generation + 1
    await factory.rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=fresh.code)


async def test_a_report_retires_the_codes_of_a_use(factory: AccountFactory, rpc: Rpc) -> None:
    """The code shown to the attacker is retired, and the previous one is recognised as used."""
    owner = await factory.account_with_authenticator()
    used = owner.backup_code
    await sign_in_by_backup_code(factory, owner)
    assert "BACKUP_CODE_RETIRED" in await report_not_me(factory, owner.email, "backup-code-used", NEW_PASSWORD)
    owner.password = NEW_PASSWORD
    with refused("CODE_ALREADY_USED"):
        await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=used)
    await assert_code_retired(factory, owner, owner.backup_code)


@pytest.mark.parametrize("then", ["used", "regenerated", "both"])
async def test_a_report_retires_later_codes_of_the_attacker(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, then: str
) -> None:
    """The attacker used the code again, or regenerated in its session: the link of the first notice retires that code
    as well. Fails if only that generation is checked."""
    owner = await factory.account_with_authenticator()
    signed_in = await sign_in_by_backup_code(factory, owner)
    first = await mailbox.link(owner.email, "backup-code-used", "not-me")
    if then in ("used", "both"):
        await sign_in_by_backup_code(factory, owner)
    if then in ("regenerated", "both"):
        session = signed_in.session_token
        shown = await rpc.RegenerateBackupCode(
            **Owner(owner.email, owner.account_id, session_token=session).by_password()
        )
        owner.backup_code = shown.backup_code.code
    # In "both", the first session regenerates after a second one used the code: both belong to the attacker.
    assert "BACKUP_CODE_RETIRED" in await report_token(factory, first, NEW_PASSWORD)
    owner.password = NEW_PASSWORD
    await assert_code_retired(factory, owner, owner.backup_code)


async def test_a_report_keeps_a_code_that_the_owner_regenerated(factory: AccountFactory, rpc: Rpc) -> None:
    """Who signed in by the app and regenerated has seen to it: the code that they wrote down goes on working."""
    owner = await factory.account_with_authenticator()
    await sign_in_by_backup_code(factory, owner)
    owner.session_token = (await sign_in_by_app(factory, owner)).session_token
    mine = (await rpc.RegenerateBackupCode(**owner.by_password())).backup_code.code
    undone = await report_not_me(factory, owner.email, "backup-code-used", NEW_PASSWORD)
    assert undone == ["SESSIONS_ENDED", "PASSWORD_CHANGED"]
    owner.password = NEW_PASSWORD
    await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=mine)


async def test_a_report_removes_the_new_authenticator(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """The account returns to e-mail codes. The generation continues with the next setup."""
    owner = await factory.account_with_authenticator()
    undone = await report_not_me(factory, owner.email, "authenticator-on", NEW_PASSWORD)
    assert undone == ["SESSIONS_ENDED", "PASSWORD_CHANGED", "AUTHENTICATOR_REMOVED"]
    owner.password = NEW_PASSWORD
    owner.session_token = (await sign_in_by_email(factory, owner, 2)).session_token
    assert (await rpc.GetTwoFactor(session_token=owner.session_token)).method == EMAIL
    clock.advance(STEP)
    await factory.set_up_authenticator(owner)
    assert owner.generation == 2


async def test_a_report_removes_a_used_authenticator(factory: AccountFactory, rpc: Rpc) -> None:
    """It was used to sign in, its backup code was used, or regenerated: the report still removes it."""
    owner = await factory.account_with_authenticator()
    await sign_in_by_app(factory, owner)
    await sign_in_by_backup_code(factory, owner)
    await rpc.RegenerateBackupCode(**owner.by_password())
    assert "AUTHENTICATOR_REMOVED" in await report_not_me(factory, owner.email, "authenticator-on")


@pytest.mark.parametrize("change", ["moved", "removed"])
async def test_a_report_restores_the_previous_authenticator(
    factory: AccountFactory, rpc: Rpc, clock: Clock, postgres: EmbeddedPostgres, change: str
) -> None:
    """The owner's device works again, without accepting a time step twice. The attacker's device and all backup codes
    do not. Fails after a removal if the last accepted step is forgotten."""
    owner = await factory.account_with_authenticator()
    spent = owner.code_at(clock.now)
    codes = [owner.backup_code]
    if change == "moved":
        attacker = await set_up_second_device(factory, owner)
        codes.append(attacker.backup_code)
        undone = await report_not_me(factory, owner.email, "authenticator-on", NEW_PASSWORD, nth=2)
    else:
        attacker = owner
        await rpc.RemoveAuthenticator(**owner.by_password())
        undone = await report_not_me(factory, owner.email, "authenticator-off", NEW_PASSWORD)
    assert undone == RESTORED
    owner.password = attacker.password = NEW_PASSWORD
    challenge = await factory.challenge_for(owner)
    with refused("CODE_ALREADY_USED"):
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=spent)
    if change == "moved":
        with refused("CODE_MISMATCH"):
            await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=attacker.code_at(clock.now, 1))
    await assert_code_retired(factory, owner, *codes)
    kept = await rows(postgres.url, "mailed_links", owner.account_id)
    assert [link["totp_secret"] for link in kept if link["use_time"]] == [None]


async def test_a_restored_authenticator_stays_disabled(
    factory: AccountFactory, rpc: Rpc, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    """ "Re-enabling never un-disables": moving and reporting does not clear a hundred failures."""
    owner = await factory.account_with_authenticator()
    await sign_in_by_backup_code(factory, owner)
    statement = """UPDATE second_factors SET authenticator_disabled = true, authenticator_failures = 100
                   WHERE account_id = $1::text::uuid"""
    await query(postgres.url, statement, owner.account_id)
    await set_up_second_device(factory, owner)
    assert await report_not_me(factory, owner.email, "authenticator-on", NEW_PASSWORD, nth=2) == RESTORED
    owner.password = NEW_PASSWORD
    clock.advance(STEP)
    challenge = await factory.challenge_for(owner)
    assert (await rpc.GetChallenge(challenge_token=challenge)).challenge.authenticator_disabled
    with refused("AUTHENTICATOR_DISABLED"):
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now))
    assert (await factor(postgres, owner))["authenticator_failures"] == 100


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_reports_of_several_changes_in_any_order(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, order: tuple[int, ...]
) -> None:
    """Moved, removed and set up: whichever notice the owner answers first, the first device works again in the end.
    Fails if a link used early does not pass on what it restores, or if restored codes are not recognised."""
    owner = await factory.account_with_authenticator()
    await set_up_second_device(factory, owner)
    links = [await mailbox.link(owner.email, "authenticator-on", "not-me", 2)]
    await rpc.RemoveAuthenticator(**owner.by_password())
    links.append(await mailbox.link(owner.email, "authenticator-off", "not-me"))
    await set_up_second_device(factory, owner)
    links.append(await mailbox.link(owner.email, "authenticator-on", "not-me", 3))
    for number in order:
        await report_token(factory, links[number], NEW_PASSWORD)
    owner.password = NEW_PASSWORD
    await assert_code_retired(factory, owner)


async def test_a_report_keeps_a_later_change_of_the_owner(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """Set up, then moved to a new device: the link of the first notice does not remove the second device."""
    owner = await factory.account_with_authenticator()
    first = await mailbox.link(owner.email, "authenticator-on", "not-me")
    owner = await set_up_second_device(factory, owner)
    assert await report_token(factory, first, NEW_PASSWORD) == ["SESSIONS_ENDED", "PASSWORD_CHANGED"]
    owner.password = NEW_PASSWORD
    await sign_in_by_app(factory, owner)
    await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=owner.backup_code)


@pytest.mark.parametrize("seed", range(4))
async def test_reports_never_weaken_the_second_factor(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, postgres: EmbeddedPostgres, seed: int
) -> None:
    """An account that had an authenticator before every change that can still be reported keeps an authenticator of the
    owner, whatever links are used in whatever order, and its backup codes are retired.

    Fails if a report of a move removes the authenticator.
    """
    owner = await factory.account_with_authenticator()
    await mailbox.wait_for(owner.email, "authenticator-on")
    await query(postgres.url, "DELETE FROM mailed_links WHERE account_id = $1::text::uuid", owner.account_id)
    secrets = {(await factor(postgres, owner))["totp_secret"]}
    for _ in range(2):
        await sign_in_by_backup_code(factory, owner)
        await rpc.RegenerateBackupCode(**owner.by_password())
        owner = await set_up_second_device(factory, owner)
        secrets.add((await factor(postgres, owner))["totp_secret"])
    await mailbox.wait_for(owner.email, "authenticator-on", 3)
    await mailbox.wait_for(owner.email, "backup-code-regenerated", 2)
    links = [link for mail in mailbox.to(owner.email) for link in re.findall(r"not-me\?token=(\S+)", text_of(mail))]
    of_the_first_setup = links.pop(0)
    Random(seed).shuffle(links)
    assert len(links) == 6
    for link in links:
        assert "AUTHENTICATOR_REMOVED" not in await report_token(factory, link, NEW_PASSWORD)
        now = await factor(postgres, owner)
        assert now["method"] == "authenticator"
        assert now["totp_secret"] in secrets
    assert now["saved_time"] is None
    with pytest.raises(Refused):
        await report_token(factory, of_the_first_setup, NEW_PASSWORD)
