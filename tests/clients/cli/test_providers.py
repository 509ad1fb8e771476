"""Sign-in with an identity provider: the commands with a browser and a loopback redirect, and the demo."""

import re
import secrets
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.cli.cli import Cli, Result, run_process, wait_for_code
from tests.support.providers.both import Providers
from tests.support.servers import Server, second_server, serving
from twofactor_try.errors import CannotStartError
from twofactor_try.providers import find_loopback_provider, loopback_address, provider_from_environment


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture
def provider_settings(providers: Providers, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The commands have the server's settings for the provider `example`, with a redirect URI on a free port."""
    openid, before = providers.openid, providers.openid.loopback_uri
    openid.loopback_uri = f"http://127.0.0.1:{free_port()}/example/callback"
    for name, value in openid.settings.items():
        if not name.endswith("SECRET"):
            monkeypatch.setenv(name, value)
    yield
    openid.loopback_uri = before


@pytest.fixture
def cli(provider_settings: None, passwords: None, server: Server, tmp_path: Path) -> Iterator[Cli]:
    """Commands against a server with that redirect URI."""
    with serving(second_server(server, tmp_path)) as own:
        yield Cli(own, tmp_path / "state" / "tokens.json")


def run_with_browser(cli: Cli, user: str, *command: str) -> Result:
    """Run the command in a process of its own, and open the URL that it prints, signed in at the provider as `user`."""
    arguments = [*command, "--server", cli.server.address, "--state", str(cli.state)]
    with subprocess.Popen(
        [sys.executable, "-m", "twofactor_try", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        assert process.stdout
        err = ""
        for line in process.stderr:
            if not line.startswith("http"):
                err += line
                continue
            with urllib.request.urlopen(f"{line.strip()}&login_hint={user}") as page:  # noqa: S310 - loopback
                assert page.read() == b"Done. Return to the terminal.\n"
        return Result(process.wait(60), process.stdout.read(), err)


def test_account_is_created_and_opened_with_provider(cli: Cli) -> None:
    user = f"cli-{secrets.token_hex(6)}"
    email = f"{user}@provider.example"
    result = run_with_browser(cli, user, "create-account", "--provider", "example")
    assert result.status == 0, result.err
    assert f"{email} (verified)" in result.out
    assert "sign-in with  example" in result.out

    mailbox = cli.mailbox(email)
    assert "The first factor is correct." in run_with_browser(cli, user, "sign-in", "--provider", "example").out
    assert "methods      otp, urn:twofactor:email" in cli.output("verify-code", wait_for_code(mailbox))
    assert "provider  example" in cli.output("identities")
    result = run_with_browser(cli, user, "unlink", "example", "--by", "example")
    assert result.status == 1
    assert "LAST_WAY_IN" in result.err


def test_identity_is_linked_listed_and_unlinked(cli: Cli) -> None:
    email = cli.create_account()
    cli.sign_in(email)
    assert cli.output("identities") == "No identity is linked.\n"
    user = email.partition("@")[0]
    assert "The identity is linked." in run_with_browser(cli, user, "link", "example").out
    (identity,) = cli.json("identities")["identities"]
    assert identity["email"] == f"{user}@provider.example"
    assert cli.run("unlink", "github").err.startswith("error: No linked identity matches github.")
    assert cli.output("unlink", identity["identity_id"]).startswith("The example identity is unlinked.")


def test_missing_settings_are_listed(cli: Cli) -> None:
    result = cli.run("sign-in", "--provider", "github")
    assert result.status == 2
    assert result.err == (
        "error: The provider github is not configured here. Set the same values as for the server: "
        "TWOFACTOR_GITHUB_CLIENT_ID, TWOFACTOR_GITHUB_REDIRECT_URIS.\n"
    )


def test_provider_is_read_from_the_servers_settings() -> None:
    environment = {
        "TWOFACTOR_OIDC_HOME_ISSUER": "http://127.0.0.1:9310",
        "TWOFACTOR_OIDC_HOME_CLIENT_ID": "demo",
        "TWOFACTOR_OIDC_HOME_REDIRECT_URIS": "https://client.example/x http://127.0.0.1:9311/callback",
        "TWOFACTOR_OIDC_AWAY_ISSUER": "https://login.example",
    }
    home = find_loopback_provider(environment)
    assert home is not None
    assert (home.name, home.redirect_uri) == ("home", "http://127.0.0.1:9311/callback")
    assert find_loopback_provider({}) is None
    with pytest.raises(CannotStartError, match="TWOFACTOR_OIDC_AWAY_CLIENT_ID"):
        provider_from_environment("away", environment)
    google = {"TWOFACTOR_GOOGLE_CLIENT_ID": "x", "TWOFACTOR_GOOGLE_REDIRECT_URIS": "https://x/y"}
    assert provider_from_environment("google", google).url == "https://accounts.google.com"


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "https://127.0.0.1:1/x", "http://example.test:1/x"])
def test_only_http_with_a_port_on_loopback_is_a_loopback_address(url: str) -> None:
    assert loopback_address(url) is None
    assert loopback_address("http://127.0.0.1:1/x") == ("127.0.0.1", 1)


def test_demo_acts_as_the_configured_provider(server: Server, tmp_path: Path) -> None:
    settings = {
        "TWOFACTOR_OIDC_LOCAL_ISSUER": f"http://127.0.0.1:{free_port()}",
        "TWOFACTOR_OIDC_LOCAL_CLIENT_ID": "demo",
        "TWOFACTOR_OIDC_LOCAL_CLIENT_SECRET": "demo",
        "TWOFACTOR_OIDC_LOCAL_REDIRECT_URIS": "http://127.0.0.1:9311/callback",
    }
    with serving(second_server(server, tmp_path, settings=settings)) as own:
        result = run_process("demo", "--server", own.address, "--data-dir", str(server.data_dir), env=settings)
    assert result.status == 0, result.out + result.err
    assert "Signed in with local and the backup code" in result.out
    assert "Sign in with your password (or Google/GitHub)." in " ".join(result.out.split())
    assert "✗" not in result.out
    passed = re.search(r"(\d+) of (\d+) checks passed", result.out)
    assert passed
    assert passed[1] == passed[2]


def test_demo_skips_provider_that_the_server_does_not_know(server: Server) -> None:
    settings = {
        "TWOFACTOR_OIDC_LOCAL_ISSUER": f"http://127.0.0.1:{free_port()}",
        "TWOFACTOR_OIDC_LOCAL_CLIENT_ID": "demo",
        "TWOFACTOR_OIDC_LOCAL_REDIRECT_URIS": "http://127.0.0.1:9311/callback",
    }
    result = run_process("demo", "--server", server.address, "--data-dir", str(server.data_dir), env=settings)
    assert result.status == 0, result.out + result.err
    assert "the server is not configured for the provider local" in " ".join(result.out.split())
