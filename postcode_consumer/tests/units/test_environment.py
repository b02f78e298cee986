"""A setting that is missing or wrong refuses to start, and says what is accepted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service_kit.environment import env_duration

SERVICE = Path(__file__).resolve().parents[2]


def start(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    values = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "SECRET_KEY": "secret",
        "INTERNAL_TOKEN": "token",
        **environment,
    }
    command = [
        sys.executable,
        "-c",
        "import consumer_config.settings as s; print(s.PROVIDER, s.DATABASES['default']['NAME'])",
    ]
    return subprocess.run(command, cwd=SERVICE, env=values, capture_output=True, text=True, timeout=30, check=False)


def test_the_defaults_start(tmp_path: Path) -> None:
    result = start(tmp_path)
    assert result.stdout.split() == ["postcodes_io", str(tmp_path / "postcode_consumer.sqlite3")]


def test_several_providers_may_be_named(tmp_path: Path) -> None:
    assert start(tmp_path, PROVIDER="local, postcodes_io").stdout.split()[0] == "local,postcodes_io"


@pytest.mark.parametrize(
    ("value", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("12h", 43_200), ("30d", 2_592_000)]
)
def test_a_time_is_taken_in_several_units(monkeypatch: pytest.MonkeyPatch, value: str, seconds: int) -> None:
    monkeypatch.setenv("CACHE_TTL", value)
    assert env_duration("CACHE_TTL", "1d") == seconds


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("INTERNAL_TOKEN", " ", "INTERNAL_TOKEN is not set"),
        ("PROVIDER", "google", "Accepted: postcodes_io, local, sandbox, or several of them with commas between"),
        ("PROVIDER", "Sandbox", "PROVIDER='Sandbox' is not known"),
        ("PROVIDER", "local,", "PROVIDER='local,' is not known"),
        ("PROVIDER", "local,local", "PROVIDER='local,local' is not known"),
        ("PROVIDER", "local;postcodes_io", "PROVIDER='local;postcodes_io' is not known"),
        ("POSTCODES_IO_URL", "api.postcodes.io", "http(s)://host"),
        ("POSTCODES_IO_URL", "http://host:99999", "http(s)://host"),
        ("POSTCODES_IO_URL", "http://host/?a=b", "http(s)://host"),
        ("POSTCODES_IO_CALLS_PER_SECOND", "-1", "POSTCODES_IO_CALLS_PER_SECOND='-1'"),
        ("POSTCODES_IO_CALLS_PER_SECOND", "nan", "from 0 to 10000"),
        ("POSTCODES_IO_CALLS_PER_SECOND", "many", "is not a number"),
        ("CACHE_TTL", "0", "CACHE_TTL='0' is not a time"),
        ("CACHE_TTL", "0d", "Accepted: seconds, or 90m, 12h, 30d"),
        ("CACHE_TTL", "-1d", "is not a time"),
        ("CACHE_TTL_MISSES", "1.5h", "is not a time"),
        ("CACHE_TTL_MISSES", "1w", "CACHE_TTL_MISSES='1w'"),
        ("POSTCODES_IO_MAX_CONCURRENCY", "1.5", "is not a whole number from 0 to 64"),
        ("POSTCODES_IO_CONTACT", "ops@example.org\nX-Other: 1", "POSTCODES_IO_CONTACT="),
        ("POSTCODES_IO_CONTACT", "ops@exämple.org", "POSTCODES_IO_CONTACT="),
        ("CACHE_URL", "localhost:6379", "Accepted: redis://"),
        ("CACHE_URL", "memcached://host", "Accepted: redis://"),
        ("CACHE_URL", "redis://", "Accepted: redis://"),
        ("CACHE_URL", "redis://host:99999", "Accepted: redis://"),
        ("CACHE_URL", "redis://host/name", "Accepted: redis://"),
        ("POSTCODE_CONSUMER_DATABASE_URL", "nonsense://host/name", "Accepted: sqlite:///path, postgres://"),
    ],
)
def test_a_wrong_value_refuses_to_start(tmp_path: Path, name: str, value: str, said: str) -> None:
    result = start(tmp_path, **{name: value})
    assert result.returncode != 0
    assert "SettingError" in result.stderr
    assert said in result.stderr


@pytest.mark.parametrize("url", ["redis://host", "redis://:password@host:6379/15", "rediss://host/", "redis://[::1]/0"])
def test_a_redis_may_be_named(tmp_path: Path, url: str) -> None:
    assert start(tmp_path, CACHE_URL=url).returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSTCODE_CONSUMER_DATABASE_URL", "postgres://user:hunter2@host:port/name"),
        ("CACHE_URL", "redis://:hunter2@host:port/0"),
    ],
)
def test_a_password_in_a_wrong_url_is_not_shown(tmp_path: Path, name: str, value: str) -> None:
    result = start(tmp_path, **{name: value})
    assert result.returncode != 0
    assert "hunter2" not in result.stderr
