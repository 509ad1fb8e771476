"""Re-authentication: what a session must prove again before it changes a factor."""

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import Rpc, refused
from tests.support.steps import STEP, sign_in_by_app, sign_in_by_email
from twofactor.v1 import types_pb2


async def reauthenticate(factory: AccountFactory, session_token: str, given: types_pb2.Reauthentication) -> Any:
    """Regenerate the backup code with this re-authentication."""
    return await factory.rpc.RegenerateBackupCode(session_token=session_token, reauthentication=given)


def asserted(factory: AccountFactory, account_id: str, age: timedelta = timedelta(0)) -> types_pb2.Reauthentication:
    """A trusted caller's assertion of this age."""
    auth_time = Timestamp()
    auth_time.FromDatetime(factory.clock.now - age)
    return types_pb2.Reauthentication(
        asserted=types_pb2.AssertedFirstFactor(account_id=account_id, auth_time=auth_time)
    )


async def test_five_distinct_wrong_passwords_end_the_session(factory: AccountFactory, rpc: Rpc) -> None:
    """ "Five wrong ones end the session; charged before judging, on counters of their own": new sign-ins still work."""
    owner = await factory.account_with_authenticator()
    for number in range(5):
        with refused("REAUTHENTICATION_FAILED") as refusal:
            await rpc.RegenerateBackupCode(**owner.by_password(password=f"wrong {number}"))
        assert refusal.value.metadata == {}
    with refused("SESSION_ENDED"):
        await rpc.RegenerateBackupCode(**owner.by_password())
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=owner.session_token)
    owner.session_token = (await sign_in_by_app(factory, owner)).session_token
    assert (await rpc.RegenerateBackupCode(**owner.by_password())).backup_code.generation == 2


async def test_failures_are_counted_over_all_methods(factory: AccountFactory, rpc: Rpc) -> None:
    """One counter per session, for whichever change the password is given."""
    owner = await factory.account_with_authenticator()
    changes = [rpc.RegenerateBackupCode, rpc.StartAuthenticatorSetup, rpc.RemoveAuthenticator]
    for number, change in enumerate([*changes, *changes]):
        with refused("REAUTHENTICATION_FAILED" if number < 5 else "SESSION_ENDED"):
            await change(**owner.by_password(password=f"wrong {number}"))


async def test_the_same_wrong_password_counts_once(factory: AccountFactory, rpc: Rpc) -> None:
    """An honest retry costs nothing. Fails if each try is charged under another fingerprint."""
    owner = await factory.account_with_authenticator()
    for _ in range(8):
        with refused("REAUTHENTICATION_FAILED"):
            await rpc.RegenerateBackupCode(**owner.by_password(password="the old password"))
    assert (await rpc.RegenerateBackupCode(**owner.by_password())).backup_code.generation == 2


async def test_a_correct_password_resets_the_count(factory: AccountFactory, rpc: Rpc) -> None:
    owner = await factory.account_with_authenticator()
    for _ in range(2):
        for number in range(4):
            with refused("REAUTHENTICATION_FAILED"):
                await rpc.RegenerateBackupCode(**owner.by_password(password=f"wrong {number}"))
        await rpc.RegenerateBackupCode(**owner.by_password())
    await rpc.GetSession(session_token=owner.session_token)


async def test_failures_belong_to_one_session(factory: AccountFactory, rpc: Rpc) -> None:
    """A stolen session that guesses ends itself, not the owner's."""
    owner = await factory.account_with_authenticator()
    stolen = Owner(owner.email, owner.account_id, session_token=(await sign_in_by_app(factory, owner)).session_token)
    for number in range(5):
        with refused("REAUTHENTICATION_FAILED"):
            await rpc.RegenerateBackupCode(**stolen.by_password(password=f"wrong {number}"))
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=stolen.session_token)
    await rpc.RegenerateBackupCode(**owner.by_password())


async def test_a_session_older_than_the_authenticator_needs_its_code(
    factory: AccountFactory, rpc: Rpc, clock: Clock
) -> None:
    """A session that passed only an e-mail code before the authenticator was set up needs `authenticator_code` with the
    password. The time step is spent."""
    owner = await factory.signed_in_account()
    early = (await sign_in_by_email(factory, owner, 2)).session_token
    await factory.set_up_authenticator(owner)
    password = types_pb2.Reauthentication(password=owner.password)
    with refused("REAUTHENTICATION_REQUIRED"):
        await reauthenticate(factory, early, password)
    clock.advance(STEP)
    code = owner.code_at(clock.now)
    with_code = types_pb2.Reauthentication(password=owner.password, authenticator_code=code)
    assert (await reauthenticate(factory, early, with_code)).backup_code.generation == 2
    assert (await reauthenticate(factory, early, password)).backup_code.generation == 3
    with refused("CODE_ALREADY_USED"):
        await rpc.VerifyAuthenticatorCode(challenge_token=await factory.challenge_for(owner), code=code)


async def test_wrong_authenticator_codes_end_the_session(factory: AccountFactory, rpc: Rpc) -> None:
    """A wrong `authenticator_code` is a wrong re-authentication, like a wrong password."""
    owner = await factory.signed_in_account()
    early = (await sign_in_by_email(factory, owner, 2)).session_token
    await factory.set_up_authenticator(owner)
    for digits in ("000000", "111111", "222222", "333333", "444444"):
        given = types_pb2.Reauthentication(password=owner.password, authenticator_code=digits)
        with refused("REAUTHENTICATION_FAILED"):
            await reauthenticate(factory, early, given)
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=early)


async def test_a_trusted_caller_may_assert(factory: AccountFactory) -> None:
    """ "… or `asserted` from a caller with that role": for this account, at most 10 minutes old, not in the future."""
    owner, other = await factory.account_with_authenticator(), await factory.account()
    token = owner.session_token
    assert (await reauthenticate(factory, token, asserted(factory, owner.account_id))).backup_code.generation == 2
    with refused("REAUTHENTICATION_FAILED"):
        await reauthenticate(factory, token, asserted(factory, other.account_id))
    for age in (timedelta(minutes=10, seconds=1), timedelta(minutes=-1)):
        with refused("REAUTHENTICATION_REQUIRED"):
            await reauthenticate(factory, token, asserted(factory, owner.account_id, age))
    await reauthenticate(factory, token, asserted(factory, owner.account_id, timedelta(minutes=10)))


async def test_an_assertion_requires_a_fresh_second_factor(factory: AccountFactory, clock: Clock) -> None:
    """Without a password: `authenticator_code`, or a second factor passed in this session within 10 minutes."""
    owner = await factory.account_with_authenticator()
    clock.advance(timedelta(minutes=10, seconds=1))
    with refused("REAUTHENTICATION_REQUIRED"):
        await reauthenticate(factory, owner.session_token, asserted(factory, owner.account_id))
    given = asserted(factory, owner.account_id)
    given.authenticator_code = owner.code_at(clock.now)
    await reauthenticate(factory, owner.session_token, given)


@pytest.mark.parametrize("given", ["password", "nothing"])
async def test_an_account_without_a_password(factory: AccountFactory, rpc: Rpc, given: str) -> None:
    """No password is correct for an account without one; a caller with the role ASSERTING can assert instead."""
    owner = await factory.account_without_password()
    assert not (await rpc.GetAccount(account_id=owner.account_id)).account.has_password
    reauthentication = types_pb2.Reauthentication(password=owner.password) if given == "password" else None
    with refused("REAUTHENTICATION_FAILED" if given == "password" else "REAUTHENTICATION_REQUIRED"):
        await rpc.StartAuthenticatorSetup(session_token=owner.session_token, reauthentication=reauthentication)
    assert (await rpc.StartAuthenticatorSetup(**factory.by_assertion(owner))).setup_id
