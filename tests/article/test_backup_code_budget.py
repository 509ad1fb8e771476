"""Limits: the hour's budget of wrong backup codes, which is in nobody's way who has the right one."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.article.steps import from_network, vouched_challenge, wrong_backup_codes
from tests.article.suspensions import lift
from tests.conftest import Refusing
from tests.people import People, Person
from twofactor.v1 import types_pb2
from twofactor_server.domain.calls import Client
from twofactor_server.domain.suspension import SUSPENDED_AT

HOUR = timedelta(hours=1)


@pytest.fixture
def codes() -> Iterator[str]:
    """Wrong codes that the account has not seen."""
    return wrong_backup_codes()


class Guesser:
    """Whoever has the first factor of an account and tries backup codes from some network. Whenever that has suspended
    the first factor, the owner lifts it."""

    def __init__(self, people: People, owner: Person, refused: Refusing) -> None:
        self.people, self.owner, self.refused = people, owner, refused
        self.failures = 0

    async def try_out(self, codes: list[str], client: types_pb2.ClientInfo) -> None:
        """Every one of these is judged, and wrong."""
        challenge = ""
        for number, code in enumerate(codes):
            if number % 5 == 0 or self.failures % SUSPENDED_AT == 0:
                challenge = await vouched_challenge(self.people, self.owner, client)
            with self.refused("CODE_MISMATCH"):
                await self.people.use_backup_code(challenge, code, client=client)
            self.failures += 1
            if self.failures % SUSPENDED_AT == 0:
                await lift(self.people, self.owner, self.failures // SUSPENDED_AT)

    async def must_wait(self, code: str, client: types_pb2.ClientInfo) -> float:
        """The code is not judged, and nothing is charged; the seconds that are left to wait."""
        challenge = await vouched_challenge(self.people, self.owner, client)
        with self.refused("ATTEMPTS_THROTTLED") as said:
            await self.people.use_backup_code(challenge, code, client=client)
        assert (await self.people.challenge(challenge)).attempts_left == 5
        assert said[0].retry_after is not None
        return said[0].retry_after


async def test_thirty_wrong_codes_from_one_network(people: People, refused: Refusing, codes: Iterator[str]) -> None:
    """ "At most 30 of them from one network prefix": whoever guesses there is stopped, and the owner elsewhere is not.

    A code typed again is not another guess. An hour later there is room again.
    """
    owner = await people.with_authenticator()
    guesser = Guesser(people, owner, refused)
    here, neighbour, elsewhere = from_network(1), from_network(1), from_network(2)
    neighbour.ip_address = "198.18.1.200"
    tried = [next(codes) for _ in range(30)]
    await guesser.try_out(tried[:29], here)
    people.clock.advance(timedelta(minutes=10))
    await guesser.try_out(tried[29:], here)
    await guesser.try_out(tried[:5], neighbour)
    assert await guesser.must_wait(next(codes), neighbour) == pytest.approx(3000, abs=1)
    assert await guesser.must_wait(owner.backup_code, here) == pytest.approx(3000, abs=1)
    await guesser.try_out([next(codes)], elsewhere)
    challenge = await vouched_challenge(people, owner, elsewhere)
    signed_in = await people.use_backup_code(challenge, owner.backup_code, client=elsewhere)

    people.clock.advance(timedelta(minutes=50))
    await guesser.try_out([next(codes)], here)
    challenge = await vouched_challenge(people, owner, here)
    await people.use_backup_code(challenge, signed_in.new_backup_code.code, client=here)


async def test_eighty_wrong_codes_on_one_account(people: People, refused: Refusing, codes: Iterator[str]) -> None:
    """ "80 distinct wrong codes per account and hour … never disabled": the 81st is not judged, not even a right one,
    and an hour later it is."""
    owner = await people.with_authenticator()
    guesser = Guesser(people, owner, refused)
    for network, amount in ((1, 30), (2, 30), (3, 20)):
        await guesser.try_out([next(codes) for _ in range(amount)], from_network(network))
    for client in (from_network(3), from_network(4)):
        assert await guesser.must_wait(next(codes), client) == pytest.approx(3600, abs=1)
    assert await guesser.must_wait(owner.backup_code, from_network(5)) == pytest.approx(3600, abs=1)
    await guesser.try_out([f"{1:016d}"], from_network(4))

    people.clock.advance(HOUR)
    challenge = await vouched_challenge(people, owner, from_network(5))
    await people.use_backup_code(challenge, owner.backup_code, client=from_network(5))


async def test_used_and_right_codes_are_no_guesses(people: People, refused: Refusing, codes: Iterator[str]) -> None:
    """ "Used and right ones do not count": with 30 wrong codes spent, a used one is still recognised."""
    owner = await people.with_authenticator()
    guesser = Guesser(people, owner, refused)
    here = from_network(1)
    await guesser.try_out([next(codes) for _ in range(29)], here)
    old, code = owner.backup_code, owner.backup_code
    for _ in range(3):
        challenge = await vouched_challenge(people, owner, here)
        code = (await people.use_backup_code(challenge, code, client=here)).new_backup_code.code
    await guesser.try_out([next(codes)], here)
    with refused("CODE_ALREADY_USED"):
        await people.use_backup_code(await vouched_challenge(people, owner, here), old, client=here)


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
def test_what_one_network_is(first: str, second: str, shared: bool) -> None:
    """One prefix is what one customer is given: /24 of IPv4, /56 of IPv6; unknown addresses are all one network."""
    assert (Client(first).network_prefix == Client(second).network_prefix) == shared
