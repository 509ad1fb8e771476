"""The first factor tells a stranger nothing: unknown address, wrong password, no password."""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import grpc
import pytest

from tests.api.inside import beside
from tests.api.requests import raw
from tests.people import CLIENT, PASSWORD, People, Person, Stubs
from tests.servers import Server
from twofactor.v1 import account_service_pb2, sign_in_service_pb2, types_pb2

SignIns = Mapping[str, tuple[str, str]]


async def sign_ins(people: People) -> SignIns:
    """One attempt of each kind that must look alike: address and password."""
    owner, vouched_only = await people.with_account(), f"{uuid4().hex}@example.test"
    await people.stubs.accounts.CreateAccount(account_service_pb2.CreateAccountRequest(email=vouched_only))
    with_app = await people.with_authenticator()
    return {
        "unknown address": (f"{uuid4().hex}@example.test", PASSWORD),
        "wrong password": (owner.email, "not the password"),
        "wrong password, app on": (with_app.email, "not the password"),
        "almost the password": (owner.email, PASSWORD + " "),
        "no password": (vouched_only, PASSWORD),
    }


async def refused(stubs: Stubs, email: str, password: str) -> grpc.aio.AioRpcError:
    """StartSignIn with a wrong first factor."""
    credential = types_pb2.PasswordCredential(email=email, password=password)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stubs.sign_in.StartSignIn(sign_in_service_pb2.StartSignInRequest(password=credential, client=CLIENT))
    return caught.value


async def test_the_answers_are_the_same_bytes(people: People) -> None:
    """ "CREDENTIALS_MISMATCH: identical bytes", status, text, details and trailers; nothing of the second factor."""
    answers = {}
    for name, (email, password) in (await sign_ins(people)).items():
        sent = raw(await refused(people.stubs, email, password))
        assert sent.code == grpc.StatusCode.INVALID_ARGUMENT
        answers[name] = sent
    assert len(answers) == 5
    assert len({sent.everything for sent in answers.values()}) == 1
    assert len({tuple(sent.trailers) for sent in answers.values()}) == 1


async def test_the_work_is_the_same(people: People, server: Server, tmp_path: Path) -> None:
    """ "Unknown address, wrong password, no password: same number of Argon2 operations": one each. With no
    decoy verified for an unknown address, or for an account without a password, it fails: those then cost none."""
    attempts = await sign_ins(people)
    async with beside(server, tmp_path) as inside:
        operations = {}
        for name, (email, password) in attempts.items():
            before = inside.argon2id.operations
            await refused(inside.stubs, email, password)
            operations[name] = inside.argon2id.operations - before
    assert operations == dict.fromkeys(attempts, 1)


async def test_what_is_right_is_not_more_work(people: People, server: Server, tmp_path: Path) -> None:
    """A right password costs the one operation too; a vouched first factor none."""
    owner = await people.with_account()
    async with beside(server, tmp_path) as inside:
        await People(inside.stubs, people.mailbox, people.clock).challenge_for(owner)
        assert inside.argon2id.operations == 1


async def test_a_stranger_moves_no_counter_of_the_owner(people: People) -> None:
    """ "First-factor failures never touch the second factor's counters": after thirty wrong passwords the owner signs
    in as if nothing had been, and nobody was mailed."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    stranger = Person(owner.email, owner.account_id, password="not the password")
    for _ in range(30):
        with pytest.raises(grpc.aio.AioRpcError):
            await people.challenge_for(stranger)
    shown = await people.challenge(challenge)
    assert (shown.attempts_left, list(shown.waits)) == (5, [])
    assert (await people.use_backup_code(challenge, owner.backup_code)).session.email == owner.email
