"""Throttling of wrong passwords: it slows only the network that they come from."""

from datetime import timedelta

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner, unused_email
from tests.support.rpc import CLIENT, Refused, Rpc, refused
from tests.support.steps import from_network, sign_in_by_app
from tests.support.tables import query
from twofactor.v1 import types_pb2
from twofactor_server.domain.limits import FIRST_FACTOR_FAILURES, KNOWN_NETWORK_LIFETIME
from twofactor_server.domain.throttling import subject_of
from twofactor_server.postgres import EmbeddedPostgres

WAITS = (30, 60, 120, 240, 480, 960, 1920, 3600, 3600)
HOUR = timedelta(hours=1)
WRONG = "not the password"


class PasswordTyper:
    """Types passwords for one address from one network."""

    def __init__(self, factory: AccountFactory, email: str, client: types_pb2.ClientInfo | None = None) -> None:
        self.factory, self.client = factory, client or CLIENT
        self.credential = types_pb2.PasswordCredential(email=email, password=WRONG)

    async def sign_in(self, password: str) -> str:
        self.credential.password = password
        started = await self.factory.rpc.StartSignIn(password=self.credential, client=self.client)
        token: str = started.challenge_token
        return token

    async def fail(self, times: int = 1) -> None:
        """Type wrong passwords; each is verified."""
        for _ in range(times):
            with refused("CREDENTIALS_MISMATCH"):
                await self.sign_in(WRONG)

    async def assert_throttled(self, password: str = WRONG) -> Refused:
        """The next password is throttled, correct or not; returns the refusal."""
        with refused("ATTEMPTS_THROTTLED") as refusal:
            await self.sign_in(password)
        assert (refusal.value.metadata, refusal.value.fields, refusal.value.trailers["grpc-retry-pushback-ms"]) == (
            {},
            (),
            "-1",
        )
        return refusal.value


@pytest.mark.parametrize("known", [True, False], ids=["with an account", "without"])
async def test_waits_grow(factory: AccountFactory, clock: Clock, known: bool) -> None:
    """ "From the fifth in a row on, growing waits of 30 seconds to an hour, looked at before the password is judged":
    the same for an unknown address. One attempt is admitted when a wait ends."""
    email = (await factory.account()).email if known else unused_email()
    typing = PasswordTyper(factory, email)
    await typing.fail(4)
    for wait in WAITS:
        await typing.fail()
        assert (await typing.assert_throttled()).retry_after == wait
        clock.advance(timedelta(seconds=wait - 1))
        assert (await typing.assert_throttled()).retry_after == 1
        clock.advance(timedelta(seconds=1))


async def test_a_correct_password_waits_and_then_resets_the_count(factory: AccountFactory, clock: Clock) -> None:
    """It is not verified while a wait is in force. Afterwards a success resets the count."""
    owner = await factory.account_with_authenticator()
    typing = PasswordTyper(factory, owner.email)
    await typing.fail(5)
    await typing.assert_throttled(owner.password)
    clock.advance(timedelta(seconds=30))
    await typing.sign_in(owner.password)
    await typing.fail(4)
    await typing.sign_in(owner.password)
    await typing.fail(5)
    assert (await typing.assert_throttled()).retry_after == 30


async def test_a_throttled_attempt_costs_nothing(factory: AccountFactory, clock: Clock) -> None:
    """ "Nothing was charged": further attempts do not extend the wait."""
    typing = PasswordTyper(factory, (await factory.account()).email)
    await typing.fail(5)
    for _ in range(10):
        assert (await typing.assert_throttled()).retry_after == 30
    clock.advance(timedelta(seconds=30))
    await typing.fail()


async def test_waits_apply_to_one_network_and_account(factory: AccountFactory) -> None:
    """ "Waits that a attacker elsewhere cannot turn against the owner". All addresses of one network count as one, and
    another account is not affected."""
    owner, other = await factory.account_with_authenticator(), await factory.account_with_authenticator()
    attacker = PasswordTyper(factory, owner.email, from_network(7))
    await attacker.fail(5)
    neighbour = types_pb2.ClientInfo(ip_address="198.18.7.201")
    await PasswordTyper(factory, owner.email.upper(), neighbour).assert_throttled(owner.password)
    await factory.challenge_for(owner)
    await PasswordTyper(factory, other.email, from_network(7)).sign_in(other.password)
    await factory.asserted_challenge_for(owner, client=from_network(7))
    await attacker.assert_throttled()


async def test_the_second_factor_is_not_affected(factory: AccountFactory, rpc: Rpc) -> None:
    """ "First-factor failures never touch the second factor's counters": the signed-in owner sees no wait, and an open
    challenge can be completed."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    await PasswordTyper(factory, owner.email).fail(5)
    shown = (await rpc.GetChallenge(challenge_token=challenge)).challenge
    assert (shown.attempts_left, list(shown.waits)) == (5, [])
    assert list((await rpc.GetTwoFactor(session_token=owner.session_token)).waits) == []
    await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)


async def record_failures(
    postgres: EmbeddedPostgres, factory: AccountFactory, email: str, times: int, ago: timedelta
) -> None:
    """Record failures of the address from this many networks at this age."""
    statement = """INSERT INTO first_factor_totals VALUES ($1, array_fill($2::timestamptz, ARRAY[$3::int]), $2)
                   ON CONFLICT (subject) DO UPDATE SET times = first_factor_totals.times || excluded.times"""
    await query(postgres.url, statement, subject_of(email), factory.clock.now - ago, times)


@pytest.mark.parametrize("known", [True, False], ids=["with an account", "without"])
async def test_a_hundred_failures_from_all_networks(
    factory: AccountFactory, clock: Clock, postgres: EmbeddedPostgres, known: bool
) -> None:
    """ "100 of one address within an hour, from all networks together, bar the networks from which nobody has signed in
    to the account": the hundredth is verified, the next one waits until the hour is over."""
    email = (await factory.account()).email if known else unused_email()
    await record_failures(postgres, factory, email, FIRST_FACTOR_FAILURES.count - 1, timedelta(minutes=40))
    await PasswordTyper(factory, email, from_network(1)).fail()
    refusal = await PasswordTyper(factory, email, from_network(2)).assert_throttled()
    assert refusal.retry_after == pytest.approx(20 * 60, abs=1)
    clock.advance(timedelta(minutes=20))
    await PasswordTyper(factory, email, from_network(2)).fail()


async def test_every_failure_counts_towards_the_hundred(factory: AccountFactory, clock: Clock) -> None:
    """Four failures from each of 25 networks, within a sliding hour. Without the total, the last network is
    admitted."""
    email = (await factory.account()).email
    for network in range(25):
        await PasswordTyper(factory, email, from_network(network)).fail(4)
        if network == 9:
            clock.advance(timedelta(minutes=30))
    refusal = await PasswordTyper(factory, email, from_network(100)).assert_throttled()
    assert refusal.retry_after == pytest.approx(30 * 60, abs=1)
    clock.advance(timedelta(minutes=30))
    for network in range(100, 110):
        await PasswordTyper(factory, email, from_network(network)).fail(4)
    await PasswordTyper(factory, email, from_network(110)).assert_throttled()


async def test_a_known_network_is_never_locked_out(
    factory: AccountFactory, rpc: Rpc, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    """A network with a session of the last 30 days, ended or not, is throttled only for its own failures."""
    owner = await factory.account_with_authenticator()
    await rpc.SignOut(session_token=owner.session_token)
    await record_failures(postgres, factory, owner.email, FIRST_FACTOR_FAILURES.count, timedelta(0))
    here, elsewhere = PasswordTyper(factory, owner.email), PasswordTyper(factory, owner.email, from_network(3))
    await elsewhere.assert_throttled(owner.password)
    await here.sign_in(owner.password)
    await here.fail(5)
    assert (await here.assert_throttled()).retry_after == 30
    clock.advance(timedelta(seconds=30))
    await sign_in_by_app(factory, owner)
    clock.advance(KNOWN_NETWORK_LIFETIME)
    await record_failures(postgres, factory, owner.email, FIRST_FACTOR_FAILURES.count, timedelta(0))
    await here.assert_throttled(owner.password)


async def test_a_network_is_known_per_account(factory: AccountFactory, postgres: EmbeddedPostgres) -> None:
    """A session of another account does not make its network known."""
    owner, attacker = await factory.account(), await factory.signed_in_account()
    await record_failures(postgres, factory, owner.email, FIRST_FACTOR_FAILURES.count, timedelta(0))
    assert attacker.session_token
    await PasswordTyper(factory, owner.email).assert_throttled(owner.password)


async def test_asserted_sign_ins_are_not_throttled(factory: AccountFactory) -> None:
    """ "`asserted` and providers are not counted." """
    owner = await factory.account_with_authenticator()
    await PasswordTyper(factory, owner.email).fail(5)
    await factory.asserted_challenge_for(owner)


async def test_an_unknown_network_is_one_network(factory: AccountFactory) -> None:
    """ "Empty: unknown, and all such calls count as one network prefix.\""""
    owner = await factory.account()
    unknown = PasswordTyper(factory, owner.email, types_pb2.ClientInfo())
    await unknown.fail(5)
    await unknown.assert_throttled(owner.password)
    await PasswordTyper(factory, owner.email).sign_in(owner.password)


async def test_typed_addresses_are_not_stored(factory: AccountFactory, postgres: EmbeddedPostgres) -> None:
    """A mistyped address may be a password in the wrong field: neither it nor its plain digest is stored."""
    typed = unused_email()
    await PasswordTyper(factory, typed).fail()
    kept = await query(postgres.url, "SELECT failures FROM first_factor_failures WHERE subject = $1", subject_of(typed))
    assert [row["failures"] for row in kept] == [1]
    bare = "SELECT 1 FROM first_factor_failures WHERE subject = sha256($1::text::bytea) OR subject = $1::text::bytea"
    assert await query(postgres.url, bare, typed) == []


async def test_reauthentication_is_not_throttled(factory: AccountFactory, rpc: Rpc) -> None:
    """A wait of the first factor does not affect re-authentication in a session, and the reverse."""
    owner = await factory.account_with_authenticator()
    await PasswordTyper(factory, owner.email).fail(5)
    await rpc.RegenerateBackupCode(**owner.by_password())
    wrong = Owner(owner.email, owner.account_id, WRONG, owner.session_token)
    with refused("REAUTHENTICATION_FAILED"):
        await rpc.RegenerateBackupCode(**wrong.by_password())
    await PasswordTyper(factory, owner.email).assert_throttled()
