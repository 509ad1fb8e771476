"""Limits: nobody's inbox can be flooded with codes."""

from datetime import timedelta

import pytest

from tests.article.steps import from_network, sign_in_by_mail
from tests.conftest import Refusing
from tests.people import People
from tests.security.tables import of_account, rows
from twofactor_server.postgres import EmbeddedPostgres


async def test_three_codes_a_challenge(people: People, refused: Refusing) -> None:
    """ "3 sends per challenge (StartSignIn's is the first)". The third still works; then another sign-in is needed."""
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    for number in (1, 2):
        await people.mailbox.wait_for(owner.email, "sign-in-code", number)
        assert (await people.challenge(challenge)).HasField("next_send_time")
        shown = await people.send_email_code(challenge)
    assert not shown.HasField("next_send_time")
    people.clock.advance(timedelta(minutes=1))
    with refused("DELIVERY_THROTTLED") as said:
        await people.send_email_code(challenge)
    assert said[0].retry_after == pytest.approx(540, abs=0.01)
    assert said[0].trailers["grpc-retry-pushback-ms"] == "-1"
    await people.verify_email_code(challenge, await people.mailbox.code(owner.email, 3))
    assert (await people.challenge(await people.challenge_for(owner))).HasField("next_send_time")


async def test_five_codes_an_hour_for_one_network(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """ "Half of that per network prefix … Budget spent: StartSignIn refuses with DELIVERY_THROTTLED", and opens no
    challenge. The owner elsewhere still gets a code."""
    owner = await people.with_account()
    here, elsewhere = from_network(1), from_network(2)
    for _ in range(5):
        await people.challenge_for(owner, here)
        people.clock.advance(timedelta(minutes=2))
    before = await of_account(postgres.url, owner.account_id)
    with refused("DELIVERY_THROTTLED") as said:
        await people.challenge_for(owner, here)
    assert said[0].retry_after == pytest.approx(3000, abs=0.01)
    assert len(before["challenges"]) == len(await rows(postgres.url, "challenges", owner.account_id)) == 5
    assert len(await rows(postgres.url, "email_codes", owner.account_id)) == 5
    await people.challenge_for(owner, elsewhere)
    people.clock.advance(timedelta(seconds=3000))
    await people.challenge_for(owner, here)


async def test_ten_codes_an_hour_for_one_account(people: People, refused: Refusing) -> None:
    """ "10 per account and hour", whichever networks they were asked for from; a resend counts as well."""
    owner = await people.with_account()
    for network in range(8):
        challenge = await people.challenge_for(owner, from_network(network))
    for network in (8, 9):
        await people.send_email_code(challenge, client=from_network(network))
    await people.mailbox.wait_for(owner.email, "sign-in-code", 10)
    people.clock.advance(timedelta(minutes=6))
    with refused("DELIVERY_THROTTLED") as said:
        await people.challenge_for(owner, from_network(10))
    assert said[0].retry_after == pytest.approx(3240, abs=0.01)
    people.clock.advance(timedelta(seconds=3240))
    await sign_in_by_mail(people, owner, 11)


async def test_a_budget_spent_does_not_bar_the_app(people: People) -> None:
    """Mail budgets are the mails': who uses an authenticator signs in as often as they like."""
    owner = await people.with_authenticator()
    for _ in range(12):
        await people.challenge_for(owner)
