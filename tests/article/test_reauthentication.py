"""Re-authentication: what a session proves again before it changes a factor."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tests.article.steps import STEP, sign_in_by_app, sign_in_by_mail, vouched_challenge
from tests.conftest import Refusing
from tests.people import People, Person
from twofactor.v1 import account_service_pb2, two_factor_service_pb2, types_pb2


async def reauthenticate(
    people: People, session_token: str, given: types_pb2.Reauthentication
) -> two_factor_service_pb2.RegenerateBackupCodeResponse:
    """Regenerate the backup code on the strength of this."""
    request = two_factor_service_pb2.RegenerateBackupCodeRequest(
        session_token=session_token, reauthentication=given, client=people.client
    )
    return await people.stubs.two_factor.RegenerateBackupCode(request)


def vouched(people: People, account_id: str, age: timedelta = timedelta(0)) -> types_pb2.Reauthentication:
    """A trusted caller's word."""
    auth_time = Timestamp()
    auth_time.FromDatetime(people.clock.now - age)
    return types_pb2.Reauthentication(
        asserted=types_pb2.AssertedFirstFactor(account_id=account_id, auth_time=auth_time)
    )


async def test_five_distinct_wrong_ones_end_the_session(people: People, refused: Refusing) -> None:
    """ "Five wrong ones end the session; charged before judging, on counters of their own": signing in goes on."""
    owner = await people.with_authenticator()
    for number in range(5):
        with refused("REAUTHENTICATION_FAILED") as said:
            await people.regenerate(owner, password=f"wrong {number}")
        assert said[0].metadata == {}
    with refused("SESSION_ENDED"):
        await people.regenerate(owner)
    with refused("SESSION_ENDED"):
        await people.session(owner.session_token)
    owner.session_token = (await sign_in_by_app(people, owner)).session_token
    assert (await people.regenerate(owner)).backup_code.generation == 2


async def test_they_are_counted_over_all_changes(people: People, refused: Refusing) -> None:
    """One counter for the session, whichever change the password is given for."""
    owner = await people.with_authenticator()
    guess = Person(owner.email, owner.account_id, session_token=owner.session_token)
    changes: list[Callable[[Person], Awaitable[object]]]
    changes = [people.regenerate, people.start_setup, people.remove_authenticator]
    for number, change in enumerate([*changes, *changes]):
        guess.password = f"wrong {number}"
        with refused("REAUTHENTICATION_FAILED" if number < 5 else "SESSION_ENDED"):
            await change(guess)


async def test_the_same_wrong_one_counts_once(people: People, refused: Refusing) -> None:
    """One password tried again in one session is one attempt: an honest retry costs nothing. It fails when
    each try is charged under a fingerprint of its own."""
    owner = await people.with_authenticator()
    for _ in range(8):
        with refused("REAUTHENTICATION_FAILED"):
            await people.regenerate(owner, password="the old password")
    assert (await people.regenerate(owner)).backup_code.generation == 2


async def test_a_right_one_forgives(people: People, refused: Refusing) -> None:
    """A right re-authentication forgives the wrong ones before it."""
    owner = await people.with_authenticator()
    for _ in range(2):
        for number in range(4):
            with refused("REAUTHENTICATION_FAILED"):
                await people.regenerate(owner, password=f"wrong {number}")
        await people.regenerate(owner)
    await people.session(owner.session_token)


async def test_another_session_is_not_touched(people: People, refused: Refusing) -> None:
    """The counter is the session's: a stolen session that guesses ends itself, not the owner's."""
    owner = await people.with_authenticator()
    stolen = Person(owner.email, owner.account_id, session_token=(await sign_in_by_app(people, owner)).session_token)
    for number in range(5):
        with refused("REAUTHENTICATION_FAILED"):
            await people.regenerate(stolen, password=f"wrong {number}")
    with refused("SESSION_ENDED"):
        await people.session(stolen.session_token)
    await people.regenerate(owner)


async def test_a_session_of_before_the_app_needs_its_code(people: People, refused: Refusing) -> None:
    """ "The session (which passed the second factor)": one that passed only an e-mail code before the authenticator
    came needs `authenticator_code` beside the password; its step is spent by that."""
    owner = await people.signed_in()
    early = (await sign_in_by_mail(people, owner, 2)).session_token
    await people.set_up_authenticator(owner)
    password = types_pb2.Reauthentication(password=owner.password)
    with refused("REAUTHENTICATION_REQUIRED"):
        await reauthenticate(people, early, password)
    people.clock.advance(STEP)
    code = owner.code_at(people.clock.now)
    with_code = types_pb2.Reauthentication(password=owner.password, authenticator_code=code)
    assert (await reauthenticate(people, early, with_code)).backup_code.generation == 2
    assert (await reauthenticate(people, early, password)).backup_code.generation == 3
    with refused("CODE_ALREADY_USED"):
        await people.verify_authenticator_code(await people.challenge_for(owner), code)


async def test_wrong_app_codes_end_the_session_too(people: People, refused: Refusing) -> None:
    """ "Wrong: REAUTHENTICATION_FAILED …; five wrong ones end the session": a wrong `authenticator_code` is a wrong
    re-authentication, as a wrong password is."""
    owner = await people.signed_in()
    early = (await sign_in_by_mail(people, owner, 2)).session_token
    await people.set_up_authenticator(owner)
    for digits in ("000000", "111111", "222222", "333333", "444444"):
        given = types_pb2.Reauthentication(password=owner.password, authenticator_code=digits)
        with refused("REAUTHENTICATION_FAILED"):
            await reauthenticate(people, early, given)
    with refused("SESSION_ENDED"):
        await people.session(early)


async def test_a_trusted_caller_may_vouch(people: People, refused: Refusing) -> None:
    """ "… or `asserted` from a caller with that role": for this account, at most 10 minutes old, not of the future."""
    owner, other = await people.with_authenticator(), await people.with_account()
    token = owner.session_token
    assert (await reauthenticate(people, token, vouched(people, owner.account_id))).backup_code.generation == 2
    with refused("REAUTHENTICATION_FAILED"):
        await reauthenticate(people, token, vouched(people, other.account_id))
    for age in (timedelta(minutes=10, seconds=1), timedelta(minutes=-1)):
        with refused("REAUTHENTICATION_REQUIRED"):
            await reauthenticate(people, token, vouched(people, owner.account_id, age))
    await reauthenticate(people, token, vouched(people, owner.account_id, timedelta(minutes=10)))


async def test_a_vouched_change_needs_a_fresh_second_factor(people: People, refused: Refusing) -> None:
    """Without a password: `authenticator_code`, or a second factor passed in this session within 10 minutes."""
    owner = await people.with_authenticator()
    people.clock.advance(timedelta(minutes=10, seconds=1))
    with refused("REAUTHENTICATION_REQUIRED"):
        await reauthenticate(people, owner.session_token, vouched(people, owner.account_id))
    given = vouched(people, owner.account_id)
    given.authenticator_code = owner.code_at(people.clock.now)
    await reauthenticate(people, owner.session_token, given)


@pytest.mark.parametrize("given", ["password", "nothing"])
async def test_an_account_without_a_password(people: People, refused: Refusing, given: str) -> None:
    """No password is right for an account that has none; a caller with the role ASSERTING can vouch for it."""
    address = f"{uuid4().hex[:12]}@example.test"
    request = account_service_pb2.CreateAccountRequest(email=address)
    account = (await people.stubs.accounts.CreateAccount(request)).account
    assert not account.has_password
    owner = Person(account.email, account.account_id)
    challenge = await vouched_challenge(people, owner)
    owner.session_token = (await people.verify_email_code(challenge, await people.mailbox.code(address))).session_token
    reauthentication = types_pb2.Reauthentication(password=owner.password) if given == "password" else None
    start = two_factor_service_pb2.StartAuthenticatorSetupRequest(
        session_token=owner.session_token, reauthentication=reauthentication
    )
    with refused("REAUTHENTICATION_FAILED" if given == "password" else "REAUTHENTICATION_REQUIRED"):
        await people.stubs.two_factor.StartAuthenticatorSetup(start)
    start.reauthentication.CopyFrom(vouched(people, account.account_id))
    assert (await people.stubs.two_factor.StartAuthenticatorSetup(start)).setup_id
