"""The file that passes tokens from one command to the next. Only its owner can read it."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from twofactor_try.errors import CannotStartError


class StateFile:
    """The values stored for one server: a token must not be sent to another one.

    The values are `challenge_token`, `session_token`, `setup_id`, `generation` (of the backup code shown last) and
    `regenerate_request_id` (of a regeneration whose response has not arrived).
    """

    def __init__(self, path: Path, server: str) -> None:
        self._path = path
        self._server = server
        self._content = _read(path)

    def get(self, name: str) -> str | None:
        """The stored value; None if not found."""
        value = self._content.get(self._server, {}).get(name)
        return value if isinstance(value, str) else None

    def require(self, name: str, problem: str) -> str:
        """The stored value; CannotStartError with the text `problem` if not found."""
        value = self.get(name)
        if value is None:
            raise CannotStartError(problem)
        return value

    def store(self, **values: str) -> None:
        """Add or replace values, and write the file."""
        self._content.setdefault(self._server, {}).update(values)
        self._write()

    def remove(self, *names: str) -> None:
        """Remove values, and write the file."""
        values = self._content.get(self._server, {})
        for name in names:
            values.pop(name, None)
        self._write()

    def remove_session(self) -> None:
        """Remove the values that need a session."""
        self.remove("session_token", "setup_id", "generation", "regenerate_request_id")

    def clear(self) -> None:
        """Remove all values of this server."""
        self._content.pop(self._server, None)
        self._write()

    def _write(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp creates the file with mode 0600, and a reader never sees half of it.
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(self._content, file, indent=2)
            os.replace(name, self._path)
        except OSError as error:
            raise CannotStartError(f"Cannot write the state file: {error}. Pass another one with --state.") from None


def default_path() -> Path:
    """`~/.local/state/twofactor-try/state.json`, unless the environment names another folder for state."""
    variable = "LOCALAPPDATA" if os.name == "nt" else "XDG_STATE_HOME"
    folder = os.environ.get(variable) or Path.home() / ".local" / "state"
    return Path(folder) / "twofactor-try" / "state.json"


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CannotStartError(f"Cannot read the state file {path}: {error}. Pass another one with --state.") from None
    if not isinstance(content, dict) or not all(isinstance(values, dict) for values in content.values()):
        raise CannotStartError(f"{path} is not a state file of twofactor-try. Pass another one with --state.")
    return content
