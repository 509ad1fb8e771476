"""Wrong second factors at once: counted exactly, suspended once; and the link that lifts it, followed at once."""

from google.protobuf.message import Message

from tests.article.suspensions import mailed_link
from tests.people import People, Person
from tests.races import calls
from tests.races.ledger import Ledger
from tests.races.racers import Racers, reasons
from tests.races.stories import another_session, challenges_for

NEW = "a password chosen by the owner"


async def guesses(people: People, owner: Person, challenges: int) -> list[Message]:
    """Five wrong backup codes on each of so many challenges."""
    opened = await challenges_for(people, owner, challenges)
    return [calls.use(opened[number // 5], f"{number:04} aaaa bbbb cccc") for number in range(5 * challenges)]


async def test_25_wrong_codes_on_5_challenges(people: People, racers: Racers, ledger: Ledger) -> None:
    """All 25 are counted, the owner is told of the 5th to the 19th, and the 20th suspends, once.

    Taken out: the row lock - 13 were told. The look whether it is suspended - nothing, the guard of the suspension
    holds; and the guard as well - 6 suspensions, 6 mails.
    """
    owner = await people.with_authenticator()
    before = (await ledger.of(owner.account_id)).mails
    outcomes = await racers.race(await guesses(people, owner, 5))
    assert reasons(outcomes) == {"CODE_MISMATCH": 25}
    facts = await ledger.of(owner.account_id)
    assert (facts.failures, facts.suspended) == (25, True)
    assert facts.mails - before == {"second-factor-failed": 15, "sign-in-suspended": 1}
    assert facts.events["suspend_first_factor", "success"] == 1


async def test_wrong_codes_of_two_methods_with_sign_ins_between(people: People, racers: Racers, ledger: Ledger) -> None:
    """24 wrong codes, of which 20 count: the app's wait lets no more than five be judged. Sign-ins that began and went
    on among them have a session or were barred, and none of both. Taken out: the row lock - 23 judged."""
    owner = await people.with_authenticator()
    wrong = await guesses(people, owner, 3)
    opened = await challenges_for(people, owner, 9)
    wrong += [calls.authenticator_code(one, owner.wrong_code_at(people.clock.now)) for one in opened[:-1]]
    right = calls.use(opened[-1], owner.backup_code)
    starts = [calls.start_sign_in(owner) for _ in range(4)]
    outcomes = await racers.race([*wrong, right, *starts])
    assert reasons(outcomes[: len(wrong)]) == {"CODE_MISMATCH": 20, "ATTEMPTS_THROTTLED": 3}
    assert outcomes[len(wrong)].succeeded
    assert reasons(outcomes[len(wrong) + 1 :]).keys() <= {"", "FIRST_FACTOR_SUSPENDED"}
    facts = await ledger.of(owner.account_id)
    assert (facts.failures, facts.suspended) == (20, True)
    (after,) = await racers.race([calls.start_sign_in(owner)])
    assert after.reason == "FIRST_FACTOR_SUSPENDED"


async def test_one_wrong_code_16_times(people: People, racers: Racers, ledger: Ledger) -> None:
    """One code on one challenge is one failure. Taken out: the look whether another call gave the verdict - 13."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    outcomes = await racers.race([calls.use(challenge, "0000 aaaa bbbb cccc") for _ in range(16)])
    assert reasons(outcomes) == {"CODE_MISMATCH": 16}
    assert (await ledger.of(owner.account_id)).failures == 1


async def test_one_link_for_two_passwords(people: People, racers: Racers, ledger: Ledger) -> None:
    """The link is used once: one password is set, by however many equal calls, and the other is LINK_INVALID.

    Taken out: the row lock - 9 LINK_INVALID, from the guard of the use. That guard as well - 10 INTERNAL, from the
    guard of the password.
    """
    owner = await people.with_authenticator()
    await racers.race(await guesses(people, owner, 4))
    token = await mailed_link(people, owner)
    passwords = [NEW, f"{NEW}, or not"]
    outcomes = await racers.race([calls.confirm_first_factor(token, passwords[number % 2]) for number in range(12)])
    assert reasons(outcomes) == {"": 6, "LINK_INVALID": 6}
    winners = {passwords[number % 2] for number, outcome in enumerate(outcomes) if outcome.succeeded}
    (owner.password,) = winners
    facts = await ledger.of(owner.account_id)
    assert (facts.failures, facts.suspended, facts.events["confirm_first_factor", "success"]) == (0, False, 1)
    await people.challenge_for(owner)


async def test_two_sessions_that_sign_each_other_out(people: People, racers: Racers, ledger: Ledger) -> None:
    """One is left, whichever was first; the other is told that it is over. Never both, never none.

    Taken out: the row lock - a deadlock of the two.
    """
    for _ in range(5):
        owner = await people.with_authenticator()
        sessions = [owner.session_token, await another_session(people, owner)]
        outcomes = await racers.race([calls.revoke_others(one) for one in sessions])
        assert reasons(outcomes) == {"": 1, "SESSION_ENDED": 1}
        (left,) = [one for one, outcome in zip(sessions, outcomes, strict=True) if outcome.succeeded]
        assert len(await people.sessions(left)) == 1
