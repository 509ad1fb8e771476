"""Accounts made at once, and codes asked for at once: an address has one account, and a budget of mails holds."""

from uuid import uuid4

from tests.people import People
from tests.races import calls
from tests.races.ledger import Ledger
from tests.races.racers import Racers, answers, reasons


async def test_8_accounts_with_one_address(racers: Racers, ledger: Ledger) -> None:
    """One account gets the address. With one request_id it is one account, answered eight times.

    Taken out: the key of addresses - 8 accounts with one address; the key of creations - EMAIL_TAKEN for repeats.
    """
    for request_id, expected in (("", {"": 1, "EMAIL_TAKEN": 7}), (str(uuid4()), {"": 8})):
        address = f"{uuid4().hex[:12]}@example.test"
        outcomes = await racers.race([calls.create_account(address, request_id)] * 8)
        assert reasons(outcomes) == expected
        (account_id,) = {answer.account.account_id for answer in answers(outcomes)}
        assert (await ledger.of(account_id)).generation == 0


async def test_12_sign_ins_of_an_account_on_email_codes(people: People, racers: Racers, ledger: Ledger) -> None:
    """From one network five codes an hour are mailed; a sign-in beyond them leaves no challenge behind.

    Taken out: the row lock - 12 codes mailed.
    """
    owner = await people.with_account()
    outcomes = await racers.race([calls.start_sign_in(owner)] * 12)
    assert reasons(outcomes) == {"": 5, "DELIVERY_THROTTLED": 7}
    facts = await ledger.of(owner.account_id)
    assert (facts.challenges, facts.mails["sign-in-code"]) == (5, 5)


async def test_16_mails_asked_for_on_one_challenge(people: People, racers: Racers, ledger: Ledger) -> None:
    """A challenge mails three codes, the first at its start; asked for with one request_id, it mails one more.

    Taken out: both row locks - INTERNAL from the key of a challenge's codes.
    """
    owner = await people.with_account()
    first, second = await people.challenge_for(owner), await people.challenge_for(owner)
    repeats = await racers.race([calls.send_email_code(first, str(uuid4()))] * 8)
    assert reasons(repeats) == {"": 8}
    outcomes = await racers.race([calls.send_email_code(second) for _ in range(8)])
    assert reasons(outcomes) == {"": 2, "DELIVERY_THROTTLED": 6}
    assert (await ledger.of(owner.account_id)).mails["sign-in-code"] == 5
