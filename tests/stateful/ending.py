"""After a program: its owner gets in with the code they hold and with no older one, and the books are right."""

from collections import Counter

from tests.races.ledger import Facts, Ledger
from tests.stateful.oracle.answers import Done, Refused, SignedIn, Started
from tests.stateful.oracle.state import Account, Method
from tests.stateful.player import Player
from tests.stateful.programs import Act, Together, Wait

DEAD = ("CODE_ALREADY_USED", "CODE_MISMATCH")


async def check_end(player: Player, ledger: Ledger) -> None:
    """Every check, for both accounts."""
    for who in (0, 1):
        await _look_around(player, who)
    # Every wait and every budget of the hour is over, and so is every session that nobody looks at.
    await player.play([Wait(3601)])
    for who in (0, 1):
        await _get_in(player, who)
        await _settle_accounts(player, who, ledger)


async def _look_around(player: Player, who: int) -> None:
    """What is shown is what is so; the oracle compares."""
    account = player.accounts[who]
    acts = [Act("GetTwoFactor", who=who, on=on) for on in range(min(2, len(account.sessions)))]
    acts += [Act("ListIdentities", who=who, on=on) for on in range(min(1, len(account.sessions)))]
    acts += [Act("ListSessions", who=who, on=on) for on in range(min(1, len(account.sessions)))]
    acts += [Act("GetChallenge", who=who, on=on) for on in range(min(4, len(account.challenges)))]
    acts += [Act("GetSession", who=who, on=on) for on in range(min(3, len(account.sessions)))]
    await player.play([Together(tuple(acts)), Act("GetAccount", who=who)])


async def _get_in(player: Player, who: int) -> None:
    """Whatever has happened, the owner gets in with the code they hold. This asks nothing of the oracle."""
    if player.accounts[who].identities:
        await _start(player, who, "identity")
    first = "password" if player.accounts[who].password else "word"
    await _start(player, who, first)
    if player.accounts[who].factor.method is Method.EMAIL:
        assert isinstance(await player.act(Act("VerifyEmailCode", who=who, code="newest")), SignedIn)
        return
    shown = len(player.accounts[who].shown)
    for word in ("old", "older")[: shown - 1]:
        answer = await player.act(Act("UseBackupCode", who=who, code=word))
        assert isinstance(answer, Refused)
        assert answer.reason in DEAD
    answer = await player.act(Act("UseBackupCode", who=who, code="held", request=1))
    assert isinstance(answer, SignedIn), answer
    assert answer.generation == shown + 1
    await _start(player, who, first)
    answer = await player.act(Act("UseBackupCode", who=who, code="old"))
    assert isinstance(answer, Refused)
    assert answer.reason == "CODE_ALREADY_USED"


async def _start(player: Player, who: int, first: str) -> None:
    """What was wrong before, a dead code of just now perhaps, may have suspended the first factor."""
    if player.accounts[who].suspended:
        assert await player.act(Act("ConfirmFirstFactor", who=who)) == Done()
    assert isinstance(await player.act(Act("StartSignIn", who=who, proof=first, network=3)), Started)


async def _settle_accounts(player: Player, who: int, ledger: Ledger) -> None:
    """The database holds what the oracle counted: sessions, charged attempts, verdicts, mails and audit rows."""
    found = await ledger.of(player.accounts[who].account_id)
    expected = [facts_of(account) for account in player.possible[who]]
    assert found in expected, f"found    {found}\nexpected {expected[0]}"
    letters = player.inbox.of(player.accounts[who].email)
    assert letters.kinds == found.mails


def facts_of(account: Account) -> Facts:
    """What the database should hold."""
    factor, challenges = account.factor, account.challenges.values()
    return Facts(
        method="email" if factor.method is Method.EMAIL else "authenticator",
        generation=factor.generation,
        spent=sorted(factor.spent),
        sessions=Counter(_PROOFS[session.proven_by] for session in account.sessions.values()),
        verdicts=Counter(str(guess.verdict) for one in challenges for guess in one.guesses.values()),
        challenges=len(challenges),
        charged=sum(challenge.attempts for challenge in challenges),
        failures=len(account.failures),
        suspended=account.suspended,
        reauthentications=sum(len(session.proofs) for session in account.sessions.values()),
        identities=Counter(one.known_as.provider for one in account.identities.values()),
        mails=Counter(account.mails),
        events=Counter(account.audit),
    )


_PROOFS = {"EMAIL_CODE": "email_code", "AUTHENTICATOR": "authenticator", "BACKUP_CODE": "backup_code"}
