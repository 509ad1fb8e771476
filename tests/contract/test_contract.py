"""Rules of the contract: a comment on every element, a role for every method, `debug_redact` on every secret."""

import importlib.resources
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

from twofactor.v1 import error_reason_pb2, options_pb2

CONTRACT = Path(__file__).resolve().parents[2] / "proto"
# Names of fields that may contain a secret. Applies to strings and bytes only: a flag or a time is not a secret.
SECRET_NAME = re.compile(r"password|code|token|secret|verifier|nonce|otpauth|qr_code")

# Field numbers of descriptor.proto, which form the paths of the source info.
MESSAGE, ENUM, SERVICE, EXTENSION = 4, 5, 6, 7
FIELD, NESTED_MESSAGE, NESTED_ENUM, ONEOF = 2, 3, 4, 8
VALUE = METHOD = 2

Location = tuple[int, ...]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[FileDescriptorProto]:
    """The parsed files of the contract with their comments, without their imports."""
    output = tmp_path_factory.mktemp("contract") / "contract.binpb"
    names = sorted(path.relative_to(CONTRACT).as_posix() for path in CONTRACT.rglob("*.proto"))
    include = importlib.resources.files("grpc_tools") / "_proto"
    command = [sys.executable, "-m", "grpc_tools.protoc"]
    command += [f"--proto_path={CONTRACT}", f"--proto_path={include}"]
    command += ["--include_source_info", f"--descriptor_set_out={output}", *names]
    subprocess.run(command, check=True, timeout=60)
    return list(FileDescriptorSet.FromString(output.read_bytes()).file)


def test_every_element_has_a_comment(files: list[FileDescriptorProto]) -> None:
    uncommented = []
    for file in files:
        comments = comments_of(file)
        for location, name in named_elements(file):
            if len(comments.get(location, "").split()) < 2:
                uncommented.append(f"{file.name}: {name}")
    assert uncommented == []


def test_every_secret_has_debug_redact(files: list[FileDescriptorProto]) -> None:
    secrets = [
        (f"{message.name}.{field.name}", field.options.debug_redact)
        for message in messages(files)
        for field in message.field
        if is_text(field) and SECRET_NAME.search(field.name)
    ]
    assert [name for name, marked in secrets if not marked] == []
    # The pattern finds at least one of each kind.
    assert {
        "PasswordCredential.password",
        "OidcCredential.code_verifier",
        "UseBackupCodeRequest.challenge_token",
        "BackupCode.code",
        "StartAuthenticatorSetupResponse.otpauth_uri",
        "StartAuthenticatorSetupResponse.qr_code_svg",
    } <= {name for name, _ in secrets}


def test_only_one_message_returns_a_backup_code(files: list[FileDescriptorProto]) -> None:
    responses = {name for method in methods(files) for name in reachable(method.output_type, files)}
    carriers = {
        message.name
        for message in messages(files)
        if message.name in responses and any("code" in field.name and is_text(field) for field in message.field)
    }
    assert carriers == {"BackupCode", "StartAuthenticatorSetupResponse"}  # the second contains a QR code


def test_every_method_lists_its_roles(files: list[FileDescriptorProto]) -> None:
    roles = {method.name: list(method.options.Extensions[options_pb2.caller]) for method in methods(files)}
    unusable = (options_pb2.CALLER_ROLE_UNSPECIFIED, options_pb2.CALLER_ROLE_ASSERTING)
    assert [name for name, callers in roles.items() if not callers or set(callers) & set(unusable)] == []
    assert [name for name, callers in roles.items() if len(callers) != len(set(callers))] == []


def test_every_method_comment_lists_existing_reasons(files: list[FileDescriptorProto]) -> None:
    values = error_reason_pb2.ErrorReason.DESCRIPTOR.values
    known = {value.name.removeprefix("ERROR_REASON_") for value in values}
    for file in files:
        comments = comments_of(file)
        for s, service in enumerate(file.service):
            for m, method in enumerate(service.method):
                _, found, reasons = comments[SERVICE, s, METHOD, m].partition("Reasons:")
                assert found, f"{method.name} lists no reasons"
                words = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", reasons))
                assert words <= known, f"{method.name}: {words - known}"


def test_every_method_has_its_own_request_and_response(files: list[FileDescriptorProto]) -> None:
    names = [method.name for method in methods(files)]
    assert len(names) == len(set(names))
    assert [(method.input_type, method.output_type) for method in methods(files)] == [
        (f".twofactor.v1.{name}Request", f".twofactor.v1.{name}Response") for name in names
    ]


def comments_of(file: FileDescriptorProto) -> dict[Location, str]:
    return {tuple(location.path): location.leading_comments for location in file.source_code_info.location}


def methods(files: list[FileDescriptorProto]) -> list[MethodDescriptorProto]:
    return [method for file in files for service in file.service for method in service.method]


def messages(files: list[FileDescriptorProto]) -> Iterator[DescriptorProto]:
    waiting = [message for file in files for message in file.message_type]
    for message in waiting:
        waiting.extend(message.nested_type)
        yield message


def is_text(field: FieldDescriptorProto) -> bool:
    return field.type in (FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_BYTES)


def reachable(type_name: str, files: list[FileDescriptorProto]) -> set[str]:
    """The names of the message and of all messages that it can contain."""
    by_name = {message.name: message for message in messages(files)}
    found: set[str] = set()
    waiting = [type_name.rpartition(".")[2]]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in found:
            found.add(name)
            waiting.extend(field.type_name.rpartition(".")[2] for field in by_name[name].field)
    return found


def named_elements(file: FileDescriptorProto) -> Iterator[tuple[Location, str]]:
    for index, extension in enumerate(file.extension):
        yield (EXTENSION, index), extension.name
    for index, message in enumerate(file.message_type):
        yield from message_elements((MESSAGE, index), message)
    for index, enum in enumerate(file.enum_type):
        yield from enum_elements((ENUM, index), enum)
    for index, service in enumerate(file.service):
        yield (SERVICE, index), service.name
        for m, method in enumerate(service.method):
            yield (SERVICE, index, METHOD, m), f"{service.name}.{method.name}"


def message_elements(location: Location, message: DescriptorProto) -> Iterator[tuple[Location, str]]:
    yield location, message.name
    for index, field in enumerate(message.field):
        yield (*location, FIELD, index), f"{message.name}.{field.name}"
    for index, oneof in enumerate(message.oneof_decl):
        yield (*location, ONEOF, index), f"{message.name}.{oneof.name}"
    for index, nested in enumerate(message.nested_type):
        yield from message_elements((*location, NESTED_MESSAGE, index), nested)
    for index, enum in enumerate(message.enum_type):
        yield from enum_elements((*location, NESTED_ENUM, index), enum)


def enum_elements(location: Location, enum: EnumDescriptorProto) -> Iterator[tuple[Location, str]]:
    yield location, enum.name
    for index, value in enumerate(enum.value):
        yield (*location, VALUE, index), f"{enum.name}.{value.name}"
