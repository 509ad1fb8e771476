"""Writes docs/contract.md: the contract's comments, in the order in which a reader asks for them.

python proto/reference.py            write the page
python proto/reference.py --check    write nothing; exit with status 1 if the page is not what the contract says
"""

import argparse
import importlib.resources
import json
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

from twofactor.v1 import options_pb2

CONTRACT = Path(__file__).resolve().parent
PAGE = CONTRACT.parent / "docs" / "contract.md"
SERVICE_CONFIG = CONTRACT / "twofactor" / "v1" / "service_config.json"

# What a front end meets first comes first; the rest follows by name.
FIRST = ("sign_in_service", "two_factor_service", "account_service")

WIDTH = 120
# Field numbers inside descriptor.proto, by which comments are found.
MESSAGE, ENUM, SERVICE, FIELD, VALUE, METHOD = 4, 5, 6, 2, 2, 2

HEAD = """\
# The contract, method by method

Made from the comments of [proto/twofactor/v1](../proto/twofactor/v1) by `make proto`; change them, not this page.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Write docs/contract.md from the contract's comments.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    check: bool = parser.parse_args().check
    fresh = page()
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == fresh:
        return 0
    name = PAGE.relative_to(CONTRACT.parent).as_posix()
    if check:
        print(f"{name} is not what the contract says (run: python proto/reference.py)", file=sys.stderr)
        return 1
    PAGE.write_text(fresh, encoding="utf-8")
    print(f"wrote {name}")
    return 0


def page() -> str:
    files = [Source(file) for file in sorted(contract_files(), key=rank)]
    parts = [HEAD, *(line for source in files for line in contents(source))]
    for source in files:
        parts += service(source)
    parts.append("## Shared messages\n")
    for source in files:
        parts += messages(source)
    parts.append("## Values\n")
    for source in files:
        parts += enums(source)
    return "\n".join(parts)


def rank(file: FileDescriptorProto) -> tuple[int, str]:
    name = file.name.rpartition("/")[2].removesuffix(".proto")
    return (FIRST.index(name) if name in FIRST else len(FIRST), name)


def contract_files() -> list[FileDescriptorProto]:
    """The contract as protoc reads it, with its comments."""
    names = sorted(path.relative_to(CONTRACT).as_posix() for path in CONTRACT.glob("twofactor/v1/*.proto"))
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "contract.binpb"
        command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={CONTRACT}", f"--proto_path={well_known}"]
        command += ["--include_source_info", f"--descriptor_set_out={output}", *names]
        subprocess.run(command, check=True)
        return list(FileDescriptorSet.FromString(output.read_bytes()).file)


class Source:
    """One file, and its comments by the path of what they stand at."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self.file = file
        self._comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}

    def paragraphs(self, *path: int) -> list[str]:
        """The comment, one line a paragraph."""
        text = textwrap.dedent(self._comments.get(path, "").replace("\n ", "\n").removeprefix(" "))
        return [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n")]


def contents(source: Source) -> Iterator[str]:
    for one in source.file.service:
        links = " · ".join(f"[{method.name}](#{method.name.lower()})" for method in one.method)
        yield f"{filled(f'**{one.name}**: {links}')}\n"


def service(source: Source) -> Iterator[str]:
    for index, one in enumerate(source.file.service):
        yield f"## {one.name}\n"
        for paragraph in source.paragraphs(SERVICE, index):
            yield f"{filled(paragraph)}\n"
        for number, method in enumerate(one.method):
            yield f"### {method.name}\n"
            yield f"{filled(f'*For callers with the role {roles(method)}. {patience(one.name, method.name)}*')}\n"
            for paragraph in source.paragraphs(SERVICE, index, METHOD, number):
                yield f"{filled(paragraph.replace('Reasons:', '**Reasons:**', 1))}\n"
            for kind in ("Request", "Response"):
                yield from fields(source, f"{method.name}{kind}", f"{kind}:")


def roles(method: MethodDescriptorProto) -> str:
    callers = method.options.Extensions[options_pb2.caller]
    names = (options_pb2.CallerRole.Name(role).removeprefix("CALLER_ROLE_") for role in callers)
    return " or ".join(f"`{name}`" for name in names)


def patience(service_name: str, method: str) -> str:
    """What the service config says."""
    config: dict[str, Any] = json.loads(SERVICE_CONFIG.read_bytes())
    asked = {"service": f"twofactor.v1.{service_name}", "method": method}
    entry = next(entry for entry in config["methodConfig"] if asked in entry["name"])
    policy = entry.get("retryPolicy")
    attempts = f"gRPC makes up to {policy['maxAttempts']} attempts" if policy else "gRPC never repeats it by itself"
    return f"{entry['timeout'].removesuffix('s')} seconds; {attempts}."


def fields(source: Source, name: str, title: str) -> Iterator[str]:
    """The fields of this message below the title, which says so if there are none."""
    index, message = next((i, one) for i, one in enumerate(source.file.message_type) if one.name == name)
    yield f"{title if message.field else title.removesuffix(':') + ' without fields.'}\n"
    lines = [field_line(source, index, number, message) for number in range(len(message.field))]
    if lines:
        yield "\n".join(lines) + "\n"


def field_line(source: Source, index: int, number: int, message: DescriptorProto) -> str:
    field = message.field[number]
    notes = [type_name(field)]
    if field.HasField("oneof_index"):
        notes.append(f"one of `{message.oneof_decl[field.oneof_index].name}`")
    if field.options.debug_redact:
        notes.append("secret")
    comment = " ".join(source.paragraphs(MESSAGE, index, FIELD, number))
    return bullet(f"`{field.name}` ({', '.join(notes)}): {comment}")


def type_name(field: FieldDescriptorProto) -> str:
    many = "list of " if field.label == FieldDescriptorProto.LABEL_REPEATED else ""
    if field.type_name:
        name = field.type_name.rpartition(".")[2]
        ours = field.type_name.startswith(".twofactor.v1.")
        return f"{many}[{name}](#{name.lower()})" if ours else f"{many}{name}"
    return many + FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def messages(source: Source) -> Iterator[str]:
    """Those that are no method's own."""
    for index, message in enumerate(source.file.message_type):
        if not message.name.endswith(("Request", "Response")):
            yield f"### {message.name}\n"
            for paragraph in source.paragraphs(MESSAGE, index):
                yield f"{filled(paragraph)}\n"
            yield from fields(source, message.name, "Fields:")


def enums(source: Source) -> Iterator[str]:
    for index, enum in enumerate(source.file.enum_type):
        yield f"### {enum.name}\n"
        for paragraph in source.paragraphs(ENUM, index):
            yield f"{filled(paragraph)}\n"
        yield "\n".join(value_lines(source, index, enum)) + "\n"


def value_lines(source: Source, index: int, enum: EnumDescriptorProto) -> Iterator[str]:
    for number, value in enumerate(enum.value):
        comment = " ".join(source.paragraphs(ENUM, index, VALUE, number))
        yield bullet(f"`{value.name}` ({value.number}): {comment}")


def bullet(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="- ", subsequent_indent="  ", **_UNBROKEN)


def filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, **_UNBROKEN)


_UNBROKEN: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}


if __name__ == "__main__":
    sys.exit(main())
