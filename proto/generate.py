"""Makes the Python stubs of the contract, and the copy of its service config, in clients/python.

    python proto/generate.py            write what has changed
    python proto/generate.py --check    write nothing; name what differs and exit with status 1

The tools are pinned, because their output is committed. grpcio-tools is deliberately not the newest:
generated code needs runtimes of protobuf and grpcio at least as new as the generator, so the generator
decides how old a caller's may be (clients/python/pyproject.toml declares those floors).
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

PINS = {"grpcio-tools": "1.74.0", "mypy-protobuf": "5.1.0"}

CONTRACT = Path(__file__).resolve().parent
SOURCES = CONTRACT.parent / "clients" / "python" / "src"
SERVICE_CONFIG = "twofactor/v1/service_config.json"
EMBEDDED_SERVICE_CONFIG = Path("twofactor_client/service_config.json")


class GenerationFailedError(Exception):
    """The stubs could not be made; the text says why, for the person at the terminal."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Generate the Python stubs of the contract.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    check: bool = parser.parse_args().check
    try:
        with tempfile.TemporaryDirectory() as folder:
            fresh = generated_files(Path(folder))
    except GenerationFailedError as failure:
        print(failure, file=sys.stderr)
        return 1
    committed = committed_files()
    names = sorted(fresh.keys() | committed.keys())
    stale = [name for name in names if fresh.get(name) != committed.get(name)]
    if not check:
        for name in stale:
            replace(SOURCES / name, fresh.get(name))
            print(f"{'wrote' if name in fresh else 'removed'} {name.as_posix()}")
    elif stale:
        print("not what the contract generates (run: python proto/generate.py):", file=sys.stderr)
        for name in stale:
            print(f"  {(SOURCES / name).relative_to(CONTRACT.parent).as_posix()}", file=sys.stderr)
        return 1
    return 0


def generated_files(folder: Path) -> dict[Path, bytes]:
    """What the contract generates, by path below the client's `src`. Works in the empty `folder`."""
    for package, wanted in PINS.items():
        try:
            found = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found = "none"
        if found != wanted:
            raise GenerationFailedError(f"needs {package} {wanted}, found {found}")
    contract = sorted(path.relative_to(CONTRACT).as_posix() for path in CONTRACT.glob("twofactor/v1/*.proto"))
    compile_contract(contract, "python", "mypy", folder=folder)
    # Only services have stubs; the plugin would write an empty module for every other file.
    services = [name for name in contract if name.endswith("_service.proto")]
    compile_contract(services, "grpc_python", "mypy_grpc", folder=folder)
    files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files[EMBEDDED_SERVICE_CONFIG] = (CONTRACT / SERVICE_CONFIG).read_bytes()
    return files


def compile_contract(names: list[str], *outputs: str, folder: Path) -> None:
    """Runs protoc over the named files, once, for all the named outputs."""
    suffix = ".exe" if os.name == "nt" else ""
    scripts = Path(sysconfig.get_path("scripts"))
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    arguments = [f"--proto_path={CONTRACT}", f"--proto_path={well_known}"]
    for output in outputs:
        arguments.append(f"--{output}_out={folder}")
        if output.startswith("mypy"):
            # By full path, so that it works without the environment's scripts on PATH.
            plugin = f"protoc-gen-{output}"
            arguments.append(f"--plugin={plugin}={scripts / (plugin + suffix)}")
    command = [sys.executable, "-m", "grpc_tools.protoc", *arguments, *names]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise GenerationFailedError(run.stderr.strip())


def committed_files() -> dict[Path, bytes]:
    """The generated files that are there now, by path below the client's `src`."""
    paths = [*SOURCES.glob("twofactor/v1/*_pb2*.py*"), SOURCES / EMBEDDED_SERVICE_CONFIG]
    return {path.relative_to(SOURCES): path.read_bytes() for path in paths if path.is_file()}


def replace(path: Path, content: bytes | None) -> None:
    """Puts the content in place whole, so that nobody imports half a module; None removes the file."""
    if content is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main())
