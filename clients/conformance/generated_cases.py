"""Cases generated from the request_id vectors, the table of reasons, the code spellings and the contract."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from clients.conformance.code_spellings import NOT_NORMALISED, SPELLINGS
from clients.conformance.contract import METHODS

VECTORS = Path(__file__).with_name("vectors.json")
REASONS = Path(__file__).with_name("reasons.yaml")

METHODS_WITH_DERIVED_ID = (
    "VerifyEmailCode",
    "VerifyAuthenticatorCode",
    "UseBackupCode",
    "ConfirmAuthenticatorSetup",
)

Cases = Iterator[dict[str, Any]]


def generate_cases() -> Cases:
    """Cases in the format of the YAML files."""
    yield from _request_id_vectors()
    yield from _request_ids_of_methods()
    yield from _error_types()
    yield from _redacted_requests()
    yield from _backup_code_spellings()


def _case(name: str, transport: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "transport": transport, "steps": steps}


def _request_id_vectors() -> Cases:
    for number, vector in enumerate(json.loads(VECTORS.read_bytes()), start=1):
        step = {"request_id": vector["method"], "request": vector["request"], "expected": vector["request_id"]}
        yield _case(f"request_id vector {number}, {vector['method']}", "unreachable", [step])


def _request_ids_of_methods() -> Cases:
    own = "3f2b8c1e-5a47-4d0b-9c7e-0a1b2c3d4e5f"
    for name, method in METHODS.items():
        if "request_id" not in method.input_type.fields_by_name:
            continue
        steps: list[dict[str, Any]] = [{"request_id": name, "request": {"request_id": own}, "expected": own}]
        if name not in METHODS_WITH_DERIVED_ID:
            steps += [
                {"request_id": name, "request": {}, "expected": "<uuid4>", "save": variable}
                for variable in ("first", "second")
            ]
        yield _case(f"request_id of {name}", "unreachable", steps)


def _error_types() -> Cases:
    for row in yaml.safe_load(REASONS.read_text(encoding="utf-8")):
        refusal = {key: value for key, value in row.items() if key != "type"}
        expected = {"metadata": {}, "fields": [], "retry_after_ms": None} | row
        expected.pop("pushback_ms", None)
        # StartSignIn is never retried, so UNAVAILABLE reaches the caller after one attempt too.
        steps: list[dict[str, Any]] = [
            {"script": "StartSignIn", "error": refusal},
            {"call": "StartSignIn", "request": {}, "error": expected},
            {"attempts": {"StartSignIn": 1}},
        ]
        yield _case(f"{row['reason']} is {row['type']}", "proxy", steps)


def _redacted_requests() -> Cases:
    for name, method in METHODS.items():
        secrets: list[str] = []
        requests = list(_requests_with_secrets(method.input_type, secrets))
        if secrets:
            steps: list[dict[str, Any]] = [
                {"format": name, "request": request, "secrets": secrets} for request in requests
            ]
            yield _case(f"a formatted {name} request hides its secrets", "unreachable", steps)


def _backup_code_spellings() -> Cases:
    """Each spelling signs in, and the code as shown is then the same call: the derived request_id is the same."""
    sign_in = {"password": {"email": "$email", "password": "$password"}}
    for style in SPELLINGS:
        steps: list[dict[str, Any]] = [
            {"spell": "$backup_code", "style": style, "save": "typed"},
            {"call": "StartSignIn", "request": sign_in, "save": {"challenge": "challenge_token"}},
            {
                "call": "UseBackupCode",
                "request": {"challenge_token": "$challenge", "backup_code": "$typed"},
                "response": {"new_backup_code": {"generation": 2}, "replayed": False},
                "save": {"new_code": "new_backup_code.code"},
            },
        ]
        if style not in NOT_NORMALISED:
            steps.append(
                {
                    "call": "UseBackupCode",
                    "request": {"challenge_token": "$challenge", "backup_code": "$backup_code"},
                    "response": {"new_backup_code": {"code": "$new_code", "generation": 2}, "replayed": True},
                }
            )
        yield _case(f"a backup code typed {style}", "direct", steps) | {"precondition": "authenticator"}


def _requests_with_secrets(descriptor: Descriptor, secrets: list[str]) -> Iterator[dict[str, Any]]:
    """Requests with every field set: as many as the widest `oneof` has members, so that each member is set once."""
    widest = max((len(oneof.fields) for oneof in _oneofs(descriptor)), default=1)
    for number in range(widest):
        yield _fill(descriptor, number, secrets)


def _oneofs(descriptor: Descriptor) -> Iterator[Any]:
    yield from descriptor.oneofs
    for field in descriptor.fields:
        if message := _contract_message(field):
            yield from _oneofs(message)


def _fill(descriptor: Descriptor, number: int, secrets: list[str]) -> dict[str, Any]:
    """The message with member `number` of each oneof. The secret values are appended to `secrets`."""
    filled: dict[str, Any] = {}
    for field in descriptor.fields:
        members = field.containing_oneof.fields if field.containing_oneof else [field]
        if field.number != members[number % len(members)].number:
            continue
        if message := _contract_message(field):
            filled[field.name] = _fill(message, number, secrets)
        elif field.type == FieldDescriptor.TYPE_STRING and field.GetOptions().debug_redact:
            secrets.append(f"5ecret{len(secrets):02d}{'x' * 40}")
            filled[field.name] = secrets[-1]
        elif field.type == FieldDescriptor.TYPE_STRING:
            filled[field.name] = f"plain {field.name}"
    return filled


def _contract_message(field: FieldDescriptor) -> Descriptor | None:
    """The type of a field that holds a message of the contract."""
    message = field.message_type
    return message if message is not None and message.file.package == "twofactor.v1" else None
