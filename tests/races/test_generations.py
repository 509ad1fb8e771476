"""Generations count an account's backup codes and never start again, whatever becomes of the authenticator."""

from tests.conftest import Refusing
from tests.people import People
from tests.races import calls
from tests.races.ledger import Ledger
from tests.races.racers import Racers, reasons
from tests.races.stories import challenges_for


async def test_set_up_use_remove_set_up_use(people: People, racers: Racers, ledger: Ledger, refused: Refusing) -> None:
    """Setting up again goes on counting; a code of an earlier life of the authenticator never works.

    Taken out: the generation set to 0 by the removal - the second setup began at 1 again. The spent code not written,
    or not looked up - CODE_MISMATCH instead of CODE_ALREADY_USED.
    """
    owner = await people.with_authenticator()
    first = owner.backup_code
    second = (await people.use_backup_code(await people.challenge_for(owner), first)).new_backup_code
    on_email = await people.challenge_for(owner)
    await people.remove_authenticator(owner)
    for code in (first, second.code):
        with refused("METHOD_NOT_ACTIVE"):
            await people.use_backup_code(on_email, code)
    await people.set_up_authenticator(owner)
    assert (second.generation, owner.generation) == (2, 3)
    challenges = await challenges_for(people, owner, 12)
    codes = [first, second.code, owner.backup_code] * 4
    outcomes = await racers.race([calls.use(*one) for one in zip(challenges, codes, strict=True)])
    assert reasons(outcomes[0::3]) == {"CODE_ALREADY_USED": 4}
    assert reasons(outcomes[1::3]) == {"CODE_MISMATCH": 4}
    assert reasons(outcomes[2::3]) == {"": 1, "CODE_ALREADY_USED": 3}
    facts = await ledger.of(owner.account_id)
    assert (facts.generation, facts.spent) == (4, [1, 3])
