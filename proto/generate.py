"""Generates the Python stubs of the contract, and copies its service config, into proto/python.

    python proto/generate.py            write changed files
    python proto/generate.py --check    write nothing; list differences and exit with status 1

The generators are pinned because their output is committed. grpcio-tools is deliberately old: generated code requires
protobuf and grpcio runtimes at least as new as the generator, so the generator sets the lower bounds in
proto/python/pyproject.toml.
"""

import argparse
import importlib.metadata
import importlib.resources
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

PINNED_VERSIONS = {"grpcio-tools": "1.74.0", "mypy-protobuf": "5.1.0"}

CONTRACT = Path(__file__).resolve().parent
OUTPUT = CONTRACT / "python" / "src"
SERVICE_CONFIG = Path("twofactor/v1/service_config.json")


class GenerationError(Exception):
    """The stubs could not be generated; the text is printed to the user."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Generate the Python stubs of the contract.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    check: bool = parser.parse_args().check
    try:
        with tempfile.TemporaryDirectory() as folder:
            generated = generate(Path(folder))
    except GenerationError as error:
        print(error, file=sys.stderr)
        return 1
    committed = read_committed()
    names = sorted(generated.keys() | committed.keys())
    stale = [name for name in names if generated.get(name) != committed.get(name)]
    if check and stale:
        print("differs from what the contract generates (run: python proto/generate.py):", file=sys.stderr)
        for name in stale:
            print(f"  {(OUTPUT / name).relative_to(CONTRACT.parent).as_posix()}", file=sys.stderr)
        return 1
    for name in stale:
        replace(OUTPUT / name, generated.get(name))
        print(f"{'wrote' if name in generated else 'removed'} {name.as_posix()}")
    return 0


def generate(folder: Path) -> dict[Path, bytes]:
    """The content of each generated file, by its path below OUTPUT. Works in the empty `folder`."""
    for package, required in PINNED_VERSIONS.items():
        try:
            installed = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            installed = "none"
        if installed != required:
            raise GenerationError(f"requires {package} {required}, found {installed}")
    contract = sorted(path.relative_to(CONTRACT).as_posix() for path in CONTRACT.glob("twofactor/v1/*.proto"))
    run_protoc(contract, "python", "mypy", folder=folder)
    # The gRPC plugin writes an empty module for each file without a service.
    services = [name for name in contract if name.endswith("_service.proto")]
    run_protoc(services, "grpc_python", "mypy_grpc", folder=folder)
    files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files[SERVICE_CONFIG] = (CONTRACT / SERVICE_CONFIG).read_bytes()
    return files


def run_protoc(names: list[str], *outputs: str, folder: Path) -> None:
    """Runs protoc once over the named files with all the named output plugins."""
    suffix = ".exe" if os.name == "nt" else ""
    scripts = Path(sysconfig.get_path("scripts"))
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    arguments = [f"--proto_path={CONTRACT}", f"--proto_path={well_known}"]
    for output in outputs:
        arguments.append(f"--{output}_out={folder}")
        if output.startswith("mypy"):
            # A full path, because the environment's scripts may not be on PATH.
            plugin = f"protoc-gen-{output}"
            arguments.append(f"--plugin={plugin}={scripts / (plugin + suffix)}")
    command = [sys.executable, "-m", "grpc_tools.protoc", *arguments, *names]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise GenerationError(result.stderr.strip())


def read_committed() -> dict[Path, bytes]:
    """The content of each generated file that exists now, by its path below OUTPUT."""
    paths = [*OUTPUT.glob("twofactor/v1/*_pb2*.py*"), OUTPUT / SERVICE_CONFIG]
    return {path.relative_to(OUTPUT): path.read_bytes() for path in paths if path.is_file()}


def replace(path: Path, content: bytes | None) -> None:
    """Replaces the file atomically, so that a concurrent import never reads half of it; None removes it."""
    if content is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(content)
    temporary.replace(path)


if __name__ == "__main__":
    sys.exit(main())
