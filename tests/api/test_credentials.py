"""Failures of the first factor are indistinguishable: unknown address, wrong password, no password."""

from collections.abc import Mapping
from pathlib import Path

import grpc
import pytest

from tests.support.factories import PASSWORD, AccountFactory, unused_email
from tests.support.in_process_server import second_in_process_server
from tests.support.rpc import Refused, Rpc
from tests.support.servers import Server

SignIns = Mapping[str, tuple[str, str]]


async def sign_ins(factory: AccountFactory) -> SignIns:
    """One e-mail address and password for each kind of failure."""
    owner, vouched_only = await factory.account(), unused_email()
    await factory.rpc.CreateAccount(email=vouched_only)
    with_app = await factory.account_with_authenticator()
    return {
        "unknown address": (unused_email(), PASSWORD),
        "wrong password": (owner.email, "not the password"),
        "wrong password, app on": (with_app.email, "not the password"),
        "almost the password": (owner.email, PASSWORD + " "),
        "no password": (vouched_only, PASSWORD),
    }


async def start_sign_in(rpc: Rpc, email: str, password: str) -> Refused:
    """Start a sign-in with a wrong first factor."""
    with pytest.raises(Refused) as caught:
        await rpc.StartSignIn(password={"email": email, "password": password})
    return caught.value


async def test_refusals_are_identical(factory: AccountFactory) -> None:
    """ "CREDENTIALS_MISMATCH: identical bytes": status, text, details and trailers, without the second factor."""
    answers = {}
    for name, (email, password) in (await sign_ins(factory)).items():
        sent = await start_sign_in(factory.rpc, email, password)
        assert sent.code == grpc.StatusCode.INVALID_ARGUMENT
        answers[name] = sent
    assert len(answers) == 5
    assert len({sent.content for sent in answers.values()}) == 1
    assert len({tuple(sent.trailers) for sent in answers.values()}) == 1


async def test_failures_hash_once(factory: AccountFactory, server: Server, tmp_path: Path) -> None:
    """ "Unknown address, wrong password, no password: same number of Argon2 operations": one each. Fails without
    the decoy for an unknown address, or for an account without a password."""
    attempts = await sign_ins(factory)
    async with second_in_process_server(server, tmp_path) as inside:
        operations = {}
        for name, (email, password) in attempts.items():
            before = inside.argon2id.operations
            await start_sign_in(inside.rpc, email, password)
            operations[name] = inside.argon2id.operations - before
    assert operations == dict.fromkeys(attempts, 1)


async def test_a_correct_password_hashes_once(factory: AccountFactory, server: Server, tmp_path: Path) -> None:
    owner = await factory.account()
    async with second_in_process_server(server, tmp_path) as inside:
        await factory.over(inside.channel).challenge_for(owner)
        assert inside.argon2id.operations == 1
