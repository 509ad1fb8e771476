"""Settings: environment before file before default. All problems are reported at once, without values."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest

from twofactor_server.listen import ListenAddress
from twofactor_server.settings import Settings, SettingsError, load

# Each setting with a value other than its default: as text, and parsed.
SETTINGS: dict[str, tuple[str, object]] = {
    "listen": ("127.0.0.1:0", ListenAddress("127.0.0.1", 0)),
    "data_dir": ("/srv/twofactor", Path("/srv/twofactor")),
    "database_url": ("postgresql://mia:secret@db/x", "postgresql://mia:secret@db/x"),
    "smtp_url": ("smtps://mia:secret@mail", "smtps://mia:secret@mail"),
    "mail_from": ("security@example.test", "security@example.test"),
    "product_name": ("Example Hosting", "Example Hosting"),
    "link_base_url": ("https://my.example.test", "https://my.example.test"),
    "workers": ("3", 3),
    "keyring_file": ("/etc/twofactor/keyring.json", Path("/etc/twofactor/keyring.json")),
    "session_lifetime": ("12h", timedelta(hours=12)),
    "session_idle": ("15m", timedelta(minutes=15)),
    "session_remembered_lifetime": ("30d", timedelta(days=30)),
    "session_remembered_idle": ("36h", timedelta(hours=36)),
    "argon2_memory_kib": ("65536", 65536),
    "argon2_time": ("3", 3),
    "argon2_parallelism": ("4", 4),
    "database_statement_cache": ("0", 0),
    "test_mode": ("1", True),
    "test_clock_file": ("/tmp/now", Path("/tmp/now")),
    "test_crash_at": ("before-signed-out", "before-signed-out"),
}
TEST_MODE = {"TWOFACTOR_TEST_MODE": "1"}


def environment(**settings: str) -> dict[str, str]:
    return {f"TWOFACTOR_{name.upper()}": value for name, value in settings.items()}


def problems(**settings: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(environment(**settings))
    return caught.value.problems


def test_every_setting_is_tested() -> None:
    """test_provider_settings tests those of providers."""
    assert set(SETTINGS) | {"providers"} == set(Settings.__dataclass_fields__)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_read_from_the_environment(name: str) -> None:
    text, value = SETTINGS[name]
    assert getattr(load(TEST_MODE | environment(**{name: text})), name) == value


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_read_from_the_file_and_the_environment_has_precedence(name: str, tmp_path: Path) -> None:
    text, value = SETTINGS[name]
    file = tmp_path / "twofactor.toml"
    mode = "test_mode = true\n" if name != "test_mode" else ""
    file.write_text(f"{mode}{name} = {text if text.isdigit() and name != 'test_mode' else repr(text)}\n")
    assert getattr(load(environment(config=str(file))), name) == value
    file.write_text(f"{mode}{name} = 'nonsense \\u0000'\n")
    assert getattr(load(environment(config=str(file), **{name: text})), name) == value


def test_the_defaults() -> None:
    settings = load({"PATH": "/bin", "HOME": "/root"})
    assert settings == Settings()
    assert (str(settings.listen), settings.data_dir) == ("127.0.0.1:50051", Path("var"))
    assert (settings.database_url, settings.smtp_url, settings.test_mode) == (None, None, False)
    assert (settings.session_lifetime, settings.session_idle) == (timedelta(hours=24), timedelta(hours=1))
    remembered = (settings.session_remembered_lifetime, settings.session_remembered_idle)
    assert remembered == (timedelta(days=7), timedelta(days=3))
    assert (settings.argon2_memory_kib, settings.argon2_time, settings.argon2_parallelism) == (19456, 2, 1)
    assert settings.workers == os.cpu_count()


def test_keyring_and_mail_folder_are_in_the_data_folder_by_default() -> None:
    settings = load(environment(data_dir="/srv"))
    assert (settings.keyring, settings.mail_folder) == (Path("/srv/keyring.json"), Path("/srv/mail"))
    assert load(environment(data_dir="/srv", keyring_file="/keys")).keyring == Path("/keys")


def test_a_relative_path_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Server processes may change their working directory."""
    monkeypatch.chdir(tmp_path)
    assert load(environment(data_dir="data")).data_dir == tmp_path / "data"


BAD = [
    ("listen", "nowhere"),
    ("listen", "0.0.0.0:50051"),
    ("listen", "[::]:50051"),
    ("listen", "192.0.2.10:50051"),
    ("workers", "0"),
    ("workers", "257"),
    ("workers", "two"),
    ("workers", "-1"),
    ("workers", "1.5"),
    ("workers", "²"),
    ("workers", ""),
    ("session_lifetime", "24"),
    ("session_lifetime", "h"),
    ("session_lifetime", "0h"),
    ("session_lifetime", "-1h"),
    ("session_lifetime", "1.5h"),
    ("session_lifetime", "1000000d"),
    ("session_idle", "25h"),
    ("session_lifetime", "8d"),
    ("session_remembered_idle", "8d"),
    ("session_remembered_lifetime", "7"),
    ("argon2_memory_kib", "7"),
    ("argon2_parallelism", "0"),
    ("argon2_time", "0"),
    ("test_mode", "yes"),
    ("database_url", " "),
    ("data_dir", ""),
    ("product_name", ""),
    ("database_statement_cache", "many"),
]


@pytest.mark.parametrize(("name", "text"), BAD)
def test_an_invalid_value_is_one_problem_that_names_its_setting(name: str, text: str) -> None:
    (problem,) = problems(**{name: text})
    assert re.fullmatch(rf"TWOFACTOR_{name.upper()} \S.*\.", problem)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """From file and environment, including unknown names and conflicts."""
    file = tmp_path / "twofactor.toml"
    file.write_text('workers = "many"\ncolour = "red"\n')
    found = problems(
        config=str(file),
        listen="0.0.0.0:1",
        session_idle="nonsense",
        taste="sweet",
        tls_cert="/cert.pem",
        test_clock_file="/now",
        argon2_memory_kib="8",
        argon2_parallelism="2",
    )
    variables = ("LISTEN", "SESSION_IDLE", "TASTE", "TLS_CERT", "TEST_CLOCK_FILE", "ARGON2_MEMORY_KIB")
    named = sorted(problem.split()[0] for problem in found)
    assert named == sorted(["workers", "colour", *(f"TWOFACTOR_{name}" for name in variables)])


def test_remembered_sessions_are_never_shorter() -> None:
    """Neither lifetime nor idle time; and no idle time exceeds its lifetime."""
    found = problems(session_remembered_lifetime="23h", session_remembered_idle="59m")
    named = [re.findall(r"SESSION_\w+", problem) for problem in found]
    assert named == [
        ["SESSION_LIFETIME", "SESSION_REMEMBERED_LIFETIME"],
        ["SESSION_IDLE", "SESSION_REMEMBERED_IDLE"],
    ]
    assert problems(session_remembered_lifetime="2d") == [
        "TWOFACTOR_SESSION_REMEMBERED_IDLE must not be longer than TWOFACTOR_SESSION_REMEMBERED_LIFETIME."
    ]


def test_planned_and_unknown_settings_have_different_messages() -> None:
    (later,) = problems(callers_file="/callers.toml")
    (misspelt,) = problems(callers_fil="/callers.toml")
    assert later.endswith("is not supported by this version yet: remove it.")
    assert misspelt.endswith("is not a setting: correct its name or remove it.")


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in ("mail_from", "link_base_url")])
def test_no_problem_quotes_a_value(name: str) -> None:
    """A password in a misplaced URL must not reach a log."""
    secret = "s3cret-value\0"
    for attempt in ({name: secret}, {f"{name}x": secret}, {name: f"{secret}:1"}):
        assert "s3cret" not in said_of(**attempt)


def said_of(**settings: str) -> str:
    """The problems with the settings, if any."""
    try:
        load(environment(**settings))
    except SettingsError as error:
        return f"{error} {error.__cause__ or ''}"
    return ""


def test_repr_hides_secrets() -> None:
    settings = load(environment(database_url="postgresql://mia:s3cret@db", smtp_url="smtp://mia:s3cret@localhost"))
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in str(settings)


@pytest.mark.parametrize("name", ["test_clock_file", "test_crash_at"])
def test_test_settings_require_test_mode(name: str) -> None:
    text, _ = SETTINGS[name]
    for mode in ({}, {"test_mode": "0"}):
        assert problems(**mode, **{name: text}) == [f"TWOFACTOR_{name.upper()} requires TWOFACTOR_TEST_MODE=1."]
    assert load(environment(test_mode="1", **{name: text}))


@pytest.mark.parametrize(
    "content", [None, b"", b"workers = ", b"= 1", b"\xff\xfe", "product_name = 'Bücher'".encode("latin-1")]
)
def test_an_unreadable_file_is_one_problem(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "twofactor.toml"
    if content is not None:
        file.write_bytes(content)
    if content == b"":
        assert load(environment(config=str(file))) == Settings()
        return
    (problem,) = problems(config=str(file))
    assert problem.startswith("TWOFACTOR_CONFIG names a file that ")
    assert problem.endswith(".")


def test_a_file_in_utf_8_is_read(tmp_path: Path) -> None:
    file = tmp_path / "twofactor.toml"
    file.write_text("product_name = 'Bücher & Söhne'\ntest_mode = false\nworkers = 2\n", encoding="utf-8")
    settings = load(environment(config=str(file)))
    assert (settings.product_name, settings.test_mode, settings.workers) == ("Bücher & Söhne", False, 2)


def test_a_table_in_the_file_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "twofactor.toml"
    file.write_text("[listen]\nport = 50051\n")
    (problem,) = problems(config=str(file))
    assert problem.startswith("listen (in the settings file) must")
    assert "50051" not in problem.replace("127.0.0.1:50051", "")
