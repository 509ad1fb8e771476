"""What one command leaves to the next: tokens, in a file that only its owner can read."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from twofactor_try.failures import CannotStartError

FILE_NAME = "state.json"


class Memory:
    """The remembered values of one server: a token is of no use to another, and none of its business.

    `challenge_token`, `session_token`, `setup_id`, `generation` (of the backup code shown last) and
    `regenerate_request_id` (of a call whose answer has not come).
    """

    def __init__(self, path: Path, server: str) -> None:
        self._path = path
        self._server = server
        self._all = _read(path)

    def get(self, name: str, otherwise: str) -> str:
        """The remembered value; CannotStartError with the sentence `otherwise` if there is none."""
        value = self.find(name)
        if value is None:
            raise CannotStartError(otherwise)
        return value

    def find(self, name: str) -> str | None:
        """The remembered value, None if there is none."""
        value = self._all.get(self._server, {}).get(name)
        return value if isinstance(value, str) else None

    def keep(self, **values: str) -> None:
        """Remember these, and write the file at once."""
        self._all.setdefault(self._server, {}).update(values)
        self._write()

    def forget(self, *names: str) -> None:
        """Remember these no more."""
        mine = self._all.get(self._server, {})
        for name in names:
            mine.pop(name, None)
        self._write()

    def _write(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A temporary file is born with mode 0600, and renaming leaves no moment with half a file.
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(self._all, file, indent=2)
            os.replace(name, self._path)
        except OSError as trouble:
            raise CannotStartError(f"The state file cannot be written ({trouble}): see --state.") from None


def default_path() -> Path:
    """In the user's folder for state: `~/.local/state/twofactor-try` unless the environment names another."""
    variable = "LOCALAPPDATA" if os.name == "nt" else "XDG_STATE_HOME"
    folder = os.environ.get(variable) or Path.home() / ".local" / "state"
    return Path(folder) / "twofactor-try" / FILE_NAME


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as trouble:
        raise CannotStartError(f"The state file cannot be read ({trouble}): see --state.") from None
    if not isinstance(content, dict) or not all(isinstance(one, dict) for one in content.values()):
        raise CannotStartError(f"{path} is no state file of twofactor-try: see --state.")
    return content
