"""Settings of identity providers: complete, encrypted, distinct. All problems are reported at once, without values."""

from pathlib import Path

import pytest

from twofactor_server.provider_settings import ProviderSettings
from twofactor_server.settings import SettingsError, load

GOOGLE = {
    "TWOFACTOR_GOOGLE_CLIENT_ID": "client",
    "TWOFACTOR_GOOGLE_CLIENT_SECRET": "s3cret",
    "TWOFACTOR_GOOGLE_REDIRECT_URIS": "https://my.example.test/google http://localhost:8080/google",
}
GITHUB = {
    "TWOFACTOR_GITHUB_CLIENT_ID": "client",
    "TWOFACTOR_GITHUB_CLIENT_SECRET": "s3cret",
    "TWOFACTOR_GITHUB_REDIRECT_URIS": "https://my.example.test/github",
}
OTHER = {
    "TWOFACTOR_OIDC_MY_COMPANY_ISSUER": "https://login.example.test/realms/one",
    "TWOFACTOR_OIDC_MY_COMPANY_CLIENT_ID": "client",
    "TWOFACTOR_OIDC_MY_COMPANY_CLIENT_SECRET": "s3cret",
    "TWOFACTOR_OIDC_MY_COMPANY_REDIRECT_URIS": "https://my.example.test/company",
}


def problems(environment: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(environment)
    return caught.value.problems


def test_providers_are_read() -> None:
    enterprise = {"TWOFACTOR_GITHUB_URL": "https://github.example.test"}
    github, google, other = load(GOOGLE | GITHUB | OTHER | enterprise).providers
    assert (google.name, google.url) == ("google", "https://accounts.google.com")
    assert google.redirect_uris == ("https://my.example.test/google", "http://localhost:8080/google")
    assert (github.name, github.url) == ("github", "https://github.example.test")
    assert other == ProviderSettings(
        "my_company", "https://login.example.test/realms/one", "client", "s3cret", ("https://my.example.test/company",)
    )
    assert load({}).providers == ()
    assert load(GITHUB).providers[0].url == "https://github.com"


def test_providers_are_read_from_the_file(tmp_path: Path) -> None:
    """In lower case without the prefix, redirect URIs as a list. The environment has precedence."""
    file = tmp_path / "twofactor.toml"
    file.write_text(
        "google_client_id = 'client'\ngoogle_client_secret = 'of the file'\n"
        "google_redirect_uris = ['https://a.example.test/', 'https://b.example.test/']\n"
    )
    environment = {"TWOFACTOR_CONFIG": str(file), "TWOFACTOR_GOOGLE_CLIENT_SECRET": "of the environment"}
    (google,) = load(environment).providers
    assert google.redirect_uris == ("https://a.example.test/", "https://b.example.test/")
    assert google.client_secret == "of the environment"


@pytest.mark.parametrize("name", [*GOOGLE, *GITHUB, *OTHER])
def test_incomplete_providers_are_rejected(name: str) -> None:
    """Missing and empty settings are named."""
    everything = GOOGLE | GITHUB | OTHER
    assert problems({key: value for key, value in everything.items() if key != name}) == [f"{name} is missing."]
    (problem, *_) = problems(everything | {name: " "})
    assert problem == f"{name} must not be empty."


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.test", "login.example.test", "ftp://login.example.test", "https://", "https:///x",
        "https://u:p@login.example.test", "https://login.example.test?x=1", "https://login.example.test#x",
        "http://127.0.0.1.example.test", "http://localhost.example.test", "https://login.example.test:x", "//x", "x\n",
        "http://10.0.0.1", "https://login.example.test/ x",
    ],
)  # fmt: skip
def test_provider_urls_must_be_https(url: str) -> None:
    """Plain http only on loopback. No credentials, query or fragment in an issuer."""
    for name in ("TWOFACTOR_OIDC_MY_COMPANY_ISSUER", "TWOFACTOR_GITHUB_URL"):
        (problem,) = problems(OTHER | GITHUB | {name: url})
        assert problem == f"{name} must be an https URL (http on loopback) without a query or fragment."


@pytest.mark.parametrize("url", ["http://localhost:9000", "http://127.0.0.1", "http://[::1]:9000/x", "https://x:444/y"])
def test_loopback_urls_may_be_plain_http(url: str) -> None:
    assert load(OTHER | {"TWOFACTOR_OIDC_MY_COMPANY_ISSUER": url}).providers[0].url == url


@pytest.mark.parametrize("uri", ["http://my.example.test/google", "myapp:/callback", "https://x/#y", "/callback", "*"])
def test_redirect_uris_must_be_https(uri: str) -> None:
    (problem,) = problems(GOOGLE | {"TWOFACTOR_GOOGLE_REDIRECT_URIS": f"https://my.example.test/google {uri}"})
    assert problem.startswith("TWOFACTOR_GOOGLE_REDIRECT_URIS must be https URLs")


def test_no_two_providers_share_a_redirect_uri() -> None:
    """Or a code of one could be sent to the other (RFC 9207, mix-up)."""
    shared = OTHER["TWOFACTOR_OIDC_MY_COMPANY_REDIRECT_URIS"]
    (problem,) = problems(GOOGLE | OTHER | {"TWOFACTOR_GOOGLE_REDIRECT_URIS": f"https://x.example.test/ {shared}"})
    assert problem == ("TWOFACTOR_OIDC_MY_COMPANY_REDIRECT_URIS must not contain a redirect URI of google.")


def test_all_problems_are_reported_at_once_without_values() -> None:
    found = problems(
        {
            "TWOFACTOR_GOOGLE_CLIENT_SECRET": "s3cret",
            "TWOFACTOR_GOOGLE_REDIRECT_URIS": "http://s3cret.example.test/",
            "TWOFACTOR_GOOGLE_ISSUER": "s3cret",
            "TWOFACTOR_OIDC_GITHUB_ISSUER": "s3cret",
            "TWOFACTOR_OIDC_X_ISSUER": "http://s3cret.example.test/",
            "TWOFACTOR_WORKERS": "s3cret",
        }
    )
    assert {problem.split()[0] for problem in found} == {
        "TWOFACTOR_GOOGLE_CLIENT_ID",
        "TWOFACTOR_GOOGLE_REDIRECT_URIS",
        "TWOFACTOR_GOOGLE_ISSUER",
        "TWOFACTOR_OIDC_GITHUB_ISSUER",
        "TWOFACTOR_OIDC_X_ISSUER",
        "TWOFACTOR_OIDC_X_CLIENT_ID",
        "TWOFACTOR_OIDC_X_CLIENT_SECRET",
        "TWOFACTOR_OIDC_X_REDIRECT_URIS",
        "TWOFACTOR_WORKERS",
    }
    assert "s3cret" not in " ".join(found)


def test_repr_hides_secrets() -> None:
    assert "s3cret" not in repr(load(GOOGLE | GITHUB | OTHER))
