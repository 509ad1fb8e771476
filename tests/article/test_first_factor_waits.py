"""Limits of the first factor: wrong passwords slow the network that they come from, and nobody else."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.article.steps import from_network, sign_in_by_app, vouched_challenge
from tests.conftest import Refusing
from tests.people import CLIENT, People, Person
from tests.refusals import Refused
from tests.security.tables import query
from twofactor.v1 import sign_in_service_pb2, types_pb2
from twofactor_server.domain.first_factor_waits import BUDGET, REMEMBERED, subject_of
from twofactor_server.postgres import EmbeddedPostgres

WAITS = (30, 60, 120, 240, 480, 960, 1920, 3600, 3600)
HOUR = timedelta(hours=1)
WRONG = "not the password"


class Typing:
    """Whoever types passwords for one address, from one network."""

    def __init__(
        self, people: People, refused: Refusing, email: str, client: types_pb2.ClientInfo | None = None
    ) -> None:
        self.people, self.refused, self.client = people, refused, client or CLIENT
        self.credential = types_pb2.PasswordCredential(email=email, password=WRONG)

    async def sign_in(self, password: str) -> str:
        self.credential.password = password
        request = sign_in_service_pb2.StartSignInRequest(password=self.credential, client=self.client)
        return (await self.people.stubs.sign_in.StartSignIn(request)).challenge_token

    async def fails(self, times: int = 1) -> None:
        """That many wrong passwords are judged."""
        for _ in range(times):
            with self.refused("CREDENTIALS_MISMATCH"):
                await self.sign_in(WRONG)

    async def must_wait(self, password: str = WRONG) -> Refused:
        """The next password is not judged, right or wrong."""
        with self.refused("ATTEMPTS_THROTTLED") as said:
            await self.sign_in(password)
        assert (said[0].metadata, said[0].fields, said[0].trailers["grpc-retry-pushback-ms"]) == ({}, (), "-1")
        return said[0]


@pytest.mark.parametrize("known", [True, False], ids=["with an account", "without"])
async def test_the_waits_grow(people: People, refused: Refusing, known: bool) -> None:
    """ "From the fifth in a row on, growing waits of 30 seconds to an hour, looked at before the password is judged":
    the same for an address that nobody has. When a wait ends one attempt is admitted."""
    email = (await people.with_account()).email if known else f"{uuid4().hex[:12]}@example.test"
    typing = Typing(people, refused, email)
    await typing.fails(4)
    for wait in WAITS:
        await typing.fails()
        assert (await typing.must_wait()).retry_after == wait
        people.clock.advance(timedelta(seconds=wait - 1))
        assert (await typing.must_wait()).retry_after == 1
        people.clock.advance(timedelta(seconds=1))


async def test_a_right_one_waits_too_and_then_forgives(people: People, refused: Refusing) -> None:
    """Whether it is right is not looked at while a wait is in force; once it is over, a success starts anew."""
    owner = await people.with_authenticator()
    typing = Typing(people, refused, owner.email)
    await typing.fails(5)
    await typing.must_wait(owner.password)
    people.clock.advance(timedelta(seconds=30))
    await typing.sign_in(owner.password)
    await typing.fails(4)
    await typing.sign_in(owner.password)
    await typing.fails(5)
    assert (await typing.must_wait()).retry_after == 30


async def test_a_refused_one_costs_nothing(people: People, refused: Refusing) -> None:
    """ "Nothing was charged": asking again and again does not lengthen the wait."""
    typing = Typing(people, refused, (await people.with_account()).email)
    await typing.fails(5)
    for _ in range(10):
        assert (await typing.must_wait()).retry_after == 30
    people.clock.advance(timedelta(seconds=30))
    await typing.fails()


async def test_a_stranger_elsewhere_slows_nobody_but_himself(people: People, refused: Refusing) -> None:
    """ "Waits that a stranger elsewhere cannot turn against the owner"; the stranger's other addresses of one network
    count as one, and another account is not touched."""
    owner, other = await people.with_authenticator(), await people.with_authenticator()
    stranger = Typing(people, refused, owner.email, from_network(7))
    await stranger.fails(5)
    neighbour = types_pb2.ClientInfo(ip_address="198.18.7.201")
    await Typing(people, refused, owner.email.upper(), neighbour).must_wait(owner.password)
    await people.challenge_for(owner)
    await Typing(people, refused, other.email, from_network(7)).sign_in(other.password)
    await vouched_challenge(people, owner, from_network(7))
    await stranger.must_wait()


async def test_nothing_of_the_second_factor_moves(people: People, refused: Refusing) -> None:
    """ "First-factor failures never touch the second factor's counters": the owner, signed in elsewhere, sees no wait,
    and an open challenge goes on."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    await Typing(people, refused, owner.email).fails(5)
    shown = await people.challenge(challenge)
    assert (shown.attempts_left, list(shown.waits)) == (5, [])
    assert list((await people.status(owner.session_token)).waits) == []
    await people.use_backup_code(challenge, owner.backup_code)


async def spend(postgres: EmbeddedPostgres, people: People, email: str, times: int, ago: timedelta) -> None:
    """So many failures of the address, from as many networks, so long ago."""
    statement = """INSERT INTO first_factor_totals VALUES ($1, array_fill($2::timestamptz, ARRAY[$3::int]), $2)
                   ON CONFLICT (subject) DO UPDATE SET times = first_factor_totals.times || excluded.times"""
    await query(postgres.url, statement, subject_of(email), people.clock.now - ago, times)


@pytest.mark.parametrize("known", [True, False], ids=["with an account", "without"])
async def test_a_hundred_from_everywhere(
    people: People, refused: Refusing, postgres: EmbeddedPostgres, known: bool
) -> None:
    """ "100 of one address within an hour, from all networks together, bar the networks from which nobody has signed in
    to the account": the hundredth is judged, the next one waits until the hour frees."""
    email = (await people.with_account()).email if known else f"{uuid4().hex[:12]}@example.test"
    await spend(postgres, people, email, BUDGET - 1, timedelta(minutes=40))
    await Typing(people, refused, email, from_network(1)).fails()
    said = await Typing(people, refused, email, from_network(2)).must_wait()
    assert said.retry_after == pytest.approx(20 * 60, abs=1)
    people.clock.advance(timedelta(minutes=20))
    await Typing(people, refused, email, from_network(2)).fails()


async def test_every_failure_counts_for_the_hundred(people: People, refused: Refusing) -> None:
    """Really typed, four from each of 25 networks; within any hour, not within one by the clock. Without the total, the
    last network is let in."""
    email = (await people.with_account()).email
    for network in range(25):
        await Typing(people, refused, email, from_network(network)).fails(4)
        if network == 9:
            people.clock.advance(timedelta(minutes=30))
    said = await Typing(people, refused, email, from_network(100)).must_wait()
    assert said.retry_after == pytest.approx(30 * 60, abs=1)
    people.clock.advance(timedelta(minutes=30))
    for network in range(100, 110):
        await Typing(people, refused, email, from_network(network)).fails(4)
    await Typing(people, refused, email, from_network(110)).must_wait()


async def test_the_owner_is_never_locked_out_of_a_known_network(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """A network with a session of the last 30 days goes on, ended or not, and is slowed for its own failures only."""
    owner = await people.with_authenticator()
    await people.sign_out(owner.session_token)
    await spend(postgres, people, owner.email, BUDGET, timedelta(0))
    here, elsewhere = Typing(people, refused, owner.email), Typing(people, refused, owner.email, from_network(3))
    await elsewhere.must_wait(owner.password)
    await here.sign_in(owner.password)
    await here.fails(5)
    assert (await here.must_wait()).retry_after == 30
    people.clock.advance(timedelta(seconds=30))
    await sign_in_by_app(people, owner)
    people.clock.advance(REMEMBERED)
    await spend(postgres, people, owner.email, BUDGET, timedelta(0))
    await here.must_wait(owner.password)


async def test_another_accounts_sessions_open_nothing(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """A stranger with an account of his own in a network is a stranger there all the same."""
    owner, stranger = await people.with_account(), await people.signed_in()
    await spend(postgres, people, owner.email, BUDGET, timedelta(0))
    assert stranger.session_token
    await Typing(people, refused, owner.email).must_wait(owner.password)


async def test_a_vouched_sign_in_is_not_counted_or_barred(people: People, refused: Refusing) -> None:
    """ "`asserted` and providers are not counted.\""""
    owner = await people.with_authenticator()
    await Typing(people, refused, owner.email).fails(5)
    await vouched_challenge(people, owner)


async def test_an_unknown_network_is_one_network(people: People, refused: Refusing) -> None:
    """ "Empty: unknown, and all such calls count as one network prefix.\""""
    owner = await people.with_account()
    unknown = Typing(people, refused, owner.email, types_pb2.ClientInfo())
    await unknown.fails(5)
    await unknown.must_wait(owner.password)
    await Typing(people, refused, owner.email).sign_in(owner.password)


async def test_the_table_does_not_say_which_addresses_were_typed(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """A mistyped address may be a password typed in the wrong field: neither it nor its bare digest is kept."""
    typed = f"{uuid4().hex[:12]}@example.test"
    await Typing(people, refused, typed).fails()
    kept = await query(postgres.url, "SELECT failures FROM first_factor_failures WHERE subject = $1", subject_of(typed))
    assert [row["failures"] for row in kept] == [1]
    bare = "SELECT 1 FROM first_factor_failures WHERE subject = sha256($1::text::bytea) OR subject = $1::text::bytea"
    assert await query(postgres.url, bare, typed) == []


async def test_reauthentication_is_not_touched(people: People, refused: Refusing) -> None:
    """A wait of the first factor does not keep the signed-in owner from proving the password, and the reverse."""
    owner = await people.with_authenticator()
    await Typing(people, refused, owner.email).fails(5)
    await people.regenerate(owner)
    wrong = Person(owner.email, owner.account_id, WRONG, owner.session_token)
    with refused("REAUTHENTICATION_FAILED"):
        await people.regenerate(wrong)
    await Typing(people, refused, owner.email).must_wait()
