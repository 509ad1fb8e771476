"""The content of the database, the log and the data folder of a used system."""

import contextlib
import hashlib
import re
from base64 import b32decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio

from tests.support.factories import AccountFactory, Owner, factory_for, unused_email
from tests.support.mailbox import Mailbox, text_of
from tests.support.rpc import CLIENT, Refused
from tests.support.servers import Server
from tests.support.steps import (
    STEP,
    change_password,
    complete_password_reset,
    email_change_token,
    from_network,
    report_token,
    request_reset_token,
    sign_in_by_app,
    sign_in_by_backup_code,
    unlock_token,
    wrong_backup_codes,
    wrong_digits,
)
from tests.support.tables import everything
from twofactor_server.postgres import EmbeddedPostgres

Secrets = dict[str, str | bytes]
Used = tuple[Owner, Secrets]


@pytest_asyncio.fixture(scope="module")
async def used(server: Server, channel: grpc.aio.Channel) -> Used:
    """An account that has used every method, and every secret that appeared."""
    factory = factory_for(server, channel)
    owner = await factory.account()
    secrets: Secrets = {"password": owner.password}
    challenge = await factory.challenge_for(owner)
    mailed = [await factory.mailbox.code(owner.email)]
    await factory.rpc.SendEmailCode(challenge_token=challenge)
    mailed.append(await factory.mailbox.code(owner.email, 2))
    with pytest.raises(Refused):
        await factory.rpc.VerifyEmailCode(challenge_token=challenge, code=wrong_digits(mailed[1]))
    signed_in = await factory.rpc.VerifyEmailCode(challenge_token=challenge, code=mailed[1], request_id=str(uuid4()))
    owner.session_token = signed_in.session_token
    secrets |= {"challenge token": challenge, "session token": owner.session_token}
    wrong = Owner(owner.email, owner.account_id, "a wrong password, once", owner.session_token)
    with pytest.raises(Refused):
        await factory.rpc.StartAuthenticatorSetup(**wrong.by_password())
    await factory.set_up_authenticator(owner)
    secrets |= {"secret": owner.secret, "first backup code": owner.backup_code, "wrong password": wrong.password}
    pending = await factory.rpc.StartAuthenticatorSetup(**owner.by_password())
    secrets["pending secret"] = pending.secret.replace(" ", "")
    for number in range(2):
        await sign_in_by_backup_code(factory, owner, str(uuid4()))
        secrets[f"replacement {number}"] = owner.backup_code
    secrets["regenerated"] = owner.backup_code = (
        await factory.rpc.RegenerateBackupCode(**owner.by_password(), request_id=str(uuid4()))
    ).backup_code.code
    open_challenge = await factory.challenge_for(owner)
    with pytest.raises(Refused):
        await factory.rpc.UseBackupCode(challenge_token=open_challenge, backup_code="wrng w123 4567 89ab")
    secrets |= {"open challenge": open_challenge, "wrong backup code": "wrng w123 4567 89ab"}
    secrets["session by app"] = (await sign_in_by_app(factory, owner, str(uuid4()))).session_token
    guesses = wrong_backup_codes()
    for _ in range(4):
        challenge = await factory.challenge_for(owner)
        for _ in range(5):
            with contextlib.suppress(Refused):
                await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=next(guesses))
    secrets["link token"] = await unlock_token(factory, owner)
    secrets["chosen password"] = "a password chosen by the owner"
    owner.password = "a password chosen by the owner"
    await factory.rpc.ConfirmFirstFactor(token=str(secrets["link token"]), new_password=owner.password)
    owner.session_token = (await sign_in_by_app(factory, owner)).session_token
    secrets["session token after the suspension"] = owner.session_token
    await factory.rpc.ChangeEmail(**owner.by_password(), new_email=(new := unused_email()))
    secrets["confirming token"] = await email_change_token(factory, new)
    secrets["not-me token"] = not_me = await factory.mailbox.link(owner.email, "authenticator-on", "not-me")
    secrets["password by link"] = "a password chosen by a link"
    await report_token(factory, not_me, "a password chosen by a link")
    unfinished = await factory.account()
    secrets["other challenge"] = await factory.challenge_for(unfinished, client=from_network(9))
    mailed.append(await factory.mailbox.code(unfinished.email))
    forgetful = await factory.signed_in_account()
    await change_password(factory, forgetful, "the first new password")
    secrets["used reset token"] = token = await request_reset_token(factory, forgetful.email)
    await complete_password_reset(factory, token, "the second new password")
    secrets["reset token"] = await request_reset_token(factory, forgetful.email, 2)
    forgetful.password = "a wrong password, twice"
    with pytest.raises(Refused):
        await factory.challenge_for(forgetful)
    secrets |= {"changed password": "the first new password", "reset password": "the second new password"}
    secrets |= {"session of the forgetful token": forgetful.session_token, "mistyped password": forgetful.password}
    factory.clock.advance(STEP)
    secrets |= {f"mailed code {number}": code for number, code in enumerate(mailed)}
    return owner, secrets


def forms(name: str, secret: str | bytes) -> Iterator[tuple[str, bytes]]:
    """The forms in which a secret could be found: plain, without spaces, decoded, encoded, and as a plain digest."""
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
            continue  # 256 random bits: a digest of a token is stored
        for algorithm in ("md5", "sha1", "sha256", "sha512"):
            digest = hashlib.new(algorithm, content).digest()
            yield f"{form}, {algorithm}", digest
            yield f"{form}, {algorithm} in hexadecimal", digest.hex().encode()


def is_six_digits(content: bytes) -> bool:
    return re.fullmatch(rb"\d{6}", content) is not None


def found(content: bytes, cells: list[bytes], needle: bytes) -> bool:
    """Six digits may occur in a time or an id by chance, so only whole values and words count."""
    if not is_six_digits(needle):
        return needle in content
    return needle in cells or re.search(rb"(?<![\w.:+/-])" + needle + rb"(?![\w.:+/-])", content) is not None


async def dump(url: str) -> tuple[bytes, list[bytes]]:
    """All values of all columns, joined and separately. Binary values stay binary."""
    cells = []
    for rows in (await everything(url)).values():
        for row in rows:
            cells += [value if isinstance(value, bytes) else str(value).encode() for value in row.values()]
    return b"\0".join(cells), cells


async def test_a_database_dump_contains_no_secret(used: Used, postgres: EmbeddedPostgres) -> None:
    """ "A database dump of a used system holds no code, token, secret or mail text in clear", nor an unkeyed digest
    of a code.

    Seen to fail with replies unsealed, with TOTP secrets unsealed, with SHA-256 instead of Argon2id, and with a
    plain SHA-256 as the fingerprint of a spent code.
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


async def test_codes_and_passwords_are_stored_as_argon2id(factory: AccountFactory, postgres: EmbeddedPostgres) -> None:
    """Only a salted password hash is stored (NIST SP 800-63B, look-up secrets under 112 bits), with a random salt
    of 128 bits."""
    owner = await factory.account_with_authenticator()
    rows = await everything(postgres.url)
    phc = re.compile(r"\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}")
    hashes = [row["backup_code_hash"] for row in rows["second_factors"] if row["backup_code_hash"]]
    hashes += [row["password_hash"] for row in rows["accounts"] if row["password_hash"]]
    assert owner.backup_code
    assert all(phc.fullmatch(one) for one in hashes)
    assert len(set(hashes)) == len(hashes)


async def test_emails_are_sealed_in_the_database(
    factory: AccountFactory, mailbox: Mailbox, server: Server, postgres: EmbeddedPostgres
) -> None:
    """ "The outbox's payloads … are sealed": neither texts nor client addresses are readable."""
    owner = await factory.account_with_authenticator()
    await mailbox.wait_for(owner.email, "authenticator-on")
    content, _ = await dump(postgres.url)
    for mail in mailbox.to(owner.email):
        for line in filter(lambda line: len(line) > 20, text_of(mail).splitlines()):
            assert line.encode() not in content
        assert str(mail["Subject"]).encode() not in content


async def test_the_log_contains_no_secret(used: Used, server: Server) -> None:
    """ "Codes out of logs, traces, error text", nor any owner's address. Fails if the log line of a call contains
    the request."""
    owner, secrets = used
    log = server.log.encode()
    assert b"UseBackupCode" in log, "the log has the calls in it"
    needles = {f"{name}: {form}": needle for name, secret in secrets.items() for form, needle in forms(name, secret)}
    leaks = [what for what, needle in needles.items() if found(log, [], needle)]
    assert leaks == []
    for personal in (owner.email, CLIENT.ip_address, CLIENT.user_agent):
        assert personal.encode() not in log


async def test_the_data_folder_is_private(used: Used, server: Server) -> None:
    """Only its owner can read the keyring, and no file except the e-mails contains a secret."""
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
