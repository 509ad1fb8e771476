""" "This wasn't me" and the second factor: what was before the change is back, and never anything weaker."""

import re
from itertools import permutations
from random import Random

import grpc
import pytest

from tests.account.steps import NEW_PASSWORD, not_me, report
from tests.article.steps import STEP, sign_in_by_app, sign_in_by_backup_code, sign_in_by_mail
from tests.conftest import Refusing
from tests.people import People, Person
from tests.security.tables import query, rows
from tests.servers import text_of
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

AUTHENTICATOR, EMAIL = types_pb2.SECOND_FACTOR_AUTHENTICATOR, types_pb2.SECOND_FACTOR_EMAIL_CODE
RESTORED = ["SESSIONS_ENDED", "PASSWORD_CHANGED", "AUTHENTICATOR_RESTORED", "BACKUP_CODE_RETIRED"]


async def factor(postgres: EmbeddedPostgres, owner: Person) -> dict[str, object]:
    """The row of the second factor."""
    return (await rows(postgres.url, "second_factors", owner.account_id))[0]


async def second_phone(people: People, owner: Person) -> Person:
    """The session sets the authenticator up on another phone; whoever holds that. Mails may overtake each other:
    which notice is which is told by having waited for the one before."""
    await people.mailbox.wait_for(owner.email, "authenticator-on")
    before = len(people.mailbox.to(owner.email, "authenticator-on"))
    people.clock.advance(STEP)
    stranger = Person(owner.email, owner.account_id, session_token=owner.session_token)
    await people.set_up_authenticator(stranger)
    await people.mailbox.wait_for(owner.email, "authenticator-on", before + 1)
    return stranger


async def retired(people: People, refused: Refusing, owner: Person, *dead: str) -> None:
    """The owner gets in by the app, no backup code that anybody was told works, and the page says to regenerate."""
    for code in dead:
        with refused("CODE_MISMATCH"):
            await people.use_backup_code(await people.challenge_for(owner), code)
    signed_in = await sign_in_by_app(people, owner)
    status = await people.status(signed_in.session_token)
    assert status.method == AUTHENTICATOR
    assert status.backup_code.must_regenerate
    assert not status.backup_code.HasField("save_time")
    owner.session_token = signed_in.session_token
    fresh = (await people.regenerate(owner)).backup_code
    assert fresh.generation == status.backup_code.generation + 1
    await people.use_backup_code(await people.challenge_for(owner), fresh.code)


async def test_a_used_backup_code(people: People, refused: Refusing) -> None:
    """What the stranger was shown is dead, and the one before it is known as used."""
    owner = await people.with_authenticator()
    used = owner.backup_code
    await sign_in_by_backup_code(people, owner)
    assert "BACKUP_CODE_RETIRED" in await not_me(people, owner.email, "backup-code-used", NEW_PASSWORD)
    owner.password = NEW_PASSWORD
    with refused("CODE_ALREADY_USED"):
        await people.use_backup_code(await people.challenge_for(owner), used)
    await retired(people, refused, owner, owner.backup_code)


@pytest.mark.parametrize("then", ["used", "regenerated", "both"])
async def test_a_stranger_who_went_on_with_it(people: People, refused: Refusing, then: str) -> None:
    """The next code comes of the one that the stranger was shown, by using it or in the session that it opened: it is
    retired by the first notice's link as well. It fails with that generation alone looked at."""
    owner = await people.with_authenticator()
    signed_in = await sign_in_by_backup_code(people, owner)
    first = await people.mailbox.link(owner.email, "backup-code-used", "not-me")
    if then in ("used", "both"):
        await sign_in_by_backup_code(people, owner)
    if then in ("regenerated", "both"):
        session = signed_in.session_token
        shown = await people.regenerate(Person(owner.email, owner.account_id, session_token=session))
        owner.backup_code = shown.backup_code.code
    # In "both" the first session goes on after a second one used the code: its regeneration is the same person's.
    assert "BACKUP_CODE_RETIRED" in await report(people, first, NEW_PASSWORD)
    owner.password = NEW_PASSWORD
    await retired(people, refused, owner, owner.backup_code)


async def test_a_code_that_the_owner_made_since_stays(people: People) -> None:
    """Who signed in by the app and regenerated has seen to it: the code that they wrote down goes on working."""
    owner = await people.with_authenticator()
    await sign_in_by_backup_code(people, owner)
    owner.session_token = (await sign_in_by_app(people, owner)).session_token
    mine = (await people.regenerate(owner)).backup_code.code
    undone = await not_me(people, owner.email, "backup-code-used", NEW_PASSWORD)
    assert undone == ["SESSIONS_ENDED", "PASSWORD_CHANGED"]
    owner.password = NEW_PASSWORD
    await people.use_backup_code(await people.challenge_for(owner), mine)


async def test_an_authenticator_turned_on(people: People) -> None:
    """Back to e-mail codes, where the account was before; a later setup goes on with the next generation."""
    owner = await people.with_authenticator()
    undone = await not_me(people, owner.email, "authenticator-on", NEW_PASSWORD)
    assert undone == ["SESSIONS_ENDED", "PASSWORD_CHANGED", "AUTHENTICATOR_REMOVED"]
    owner.password = NEW_PASSWORD
    owner.session_token = (await sign_in_by_mail(people, owner, 2)).session_token
    assert (await people.status(owner.session_token)).method == EMAIL
    people.clock.advance(STEP)
    await people.set_up_authenticator(owner)
    assert owner.generation == 2


async def test_an_authenticator_that_was_used_since(people: People) -> None:
    """Signing in by it, using its backup code, regenerating: it is still the one that the notice told of."""
    owner = await people.with_authenticator()
    await sign_in_by_app(people, owner)
    await sign_in_by_backup_code(people, owner)
    await people.regenerate(owner)
    assert "AUTHENTICATOR_REMOVED" in await not_me(people, owner.email, "authenticator-on")


@pytest.mark.parametrize("change", ["moved", "removed"])
async def test_the_earlier_authenticator_is_back(
    people: People, refused: Refusing, postgres: EmbeddedPostgres, change: str
) -> None:
    """The owner's phone works again, with no step accepted twice, and neither the stranger's phone nor any backup code
    does. It fails, after a removal, with the last accepted step forgotten."""
    owner = await people.with_authenticator()
    spent = owner.code_at(people.clock.now)
    codes = [owner.backup_code]
    if change == "moved":
        stranger = await second_phone(people, owner)
        codes.append(stranger.backup_code)
        undone = await not_me(people, owner.email, "authenticator-on", NEW_PASSWORD, count=2)
    else:
        stranger = owner
        await people.remove_authenticator(owner)
        undone = await not_me(people, owner.email, "authenticator-off", NEW_PASSWORD)
    assert undone == RESTORED
    owner.password = stranger.password = NEW_PASSWORD
    challenge = await people.challenge_for(owner)
    with refused("CODE_ALREADY_USED"):
        await people.verify_authenticator_code(challenge, spent)
    if change == "moved":
        with refused("CODE_MISMATCH"):
            await people.verify_authenticator_code(challenge, stranger.code_at(people.clock.now, 1))
    await retired(people, refused, owner, *codes)
    kept = await rows(postgres.url, "mailed_links", owner.account_id)
    assert [link["totp_secret"] for link in kept if link["use_time"]] == [None]


async def test_a_disabled_authenticator_comes_back_disabled(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """ "Re-enabling never un-disables": a hundred failures are not wiped out by moving to and fro."""
    owner = await people.with_authenticator()
    await sign_in_by_backup_code(people, owner)
    statement = """UPDATE second_factors SET authenticator_disabled = true, authenticator_failures = 100
                   WHERE account_id = $1::text::uuid"""
    await query(postgres.url, statement, owner.account_id)
    await second_phone(people, owner)
    assert await not_me(people, owner.email, "authenticator-on", NEW_PASSWORD, count=2) == RESTORED
    owner.password = NEW_PASSWORD
    people.clock.advance(STEP)
    challenge = await people.challenge_for(owner)
    assert (await people.challenge(challenge)).authenticator_disabled
    with refused("AUTHENTICATOR_DISABLED"):
        await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))
    assert (await factor(postgres, owner))["authenticator_failures"] == 100


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_several_changes_of_a_stranger(
    people: People, refused: Refusing, postgres: EmbeddedPostgres, order: tuple[int, ...]
) -> None:
    """Moved, removed, set up anew: whichever of the three notices the owner answers first, the phone that was theirs
    works again in the end. It fails if a link pressed too early does not hand on what it brings back, and if codes that
    were brought back are not known for those that the removal led to: the first phone is then lost."""
    owner = await people.with_authenticator()
    await second_phone(people, owner)
    links = [await people.mailbox.link(owner.email, "authenticator-on", "not-me", 2)]
    await people.remove_authenticator(owner)
    links.append(await people.mailbox.link(owner.email, "authenticator-off", "not-me"))
    await second_phone(people, owner)
    links.append(await people.mailbox.link(owner.email, "authenticator-on", "not-me", 3))
    for number in order:
        await report(people, links[number], NEW_PASSWORD)
    owner.password = NEW_PASSWORD
    await retired(people, refused, owner)


async def test_a_change_of_the_owner_since_stays(people: People, refused: Refusing) -> None:
    """Turned on, then moved to a new phone: the link of the first notice takes the second phone from nobody."""
    owner = await people.with_authenticator()
    first = await people.mailbox.link(owner.email, "authenticator-on", "not-me")
    owner = await second_phone(people, owner)
    assert await report(people, first, NEW_PASSWORD) == ["SESSIONS_ENDED", "PASSWORD_CHANGED"]
    owner.password = NEW_PASSWORD
    await sign_in_by_app(people, owner)
    await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)


@pytest.mark.parametrize("seed", range(4))
async def test_who_only_reads_the_mailbox_gains_no_weaker_second_factor(
    people: People, postgres: EmbeddedPostgres, seed: int
) -> None:
    """An account that was on the app before every change whose notice can still be answered stays on the app, whatever
    links are pressed, in whatever order: on one that the owner had, with a backup code that nobody knows.

    It fails if a move is undone by a removal.
    """
    owner = await people.with_authenticator()
    await people.mailbox.wait_for(owner.email, "authenticator-on")
    await query(postgres.url, "DELETE FROM mailed_links WHERE account_id = $1::text::uuid", owner.account_id)
    secrets = {(await factor(postgres, owner))["totp_secret"]}
    for _ in range(2):
        await sign_in_by_backup_code(people, owner)
        await people.regenerate(owner)
        owner = await second_phone(people, owner)
        secrets.add((await factor(postgres, owner))["totp_secret"])
    await people.mailbox.wait_for(owner.email, "authenticator-on", 3)
    await people.mailbox.wait_for(owner.email, "backup-code-regenerated", 2)
    links = [
        link for mail in people.mailbox.to(owner.email) for link in re.findall(r"not-me\?token=(\S+)", text_of(mail))
    ]
    of_the_first_setup = links.pop(0)
    Random(seed).shuffle(links)
    assert len(links) == 6
    for link in links:
        assert "AUTHENTICATOR_REMOVED" not in await report(people, link, NEW_PASSWORD)
        now = await factor(postgres, owner)
        assert now["method"] == "authenticator"
        assert now["totp_secret"] in secrets
    assert now["saved_time"] is None
    with pytest.raises(grpc.aio.AioRpcError):
        await report(people, of_the_first_setup, NEW_PASSWORD)
