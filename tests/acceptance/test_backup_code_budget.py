"""The hourly budget of wrong backup codes, which never refuses the correct code from another network."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import Rpc, refused
from tests.support.steps import from_network, lift_suspension, wrong_backup_codes
from twofactor.v1 import types_pb2
from twofactor_server.domain.calls import Client
from twofactor_server.domain.limits import SECOND_FACTOR_FAILURES

HOUR = timedelta(hours=1)


@pytest.fixture
def codes() -> Iterator[str]:
    """Wrong codes that the account has not seen."""
    return wrong_backup_codes()


class Guesser:
    """Has the first factor of an account and guesses backup codes from some network. Each suspension is lifted at
    once."""

    def __init__(self, factory: AccountFactory, owner: Owner) -> None:
        self.factory, self.owner = factory, owner
        self.failures = 0

    async def guess(self, codes: list[str], client: types_pb2.ClientInfo) -> None:
        """Try these codes; each is verified and wrong."""
        challenge = ""
        for number, code in enumerate(codes):
            if number % 5 == 0 or self.failures % SECOND_FACTOR_FAILURES.count == 0:
                challenge = await self.factory.asserted_challenge_for(self.owner, client=client)
            with refused("CODE_MISMATCH"):
                await self.factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=code, client=client)
            self.failures += 1
            if self.failures % SECOND_FACTOR_FAILURES.count == 0:
                await lift_suspension(self.factory, self.owner, self.failures // SECOND_FACTOR_FAILURES.count)

    async def assert_throttled(self, code: str, client: types_pb2.ClientInfo) -> float:
        """The code is throttled and nothing is charged; returns the retry delay in seconds."""
        challenge = await self.factory.asserted_challenge_for(self.owner, client=client)
        with refused("ATTEMPTS_THROTTLED") as refusal:
            await self.factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=code, client=client)
        assert (await self.factory.rpc.GetChallenge(challenge_token=challenge)).challenge.attempts_left == 5
        assert refusal.value.retry_after is not None
        return refusal.value.retry_after


async def test_thirty_wrong_codes_from_one_network(
    factory: AccountFactory, rpc: Rpc, clock: Clock, codes: Iterator[str]
) -> None:
    """ "At most 30 of them from one network prefix": further guesses from there are throttled, and the owner elsewhere
    is not.

    A code that is typed again is not another guess. The budget is free again after an hour.
    """
    owner = await factory.account_with_authenticator()
    guesser = Guesser(factory, owner)
    here, neighbour, elsewhere = from_network(1), from_network(1), from_network(2)
    neighbour.ip_address = "198.18.1.200"
    tried = [next(codes) for _ in range(30)]
    await guesser.guess(tried[:29], here)
    clock.advance(timedelta(minutes=10))
    await guesser.guess(tried[29:], here)
    await guesser.guess(tried[:5], neighbour)
    assert await guesser.assert_throttled(next(codes), neighbour) == pytest.approx(3000, abs=1)
    assert await guesser.assert_throttled(owner.backup_code, here) == pytest.approx(3000, abs=1)
    await guesser.guess([next(codes)], elsewhere)
    challenge = await factory.asserted_challenge_for(owner, client=elsewhere)
    signed_in = await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, client=elsewhere)

    clock.advance(timedelta(minutes=50))
    await guesser.guess([next(codes)], here)
    challenge = await factory.asserted_challenge_for(owner, client=here)
    await rpc.UseBackupCode(challenge_token=challenge, backup_code=signed_in.new_backup_code.code, client=here)


async def test_eighty_wrong_codes_on_one_account(
    factory: AccountFactory, rpc: Rpc, clock: Clock, codes: Iterator[str]
) -> None:
    """ "80 distinct wrong codes per account and hour … never disabled": after that even the correct code is throttled,
    for up to an hour."""
    owner = await factory.account_with_authenticator()
    guesser = Guesser(factory, owner)
    for network, amount in ((1, 30), (2, 30), (3, 20)):
        await guesser.guess([next(codes) for _ in range(amount)], from_network(network))
    for client in (from_network(3), from_network(4)):
        assert await guesser.assert_throttled(next(codes), client) == pytest.approx(3600, abs=1)
    assert await guesser.assert_throttled(owner.backup_code, from_network(5)) == pytest.approx(3600, abs=1)
    await guesser.guess([f"{1:016d}"], from_network(4))

    clock.advance(HOUR)
    challenge = await factory.asserted_challenge_for(owner, client=from_network(5))
    await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, client=from_network(5))


async def test_used_and_correct_codes_do_not_count(factory: AccountFactory, rpc: Rpc, codes: Iterator[str]) -> None:
    """ "Used and right ones do not count": after 30 wrong codes, a used one is still recognised."""
    owner = await factory.account_with_authenticator()
    guesser = Guesser(factory, owner)
    here = from_network(1)
    await guesser.guess([next(codes) for _ in range(29)], here)
    old, code = owner.backup_code, owner.backup_code
    for _ in range(3):
        challenge = await factory.asserted_challenge_for(owner, client=here)
        code = (await rpc.UseBackupCode(challenge_token=challenge, backup_code=code, client=here)).new_backup_code.code
    await guesser.guess([next(codes)], here)
    with refused("CODE_ALREADY_USED"):
        await rpc.UseBackupCode(
            challenge_token=await factory.asserted_challenge_for(owner, client=here), backup_code=old, client=here
        )


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("203.0.113.5", "203.0.113.250", True),
        ("203.0.113.5", "203.0.114.5", False),
        ("2001:db8:0:100::1", "2001:db8:0:1ff:ffff::1", True),
        ("2001:db8:0:100::1", "2001:db8:0:200::1", False),
        ("203.0.113.5", "::ffff:203.0.113.9", True),
        ("", "", True),
        ("", "203.0.113.5", False),
    ],
)
def test_network_prefixes(first: str, second: str, shared: bool) -> None:
    """A network is /24 for IPv4 and /56 for IPv6; all unknown addresses are one network."""
    assert (Client(first).network_prefix == Client(second).network_prefix) == shared
