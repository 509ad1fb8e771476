"""Settings from the environment, a TOML file, and defaults, in this order. All problems are reported together."""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_origin, get_type_hints

from twofactor_server.listen import ListenAddress, parse_listen
from twofactor_server.provider_settings import ProviderSettings, RawSetting, is_provider_setting, read_providers

PREFIX = "TWOFACTOR_"
_CONFIG = f"{PREFIX}CONFIG"


class SettingsError(Exception):
    """``problems`` has one sentence for each problem. None of them quotes a value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def int_range(low: int, high: int) -> Callable[[str], int]:
    """A parser of integers from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"must be an integer from {low} to {high}")
        return int(text)

    return parse


def duration(text: str) -> timedelta:
    """``90s``, ``30m``, ``24h`` or ``7d``."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isascii() or not number.isdigit() or not 0 < int(number) < 10**6:
        raise ValueError("must be a duration such as 30m, 24h or 7d")
    return timedelta(**{units[unit]: int(number)})


def boolean(text: str) -> bool:
    """``0`` or ``1``."""
    if text not in ("0", "1"):
        raise ValueError("must be 0 or 1")
    return text == "1"


def non_empty(text: str) -> str:
    """Any text except white space alone."""
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def absolute_path(text: str) -> Path:
    """A path, made absolute because server processes may change their working directory."""
    return Path(non_empty(text)).absolute()


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of its name, in lower case and without the prefix, with its parser."""

    listen: Annotated[ListenAddress, parse_listen] = field(default=ListenAddress("127.0.0.1", 50051))
    data_dir: Annotated[Path, absolute_path] = Path("var")
    database_url: Annotated[str | None, non_empty] = field(default=None, repr=False)
    smtp_url: Annotated[str | None, non_empty] = field(default=None, repr=False)
    mail_from: Annotated[str, non_empty] = "no-reply@localhost"
    product_name: Annotated[str, non_empty] = "Twofactor"
    link_base_url: Annotated[str, non_empty] = "http://localhost:8080"
    workers: Annotated[int, int_range(1, 256)] = os.cpu_count() or 1
    keyring_file: Annotated[Path | None, absolute_path] = None
    session_lifetime: Annotated[timedelta, duration] = timedelta(hours=24)
    session_idle: Annotated[timedelta, duration] = timedelta(hours=1)
    session_remembered_lifetime: Annotated[timedelta, duration] = timedelta(days=7)
    session_remembered_idle: Annotated[timedelta, duration] = timedelta(days=3)
    argon2_memory_kib: Annotated[int, int_range(8, 4 * 1024 * 1024)] = 19456
    argon2_time: Annotated[int, int_range(1, 100)] = 2
    argon2_parallelism: Annotated[int, int_range(1, 64)] = 1
    database_statement_cache: Annotated[int, int_range(0, 10_000)] = 500
    test_mode: Annotated[bool, boolean] = False
    test_clock_file: Annotated[Path | None, absolute_path] = None
    test_crash_at: Annotated[str | None, non_empty] = None
    providers: tuple[ProviderSettings, ...] = ()

    @property
    def keyring(self) -> Path:
        return self.keyring_file or self.data_dir / "keyring.json"

    @property
    def mail_folder(self) -> Path:
        """Where mails are written if ``smtp_url`` is not set."""
        return self.data_dir / "mail"


_PARSERS: dict[str, Callable[[str], Any]] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(Settings, include_extras=True).items()
    if get_origin(hint) is Annotated
}
_PLANNED = ("tls_cert", "tls_key", "tls_client_ca", "callers_file", "metrics_listen")
_NOT_LONGER = (
    ("session_idle", "session_lifetime"),
    ("session_remembered_idle", "session_remembered_lifetime"),
    ("session_lifetime", "session_remembered_lifetime"),
    ("session_idle", "session_remembered_idle"),
)


def load(environment: Mapping[str, str]) -> Settings:
    """Read the file named by TWOFACTOR_CONFIG, then the environment. Raises SettingsError with every problem."""
    problems: list[str] = []
    raw = _read_file(environment.get(_CONFIG), problems) | _read_environment(environment)
    providers, provider_problems = read_providers({key: raw[key] for key in raw if is_provider_setting(key)})
    problems += provider_problems
    values: dict[str, Any] = {"providers": providers}
    for key, (label, text) in raw.items():
        if is_provider_setting(key):
            continue
        if key in _PLANNED:
            problems.append(f"{label} is not supported by this version yet: remove it.")
        elif key not in _PARSERS:
            problems.append(f"{label} is not a setting: correct its name or remove it.")
        else:
            try:
                values[key] = _PARSERS[key](text)
            except ValueError as error:
                problems.append(f"{label} {error}.")
    settings = Settings(**values)
    problems += _conflicts(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _read_environment(environment: Mapping[str, str]) -> dict[str, RawSetting]:
    # TWOFACTOR_TRY_* are settings of the command-line client, which may run in the same shell.
    return {
        name.removeprefix(PREFIX).lower(): RawSetting(name, text)
        for name, text in environment.items()
        if name.startswith(PREFIX) and name != _CONFIG and not name.startswith(f"{PREFIX}TRY_")
    }


def _read_file(path: str | None, problems: list[str]) -> dict[str, RawSetting]:
    if path is None:
        return {}
    try:
        with open(path, "rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        problems.append(f"{_CONFIG} names a file that cannot be read: {error.strerror}.")
        return {}
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{_CONFIG} names a file that is not TOML: {error}.")
        return {}
    except UnicodeDecodeError:
        problems.append(f"{_CONFIG} names a file that is not UTF-8.")
        return {}
    return {key: RawSetting(f"{key} (in the settings file)", _to_text(value)) for key, value in content.items()}


def _to_text(value: object) -> str:
    """The TOML value as the environment would spell it."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return ("1" if value else "0") if isinstance(value, bool) else str(value)


def _conflicts(settings: Settings) -> list[str]:
    problems = []
    if not settings.listen.is_local:
        problems.append(f"{PREFIX}LISTEN must be a loopback address or a Unix socket: there is no TLS support yet.")
    for name in ("test_clock_file", "test_crash_at"):
        if getattr(settings, name) is not None and not settings.test_mode:
            problems.append(f"{PREFIX}{name.upper()} requires {PREFIX}TEST_MODE=1.")
    for shorter, longer in _NOT_LONGER:
        if getattr(settings, shorter) > getattr(settings, longer):
            problems.append(f"{PREFIX}{shorter.upper()} must not be longer than {PREFIX}{longer.upper()}.")
    if settings.argon2_memory_kib < 8 * settings.argon2_parallelism:
        problems.append(f"{PREFIX}ARGON2_MEMORY_KIB must be at least 8 times {PREFIX}ARGON2_PARALLELISM.")
    return problems
