"""Settings: environment over file over default, in one frozen record. Every problem is reported at once."""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from twofactor_server.listen import ListenAddress, parse_listen
from twofactor_server.provider_settings import ProviderSettings, is_provider_setting, read_providers

PREFIX = "TWOFACTOR_"


class SettingsError(Exception):
    """The settings cannot be used; ``problems`` holds a sentence for each, none of which repeats a value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """What an operator may set; the names are those of the environment, in lower case without the prefix."""

    listen: ListenAddress = field(default_factory=lambda: parse_listen("127.0.0.1:50051"))
    data_dir: Path = Path("var")
    database_url: str | None = field(default=None, repr=False)
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str = "no-reply@localhost"
    product_name: str = "Twofactor"
    link_base_url: str = "http://localhost:8080"
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    keyring_file: Path | None = None
    session_lifetime: timedelta = timedelta(hours=24)
    session_idle: timedelta = timedelta(hours=1)
    session_remembered_lifetime: timedelta = timedelta(days=7)
    session_remembered_idle: timedelta = timedelta(days=3)
    argon2_memory_kib: int = 19456
    argon2_time: int = 2
    argon2_parallelism: int = 1
    database_statement_cache: int = 500
    providers: tuple[ProviderSettings, ...] = ()
    test_mode: bool = False
    test_clock_file: Path | None = None
    test_crash_at: str | None = None

    @property
    def keyring(self) -> Path:
        """Where the keyring file is."""
        return self.keyring_file or self.data_dir / "keyring.json"

    @property
    def mail_folder(self) -> Path:
        """Where mails go while no SMTP server is set."""
        return self.data_dir / "mail"


def load(environment: Mapping[str, str]) -> Settings:
    """Read the file named by TWOFACTOR_CONFIG, then the environment over it. Any problem: SettingsError, with all."""
    problems: list[str] = []
    given = _from_file(environment.get(f"{PREFIX}CONFIG"), problems)
    for name, text in environment.items():
        # TWOFACTOR_TRY_… are the command-line client's, in the same shell.
        if name.startswith(PREFIX) and name != f"{PREFIX}CONFIG" and not name.startswith(f"{PREFIX}TRY_"):
            given[name.removeprefix(PREFIX).lower()] = (name, text)
    of_providers = {key: given.pop(key) for key in tuple(given) if is_provider_setting(key)}
    providers, of_them = read_providers(of_providers)
    problems += of_them
    values: dict[str, Any] = {"providers": providers}
    for key, (name, text) in given.items():
        try:
            values[key] = _PARSERS[key](text)
        except KeyError:
            problems.append(f"{name} is not a setting{_LATER.get(key, '')}.")
        except ValueError as error:
            problems.append(f"{name} {error}.")
    settings = Settings(**{key: value for key, value in values.items() if key in _KNOWN})
    problems += _contradictions(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _from_file(path: str | None, problems: list[str]) -> dict[str, tuple[str, str]]:
    if path is None:
        return {}
    try:
        with open(path, "rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        problems.append(f"{PREFIX}CONFIG names a file that cannot be read: {error.strerror}.")
        return {}
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{PREFIX}CONFIG names a file that is not TOML: {error}.")
        return {}
    except UnicodeDecodeError:
        problems.append(f"{PREFIX}CONFIG names a file that is not UTF-8.")
        return {}
    return {key: (f"{key} (in the settings file)", _text(value)) for key, value in content.items()}


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return ("1" if value else "0") if isinstance(value, bool) else str(value)


def _contradictions(settings: Settings) -> list[str]:
    problems = []
    if not settings.listen.local:
        problems.append(f"{PREFIX}LISTEN must be a loopback address or a unix socket: the server has no TLS yet.")
    for name in ("test_clock_file", "test_crash_at"):
        if getattr(settings, name) is not None and not settings.test_mode:
            problems.append(f"{PREFIX}{name.upper()} needs {PREFIX}TEST_MODE=1.")
    for shorter, longer in _NOT_LONGER:
        if getattr(settings, shorter) > getattr(settings, longer):
            problems.append(f"{PREFIX}{shorter.upper()} must not be longer than {PREFIX}{longer.upper()}.")
    if settings.argon2_memory_kib < 8 * settings.argon2_parallelism:
        problems.append(f"{PREFIX}ARGON2_MEMORY_KIB must be at least 8 for each lane of parallelism.")
    return problems


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def _span(text: str) -> timedelta:
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isascii() or not number.isdigit() or not 0 < int(number) < 10**6:
        raise ValueError("must be a span such as 30m, 24h or 7d")
    return timedelta(**{units[unit]: int(number)})


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("must be 0 or 1")
    return text == "1"


def _some(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _path(text: str) -> Path:
    return Path(_some(text)).absolute()


_PARSERS: dict[str, Callable[[str], Any]] = {
    "listen": parse_listen,
    "data_dir": _path,
    "database_url": _some,
    "smtp_url": _some,
    "mail_from": _some,
    "product_name": _some,
    "link_base_url": _some,
    "workers": _whole(1, 256),
    "keyring_file": _path,
    "session_lifetime": _span,
    "session_idle": _span,
    "session_remembered_lifetime": _span,
    "session_remembered_idle": _span,
    "argon2_memory_kib": _whole(8, 4 * 1024 * 1024),
    "argon2_time": _whole(1, 100),
    "argon2_parallelism": _whole(1, 64),
    "database_statement_cache": _whole(0, 10_000),
    "test_mode": _flag,
    "test_clock_file": _path,
    "test_crash_at": _some,
}
_NOT_LONGER = (
    ("session_idle", "session_lifetime"),
    ("session_remembered_idle", "session_remembered_lifetime"),
    # Remembering never shortens.
    ("session_lifetime", "session_remembered_lifetime"),
    ("session_idle", "session_remembered_idle"),
)
_KNOWN = {one.name for one in fields(Settings)}
_LATER = dict.fromkeys(
    ("tls_cert", "tls_key", "tls_client_ca", "callers_file", "metrics_listen"), " of this version yet"
)
