"""Random programs of every method, one after the other and at once, against the oracle.

Calls of one moment must be answered as in some order of their committed steps; afterwards the owner gets in with the
code they hold, no older code works, and the database holds what the oracle counted. `TWOFACTOR_SOAK_EXAMPLES` plays
so many programs of a fresh seed.

Seen to fail within 150 programs with a mechanism taken out: steps before the last one accepted; an older mailed code
taken for the newest; "saved" not reset by a use. Not found within 150: "saved" of one session erasing another one's
reply, which `tests/article/test_replies.py` shows. In the programs that are always played: the last way in unlinked; an
identity of one account linked to another, or not free once it is unlinked; challenges left open by UnlinkIdentity or by
a new password; a sign-in that its identity's unlinking overtook.
"""

import os

import grpc
from hypothesis import HealthCheck, example, given, note, settings

from tests.races.ledger import Ledger
from tests.servers import Server
from tests.stateful.consents import Consents
from tests.stateful.drawing import programs
from tests.stateful.ending import check_end
from tests.stateful.inbox import Inbox
from tests.stateful.player import Player
from tests.stateful.programs import WRITTEN, Program

SOAK = os.environ.get("TWOFACTOR_SOAK_EXAMPLES")

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SHORT = settings(UNHURRIED, max_examples=20, derandomize=True, database=None)
LONG = settings(UNHURRIED, max_examples=int(SOAK or 1))


@(LONG if SOAK else SHORT)
@example(program=WRITTEN[0])
@example(program=WRITTEN[1])
@example(program=WRITTEN[2])
@example(program=WRITTEN[3])
@example(program=WRITTEN[4])
@example(program=WRITTEN[5])
@given(program=programs)
async def test_every_answer_is_explained(
    program: Program, server: Server, channels: list[grpc.aio.Channel], inbox: Inbox, ledger: Ledger
) -> None:
    """The answers are those of some order."""
    assert server.providers
    player = Player(channels, inbox, server.clock, Consents(server.providers), note)
    await player.begin()
    await player.play(program.whole)
    await check_end(player, ledger)
