"""Signing in with a provider by hand, and in the walk: a browser at one end, a program that listens at the other."""

import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients_cli.commands import PASSWORD, Done, Hand, twofactor_try, unused_address
from tests.faults.faults import beside
from tests.people import People
from tests.providers.both import Providers
from tests.servers import Server, serving
from twofactor_try.failures import CannotStartError
from twofactor_try.mailbox import Mailbox
from twofactor_try.providers import listening_at, on_this_machine, provider


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture
def listening(providers: Providers, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The front end of the commands may listen at a port that is free, and knows the server's settings."""
    openid, before = providers.openid, providers.openid.loopback_uri
    openid.loopback_uri = f"http://127.0.0.1:{free_port()}/example/callback"
    for name, value in openid.settings.items():
        if not name.endswith("SECRET"):
            monkeypatch.setenv(name, value)
    yield
    openid.loopback_uri = before


@pytest.fixture
def hand(listening: None, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    """Commands against a server whose settings name that port."""
    monkeypatch.setenv("TWOFACTOR_TRY_PASSWORD", PASSWORD)
    with serving(beside(server, tmp_path)) as own:
        yield Hand(own.address, tmp_path / "state" / "tokens.json")


class Browser:
    """Opens the address that a command prints, as the person of this name, and follows where it leads."""

    def __init__(self, who: str) -> None:
        self.who = who

    def while_it_runs(self, hand: Hand, *command: str) -> Done:
        """Run the command in a process of its own, and be the browser that it asks for."""
        arguments = [*command, "--server", hand.address, "--state", str(hand.state)]
        with subprocess.Popen(
            [sys.executable, "-m", "twofactor_try", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stderr
            said = ""
            for line in process.stderr:
                if line.startswith("http"):
                    with urllib.request.urlopen(f"{line.strip()}&login_hint={self.who}") as page:  # noqa: S310 -- loopback
                        assert page.read() == b"Done. Go back to the terminal.\n"
                else:
                    said += line
            assert process.stdout
            return Done(process.wait(60), process.stdout.read(), said)


def test_an_account_made_and_signed_in_to_by_a_provider(hand: Hand, people: People) -> None:
    browser = Browser(unused_address().partition("@")[0])
    made = browser.while_it_runs(hand, "create-account", "--provider", "example")
    assert made.status == 0, made.err
    assert f"{browser.who}@provider.example, verified" in made.out
    assert "signs in by example" in made.out
    inbox = Mailbox(people.mailbox.folder, f"{browser.who}@provider.example")
    assert "The first factor is right." in browser.while_it_runs(hand, "sign-in", "--provider", "example").out
    code = inbox.wait_for_code(5)
    assert code
    assert "proven by   otp, urn:twofactor:email" in hand.says("verify-code", code)
    assert "at          example" in hand.says("identities")
    refused = browser.while_it_runs(hand, "unlink", "example", "--by", "example")
    assert (refused.status, "LAST_WAY_IN" in refused.err) == (1, True)


def test_an_identity_is_linked_listed_and_unlinked(hand: Hand, people: People) -> None:
    address = unused_address()
    inbox = Mailbox(people.mailbox.folder, address)
    hand.says("create-account", address)
    hand.says("sign-in", address)
    code = inbox.wait_for_code(5)
    assert code
    hand.says("verify-code", code)
    assert hand.says("identities") == "No identity is linked.\n"
    browser = Browser(address.partition("@")[0])
    assert "Linked:" in browser.while_it_runs(hand, "link", "example").out
    (linked,) = hand.json("identities")["identities"]
    assert linked["email"] == f"{browser.who}@provider.example"
    assert hand.run("unlink", "github").err.startswith("No linked identity goes by github")
    assert hand.says("unlink", linked["identity_id"]).startswith("Unlinked: the example identity")


@pytest.mark.parametrize("command", ["create-account", "sign-in"])
def test_somebody_has_to_be_named(hand: Hand, command: str) -> None:
    done = hand.run(command)
    assert (done.status, done.out) == (2, "")
    assert "--provider" in done.err


def test_what_is_missing_is_said_in_one_sentence(hand: Hand) -> None:
    done = hand.run("sign-in", "--provider", "github")
    assert done.status == 2
    assert done.err == (
        "To sign in with github, set here too what the server has: TWOFACTOR_GITHUB_CLIENT_ID, "
        "TWOFACTOR_GITHUB_REDIRECT_URIS.\n"
    )


def test_a_provider_is_read_as_the_server_reads_it() -> None:
    environment = {
        "TWOFACTOR_OIDC_HOME_ISSUER": "http://127.0.0.1:9310",
        "TWOFACTOR_OIDC_HOME_CLIENT_ID": "demo",
        "TWOFACTOR_OIDC_HOME_REDIRECT_URIS": "https://client.example/x http://127.0.0.1:9311/callback",
        "TWOFACTOR_OIDC_AWAY_ISSUER": "https://login.example",
    }
    found = on_this_machine(environment)
    assert found is not None
    assert (found.name, found.redirect_uri) == ("home", "http://127.0.0.1:9311/callback")
    assert on_this_machine({}) is None
    assert provider("google", {"TWOFACTOR_GOOGLE_CLIENT_ID": "x", "TWOFACTOR_GOOGLE_REDIRECT_URIS": "https://x/y"}).url
    with pytest.raises(CannotStartError, match="TWOFACTOR_OIDC_AWAY_CLIENT_ID"):
        provider("away", environment)
    assert listening_at("http://127.0.0.1/x") is None
    assert listening_at("https://127.0.0.1:1/x") is None


def test_the_walk_signs_in_with_a_provider_of_its_own(server: Server, tmp_path: Path) -> None:
    """Where server and walk are started with the settings of one on this machine; everything else is as without."""
    settings = {
        "TWOFACTOR_OIDC_WALK_ISSUER": f"http://127.0.0.1:{free_port()}",
        "TWOFACTOR_OIDC_WALK_CLIENT_ID": "walk",
        "TWOFACTOR_OIDC_WALK_CLIENT_SECRET": "walk",
        "TWOFACTOR_OIDC_WALK_REDIRECT_URIS": "http://127.0.0.1:9311/callback",
    }
    with serving(beside(server, tmp_path, settings=settings)) as own:
        done = twofactor_try("demo", "--server", own.address, "--data-dir", str(server.data_dir), env=settings)
    assert done.status == 0, done.out + done.err
    assert "Signed in with walk: " in done.out
    assert "Sign in with your password (or Google/GitHub)." in " ".join(done.out.split())
    assert "✗" not in done.out
    kept = re.search(r"(\d+) of (\d+) promises kept", done.out)
    assert kept
    assert kept[1] == kept[2]
    without = twofactor_try("demo", "--server", server.address, "--data-dir", str(server.data_dir), env=settings)
    assert without.status == 0, without.out + without.err
    assert "does not know the provider walk" in without.out
