"""Budgets of sign-in e-mails."""

from datetime import timedelta

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory
from tests.support.mailbox import Mailbox
from tests.support.rpc import Rpc, refused
from tests.support.steps import from_network, sign_in_by_email
from tests.support.tables import of_account, rows
from twofactor_server.postgres import EmbeddedPostgres


async def test_three_codes_per_challenge(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock) -> None:
    """ "3 sends per challenge (StartSignIn's is the first)". The third code still works; then a new sign-in is
    needed."""
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    for number in (1, 2):
        await mailbox.wait_for(owner.email, "sign-in-code", number)
        assert (await rpc.GetChallenge(challenge_token=challenge)).challenge.HasField("next_send_time")
        shown = (await rpc.SendEmailCode(challenge_token=challenge)).challenge
    assert not shown.HasField("next_send_time")
    clock.advance(timedelta(minutes=1))
    with refused("DELIVERY_THROTTLED") as refusal:
        await rpc.SendEmailCode(challenge_token=challenge)
    assert refusal.value.retry_after == pytest.approx(540, abs=0.01)
    assert refusal.value.trailers["grpc-retry-pushback-ms"] == "-1"
    await rpc.VerifyEmailCode(challenge_token=challenge, code=await mailbox.code(owner.email, 3))
    assert (await rpc.GetChallenge(challenge_token=await factory.challenge_for(owner))).challenge.HasField(
        "next_send_time"
    )


async def test_five_codes_per_hour_and_network(
    factory: AccountFactory, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    """ "Half of that per network prefix … Budget spent: StartSignIn refuses with DELIVERY_THROTTLED", and opens no
    challenge. The owner elsewhere still gets a code."""
    owner = await factory.account()
    here, elsewhere = from_network(1), from_network(2)
    for _ in range(5):
        await factory.challenge_for(owner, client=here)
        clock.advance(timedelta(minutes=2))
    before = await of_account(postgres.url, owner.account_id)
    with refused("DELIVERY_THROTTLED") as refusal:
        await factory.challenge_for(owner, client=here)
    assert refusal.value.retry_after == pytest.approx(3000, abs=0.01)
    assert len(before["challenges"]) == len(await rows(postgres.url, "challenges", owner.account_id)) == 5
    assert len(await rows(postgres.url, "email_codes", owner.account_id)) == 5
    await factory.challenge_for(owner, client=elsewhere)
    clock.advance(timedelta(seconds=3000))
    await factory.challenge_for(owner, client=here)


async def test_ten_codes_per_hour_and_account(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock
) -> None:
    """ "10 per account and hour", from all networks together. A resend counts as well."""
    owner = await factory.account()
    for network in range(8):
        challenge = await factory.challenge_for(owner, client=from_network(network))
    for network in (8, 9):
        await rpc.SendEmailCode(challenge_token=challenge, client=from_network(network))
    await mailbox.wait_for(owner.email, "sign-in-code", 10)
    clock.advance(timedelta(minutes=6))
    with refused("DELIVERY_THROTTLED") as refusal:
        await factory.challenge_for(owner, client=from_network(10))
    assert refusal.value.retry_after == pytest.approx(3240, abs=0.01)
    clock.advance(timedelta(seconds=3240))
    await sign_in_by_email(factory, owner, 11)


async def test_email_budgets_do_not_limit_authenticator_sign_ins(factory: AccountFactory) -> None:
    owner = await factory.account_with_authenticator()
    for _ in range(12):
        await factory.challenge_for(owner)
