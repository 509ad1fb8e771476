"""The sign-in of the README runs as printed."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory
from tests.support.rpc import Rpc
from twofactor_client import TwoFactor


async def test_sign_in_of_the_readme(
    blocking: TwoFactor,
    factory: AccountFactory,
    rpc: Rpc,
    clock: Clock,
    repository: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = (repository / "clients" / "python" / "README.md").read_text(encoding="utf-8")
    code = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[0]
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102 - code of this repository
    owner = await factory.account_with_authenticator()

    async def sign_in(backup_code: str) -> Any:
        return await asyncio.to_thread(names["sign_in"], blocking, owner.email, owner.password, backup_code)

    token = await sign_in(owner.backup_code)
    assert (await rpc.GetSession(session_token=token)).session.email == owner.email
    assert (await rpc.GetTwoFactor(session_token=token)).backup_code.HasField("save_time")
    assert re.fullmatch(r"Save your new backup code: (\w{4} ?){4}\n", capsys.readouterr().out)

    assert await sign_in(owner.backup_code) is None
    assert await sign_in("0000 0000 0000 0001") is None
    used, wrong = capsys.readouterr().out.splitlines()
    assert used == f"This code was used at {clock.now:%H:%M}. Use the newest one."
    assert wrong == "Wrong code. 4 attempts left."
