"""GitHub: the identity is the numeric user id, and the address is the primary, verified one."""

import secrets
from typing import Any

import pytest

from tests.support.providers.github import EMAILS, TOKEN, USER, GitHubServer, GitHubUser, address
from tests.support.providers.openid import OpenIdServer
from tests.unit.identity.harness import Harness
from twofactor_server.domain.identities import ProvenIdentity
from twofactor_server.domain.refusals import Reason

MIA = [address("mia@provider.example")]


async def test_the_identity_is_the_numeric_user_id(harness: Harness, github: GitHubServer) -> None:
    """A login name can be changed and then taken by another user."""
    before = await harness.exchange(github.signed_in(GitHubUser(583231, "mia", MIA)))
    after = await harness.exchange(github.signed_in(GitHubUser(583231, "maria", MIA)))
    successor = await harness.exchange(github.signed_in(GitHubUser(583232, "mia", MIA)))
    assert before == after == ProvenIdentity("github", github.web.url, "583231", "mia@provider.example")
    assert successor.subject == "583232"


@pytest.mark.parametrize(
    ("emails", "expected"),
    [
        ([address("mia@provider.example", verified=False)], None),
        ([address("mia@provider.example", primary=False)], None),
        ([address("a@x.example", verified=False), address("b@x.example", primary=False)], None),
        ([address("a@x.example", primary=False), address("b@x.example")], "b@x.example"),
        ([address("a@x.example") | {"verified": "true"}], None),
        ([address("a@x.example") | {"email": None}], None),
        ([None, "a@x.example", 7], None),
        ([], None),
    ],
)
async def test_only_a_primary_and_verified_address_counts(
    harness: Harness, github: GitHubServer, emails: list[Any], expected: str | None
) -> None:
    assert (await harness.exchange(github.signed_in(GitHubUser(1, emails=emails)))).email == expected


@pytest.mark.parametrize(("number", "expected"), [(250, "p@x.example"), (1001, None)])
async def test_addresses_on_several_pages(
    harness: Harness, github: GitHubServer, number: int, expected: str | None
) -> None:
    """The last one is on the third page; the tenth page is the last that is requested. Nothing is sent to where the
    own link points."""
    emails = [address(f"{n}@x.example", primary=False) for n in range(number - 1)] + [address("p@x.example")]
    assert (await harness.exchange(github.signed_in(GitHubUser(1, emails=emails)))).email == expected
    assert github.web.seen[EMAILS] == min(10, -(-number // 100))
    assert github.web.seen["/elsewhere"] == 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("bad_verification_code", Reason.CREDENTIALS_MISMATCH),
        ("redirect_uri_mismatch", Reason.CREDENTIALS_MISMATCH),
        ("unverified_user_email", Reason.CREDENTIALS_MISMATCH),
        ("incorrect_client_credentials", Reason.DEPENDENCY_UNAVAILABLE),
        ("application_suspended", Reason.DEPENDENCY_UNAVAILABLE),
    ],
)
async def test_an_error_that_comes_with_status_200(
    harness: Harness, github: GitHubServer, error: str, reason: Reason
) -> None:
    refusal = await harness.refused(github.signed_in(GitHubUser(1, emails=MIA), error=error))
    assert refusal.reason is reason
    assert github.web.seen[USER] == 0


async def test_a_code_works_once_and_for_its_sign_in_only(harness: Harness, github: GitHubServer) -> None:
    credential = github.signed_in(GitHubUser(1, emails=MIA))
    await harness.exchange(credential)
    other = github.credential(github.grant(GitHubUser(1)), code_verifier=secrets.token_urlsafe(48))
    for given in (credential, other):
        assert (await harness.refused(given)).reason is Reason.CREDENTIALS_MISMATCH


async def test_a_code_of_one_provider_sent_to_the_other(
    harness: Harness, github: GitHubServer, openid: OpenIdServer
) -> None:
    """Mix-up: the redirect URI identifies the provider of a code, and the other provider rejects it."""
    grant = github.grant(GitHubUser(1, emails=MIA))
    sent = openid.credential(openid.grant("mia"), authorization_code=grant.code, code_verifier=grant.verifier)
    sent.redirect_uri = grant.redirect_uri
    refusal = await harness.refused(sent)
    assert (refusal.reason, refusal.field) == (Reason.INVALID_FIELD, "oidc.redirect_uri")
    sent.redirect_uri = openid.redirect_uri
    assert (await harness.refused(sent)).reason is Reason.CREDENTIALS_MISMATCH
    # It never reached the provider where it is valid.
    assert github.web.seen[TOKEN] == 0
    assert (await harness.exchange(github.credential(grant))).subject == "1"


@pytest.mark.parametrize("number", [None, "583231", 0, -1, True, 1.5, [], {}])
async def test_a_user_without_a_numeric_id_is_rejected(harness: Harness, github: GitHubServer, number: object) -> None:
    refusal = await harness.refused(github.signed_in(GitHubUser(number, emails=MIA)))
    assert refusal.reason is Reason.DEPENDENCY_UNAVAILABLE
