"""A thief's view: all that the database, the log and the data folder hold of a used system."""

import contextlib
import hashlib
import re
from base64 import b32decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio

from tests.account.steps import change_email, change_link, report, unused_address
from tests.article.password_steps import change, complete_reset, reset_token
from tests.article.steps import (
    STEP,
    from_network,
    sign_in_by_app,
    sign_in_by_backup_code,
    wrong_backup_codes,
    wrong_digits,
)
from tests.article.suspensions import confirm, mailed_link
from tests.people import CLIENT, People, Person, people_of
from tests.security.tables import everything
from tests.servers import Server, text_of
from twofactor_server.postgres import EmbeddedPostgres

Secrets = dict[str, str | bytes]
Used = tuple[Person, Secrets]


@pytest_asyncio.fixture(scope="module")
async def used(server: Server, channel: grpc.aio.Channel) -> Used:
    """An account that has done all that can be done, and every secret that was seen on the way."""
    people = people_of(server, channel)
    owner = await people.with_account()
    secrets: Secrets = {"password": owner.password}
    challenge = await people.challenge_for(owner)
    mailed = [await people.mailbox.code(owner.email)]
    await people.send_email_code(challenge)
    mailed.append(await people.mailbox.code(owner.email, 2))
    with pytest.raises(grpc.aio.AioRpcError):
        await people.verify_email_code(challenge, wrong_digits(mailed[1]))
    signed_in = await people.verify_email_code(challenge, mailed[1], str(uuid4()))
    owner.session_token = signed_in.session_token
    secrets |= {"challenge token": challenge, "session token": owner.session_token}
    wrong = Person(owner.email, owner.account_id, "a wrong password, once", owner.session_token)
    with pytest.raises(grpc.aio.AioRpcError):
        await people.start_setup(wrong)
    await people.set_up_authenticator(owner)
    secrets |= {"secret": owner.secret, "first backup code": owner.backup_code, "wrong password": wrong.password}
    pending = await people.start_setup(owner)
    secrets["pending secret"] = pending.secret.replace(" ", "")
    for number in range(2):
        await sign_in_by_backup_code(people, owner, str(uuid4()))
        secrets[f"replacement {number}"] = owner.backup_code
    secrets["regenerated"] = owner.backup_code = (await people.regenerate(owner, str(uuid4()))).backup_code.code
    open_challenge = await people.challenge_for(owner)
    with pytest.raises(grpc.aio.AioRpcError):
        await people.use_backup_code(open_challenge, "wrng w123 4567 89ab")
    secrets |= {"open challenge": open_challenge, "wrong backup code": "wrng w123 4567 89ab"}
    secrets["session by app"] = (await sign_in_by_app(people, owner, str(uuid4()))).session_token
    guesses = wrong_backup_codes()
    for _ in range(4):
        challenge = await people.challenge_for(owner)
        for _ in range(5):
            with contextlib.suppress(grpc.aio.AioRpcError):
                await people.use_backup_code(challenge, next(guesses))
    secrets["link token"] = await mailed_link(people, owner)
    secrets["chosen password"] = "a password chosen by the owner"
    owner.password = "a password chosen by the owner"
    await confirm(people, str(secrets["link token"]), owner.password)
    owner.session_token = (await sign_in_by_app(people, owner)).session_token
    secrets["session token after the suspension"] = owner.session_token
    await change_email(people, owner, new := unused_address())
    secrets["confirming token"] = await change_link(people, new)
    secrets["not-me token"] = not_me = await people.mailbox.link(owner.email, "authenticator-on", "not-me")
    secrets["password by link"] = "a password chosen by a link"
    await report(people, not_me, "a password chosen by a link")
    unfinished = await people.with_account()
    secrets["other challenge"] = await people.challenge_for(unfinished, from_network(9))
    mailed.append(await people.mailbox.code(unfinished.email))
    forgetful = await people.signed_in()
    await change(people, forgetful, "the first new password")
    secrets["used reset token"] = token = await reset_token(people, forgetful.email)
    await complete_reset(people, token, "the second new password")
    secrets["reset token"] = await reset_token(people, forgetful.email, 2)
    forgetful.password = "a wrong password, twice"
    with pytest.raises(grpc.aio.AioRpcError):
        await people.challenge_for(forgetful)
    secrets |= {"changed password": "the first new password", "reset password": "the second new password"}
    secrets |= {"session of the forgetful token": forgetful.session_token, "mistyped password": forgetful.password}
    people.clock.advance(STEP)
    secrets |= {f"mailed code {number}": code for number, code in enumerate(mailed)}
    return owner, secrets


def forms(name: str, secret: str | bytes) -> Iterator[tuple[str, bytes]]:
    """The forms in which a secret would be found: as it is, without spaces, decoded, encoded, digested unkeyed."""
    text = secret.encode() if isinstance(secret, str) else secret
    bare = text.replace(b" ", b"")
    plain = {"as shown": text, "bare": bare, "capitals": bare.upper()}
    if name.endswith("secret"):
        plain |= {"raw": b32decode(bare), "grouped": b" ".join(re.findall(b"....", bare))}
    for form, content in plain.items():
        yield form, content
        yield f"{form}, base64", b64encode(content).rstrip(b"=")
        yield f"{form}, base64 for URLs", urlsafe_b64encode(content).rstrip(b"=")
        yield f"{form}, hexadecimal", content.hex().encode()
        if "token" in name or "challenge" in name or name == "session by app":
            continue  # 256 random bits: a digest of a token is what is kept of it
        for algorithm in ("md5", "sha1", "sha256", "sha512"):
            digest = hashlib.new(algorithm, content).digest()
            yield f"{form}, {algorithm}", digest
            yield f"{form}, {algorithm} in hexadecimal", digest.hex().encode()


def is_six_digits(content: bytes) -> bool:
    return re.fullmatch(rb"\d{6}", content) is not None


def found(content: bytes, cells: list[bytes], needle: bytes) -> bool:
    """Six digits may turn up in a time or an id by chance, so they are looked for as a value or a word of their own."""
    if not is_six_digits(needle):
        return needle in content
    return needle in cells or re.search(rb"(?<![\w.:+/-])" + needle + rb"(?![\w.:+/-])", content) is not None


async def dump(url: str) -> tuple[bytes, list[bytes]]:
    """Every value of every column of every row: all in one, and one by one. What is binary stays so."""
    cells = []
    for rows in (await everything(url)).values():
        for row in rows:
            cells += [value if isinstance(value, bytes) else str(value).encode() for value in row.values()]
    return b"\0".join(cells), cells


async def test_a_dump_of_a_used_system_holds_no_secret(used: Used, postgres: EmbeddedPostgres) -> None:
    """ "A database dump of a used system holds no code, token, secret or mail text in clear", nor an unkeyed digest of
    a code.

    It fails with replies kept unsealed, with TOTP secrets kept unsealed, with SHA-256 in place of Argon2id, and with a
    plain SHA-256 as the fingerprint of a spent code: each was tried.
    """
    owner, secrets = used
    content, cells = await dump(postgres.url)
    assert owner.account_id.encode() in content, "the dump has the account in it"
    leaks = [
        f"{name}: {form}"
        for name, secret in secrets.items()
        for form, needle in forms(name, secret)
        if found(content, cells, needle)
    ]
    assert leaks == []


async def test_codes_and_passwords_are_kept_as_argon2id(people: People, postgres: EmbeddedPostgres) -> None:
    """Only a salted password hash is kept of them (NIST SP 800-63B, saved recovery codes under 112 bits), with a salt
    of 128 bits, never the same twice."""
    owner = await people.with_authenticator()
    rows = await everything(postgres.url)
    phc = re.compile(r"\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}")
    hashes = [row["backup_code_hash"] for row in rows["second_factors"] if row["backup_code_hash"]]
    hashes += [row["password_hash"] for row in rows["accounts"] if row["password_hash"]]
    assert owner.backup_code
    assert all(phc.fullmatch(one) for one in hashes)
    assert len(set(hashes)) == len(hashes)


async def test_no_mail_is_readable_in_the_database(people: People, server: Server, postgres: EmbeddedPostgres) -> None:
    """ "The outbox's payloads … are sealed": neither words of the mails nor where the sign-in came from are in it."""
    owner = await people.with_authenticator()
    await people.mailbox.wait_for(owner.email, "authenticator-on")
    content, _ = await dump(postgres.url)
    for mail in people.mailbox.to(owner.email):
        for line in filter(lambda line: len(line) > 20, text_of(mail).splitlines()):
            assert line.encode() not in content
        assert str(mail["Subject"]).encode() not in content


async def test_the_log_holds_no_secret(used: Used, server: Server) -> None:
    """ "Codes out of logs, traces, error text": nothing of what was typed or shown, nor whose it was. It fails when the
    line that each call leaves repeats the request."""
    owner, secrets = used
    log = server.log.encode()
    assert b"UseBackupCode" in log, "the log has the calls in it"
    needles = {f"{name}: {form}": needle for name, secret in secrets.items() for form, needle in forms(name, secret)}
    leaks = [what for what, needle in needles.items() if found(log, [], needle)]
    assert leaks == []
    for personal in (owner.email, CLIENT.ip_address, CLIENT.user_agent):
        assert personal.encode() not in log


async def test_the_data_folder_is_for_the_server_only(used: Used, server: Server) -> None:
    """The keyring is readable by its owner alone, and no file beside the mails has a secret in it."""
    _, secrets = used
    keyring = server.data_dir / "keyring.json"
    assert keyring.stat().st_mode & 0o777 == 0o600
    files = [path for path in server.data_dir.rglob("*") if path.is_file() and path.suffix != ".eml"]
    assert keyring in files
    for path in files:
        content = path.read_bytes()
        leaks = [name for name, secret in secrets.items() for form, needle in forms(name, secret)
                 if not is_six_digits(needle) and needle in content]  # fmt: skip
        assert leaks == [], path.name
