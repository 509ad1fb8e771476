"""Formatted messages hide their secrets, and requests get a request_id."""

import json
import logging
from pathlib import Path

import pytest
from google.protobuf.message import Message

from twofactor.v1 import sign_in_service_pb2, two_factor_service_pb2, types_pb2
from twofactor_client import shown, with_request_id
from twofactor_client.request_ids import normal_form

SECRET = "abcd 1234 ef56 7890"
TOKEN = f"tfs_{'B' * 64}"

RESPONSE = two_factor_service_pb2.UseBackupCodeResponse(
    session_token=TOKEN,
    session=types_pb2.Session(email="ada@example.test"),
    new_backup_code=types_pb2.BackupCode(code=SECRET, generation=2),
)
REQUEST = sign_in_service_pb2.StartSignInRequest(
    oidc=types_pb2.OidcCredential(provider="google", authorization_code=SECRET, code_verifier=SECRET, nonce=SECRET)
)


@pytest.mark.parametrize("message", [RESPONSE, REQUEST], ids=["response", "request"])
def test_formatted_messages_hide_secrets(message: Message, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("test").warning("received: %s %r", message, message)
    for text in (str(message), repr(message), f"{message}", str([message]), caplog.text, shown(message)):
        assert text
        assert SECRET not in text
        assert TOKEN not in text
        assert "[hidden]" in text


def test_other_fields_are_shown() -> None:
    assert shown(RESPONSE) == (
        'UseBackupCodeResponse(session_token: "[hidden]" session { email: "ada@example.test" } '
        'new_backup_code { code: "[hidden]" generation: 2 })'
    )
    assert shown(types_pb2.BackupCode(generation=3)) == "BackupCode(generation: 3)"


def test_unknown_fields_are_omitted() -> None:
    newer = types_pb2.BackupCode(generation=3)
    newer.MergeFromString(b"\x82\x7d\x06secret")
    assert "secret" not in str(newer)


def test_formatting_does_not_modify_the_message() -> None:
    serialized = RESPONSE.SerializeToString()
    shown(RESPONSE)
    assert RESPONSE.SerializeToString() == serialized


def test_normal_forms_match_the_vectors(repository: Path) -> None:
    """The conformance cases compare the request_ids; this test locates the cause of a difference."""
    for vector in json.loads((repository / "clients" / "conformance" / "vectors.json").read_bytes()):
        backup_code = vector["method"] == "UseBackupCode"
        typed = vector["request"]["backup_code" if backup_code else "code"]
        assert normal_form(typed, backup_code=backup_code) == vector["normal_form"]


def test_request_id_is_set_in_a_copy() -> None:
    request = two_factor_service_pb2.UseBackupCodeRequest(challenge_token="tfc_x", backup_code=SECRET)
    filled = with_request_id(request)
    assert request.request_id == ""
    assert filled.request_id
    assert with_request_id(filled) is filled
    without_field = sign_in_service_pb2.GetSessionRequest()
    assert with_request_id(without_field) is without_field
