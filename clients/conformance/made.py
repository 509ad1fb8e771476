"""Cases that are made from what is said elsewhere: the examples of request_ids, the table of reasons, the contract."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from clients.conformance.contract import METHODS

HERE = Path(__file__).parent
VECTORS = HERE / "vectors.json"
REASONS = HERE / "reasons.yaml"

DERIVED = ("VerifyEmailCode", "VerifyAuthenticatorCode", "UseBackupCode", "ConfirmAuthenticatorSetup")
"""The methods whose request_id is made of what the call holds."""

Steps = list[dict[str, Any]]
Made = Iterator[tuple[str, str, Steps]]

_SECRETS = 40


def made() -> Made:
    """Name, way and steps of each."""
    yield from _examples()
    yield from _random_request_ids()
    yield from _reasons()
    yield from _shown()


def _examples() -> Made:
    for number, vector in enumerate(json.loads(VECTORS.read_bytes()), start=1):
        step = {"request_id": vector["method"], "with": vector["request"], "is": vector["request_id"]}
        yield f"request_id of example {number}, {vector['method']}", "nowhere", [step]


def _random_request_ids() -> Made:
    given = "3f2b8c1e-5a47-4d0b-9c7e-0a1b2c3d4e5f"
    for name, method in METHODS.items():
        if "request_id" not in method.input_type.fields_by_name:
            continue
        steps: Steps = [{"request_id": name, "with": {"request_id": given}, "is": given}]
        if name not in DERIVED:
            steps += [{"request_id": name, "with": {}, "is": "<uuid4>", "keep": kept} for kept in ("one", "another")]
        yield f"request_id of {name}: the caller's own, else as the method's kind is", "nowhere", steps


def _reasons() -> Made:
    for told in yaml.safe_load(REASONS.read_text(encoding="utf-8")):
        refusal = {key: value for key, value in told.items() if key != "type"}
        expected = {"metadata": {}, "fields": [], "retry_after_ms": None} | told
        expected.pop("pushback_ms", None)
        # A method that gRPC never repeats by itself, so that UNAVAILABLE is told at once as well.
        steps: Steps = [
            {"front": "StartSignIn", "refuse": refusal},
            {"call": "StartSignIn", "with": {}, "refused": expected},
            {"attempts": {"StartSignIn": 1}},
        ]
        yield f"{told['reason']} is {told['type']}", "front", steps


def _shown() -> Made:
    for name, method in METHODS.items():
        secrets: list[str] = []
        requests = list(_requests_with_secrets(method.input_type, secrets))
        if secrets:
            steps: Steps = [{"show": name, "with": request, "hides": secrets} for request in requests]
            yield f"{name} is shown without its secrets", "nowhere", steps


def _requests_with_secrets(descriptor: Descriptor, secrets: list[str]) -> Iterator[dict[str, Any]]:
    """Requests with every field that can be set beside the others: one for each member of the widest `oneof`."""
    widest = max((len(one.fields) for one in _oneofs(descriptor)), default=1)
    for number in range(widest):
        yield _filled(descriptor, number, secrets)


def _oneofs(descriptor: Descriptor) -> Iterator[Any]:
    yield from descriptor.oneofs
    for field in descriptor.fields:
        if field.message_type is not None and field.message_type.file.package == "twofactor.v1":
            yield from _oneofs(field.message_type)


def _filled(descriptor: Descriptor, number: int, secrets: list[str]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for field in descriptor.fields:
        members = field.containing_oneof.fields if field.containing_oneof else [field]
        if field.number != members[number % len(members)].number:
            continue
        if field.message_type is not None:
            if field.message_type.file.package == "twofactor.v1":
                filled[field.name] = _filled(field.message_type, number, secrets)
        elif field.type == FieldDescriptor.TYPE_STRING:
            filled[field.name] = f"plain {field.name}"
            if field.GetOptions().debug_redact:
                secrets.append(f"5ecret{len(secrets):02d}{'x' * _SECRETS}")
                filled[field.name] = secrets[-1]
    return filled
