"""The environment: what is wrong is refused at the start, with a message that names the variable."""

import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.running import HOME

from service_kit.environment import (
    SettingError,
    env_auth,
    env_broker_url,
    env_choices,
    env_int,
    env_path,
    env_str,
    env_tiles_url,
)
from service_kit.private_files import make_private


def start(**changes: str | None) -> subprocess.CompletedProcess[str]:
    """Has a process read the settings; None unsets a variable."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "reader_config.settings"}
    environment.pop("FILE_READER_DATABASE_URL", None)
    for name, value in changes.items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value
    code = "from django.conf import settings; print(settings.AUTH, settings.DATABASES['default']['NAME'])"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=HOME, env=environment, capture_output=True, text=True, check=False
    )


def test_a_service_with_everything_it_needs_starts(tmp_path: Path) -> None:
    done = start(DATA_DIR=str(tmp_path), AUTH=None)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["off", str(tmp_path / "file_reader.sqlite3")]


@pytest.mark.parametrize("name", ["SECRET_KEY", "INTERNAL_TOKEN"])
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_service_without_a_secret_does_not_start(name: str, value: str | None) -> None:
    done = start(**{name: value})
    assert done.returncode != 0
    assert f"{name} is not set" in done.stderr


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"GATEWAY_HOST": "0.0.0.0", "AUTH": None}, "set AUTH=required"),
        ({"GATEWAY_HOST": "0.0.0.0", "AUTH": "off"}, "AUTH=off is refused while GATEWAY_HOST='0.0.0.0'"),
        ({"AUTH": "maybe"}, "AUTH='maybe' is not known. Accepted: off, required"),
        ({"MAX_UPLOAD_BYTES": "1 GiB"}, "MAX_UPLOAD_BYTES='1 GiB' is not a whole number from 1 to"),
        ({"MAX_UPLOAD_BYTES": "0"}, "MAX_UPLOAD_BYTES='0'"),
        ({"CHUNK_ROWS": "-1"}, "CHUNK_ROWS='-1'"),
        ({"LEASE_SECONDS": "9" * 5_000}, "LEASE_SECONDS="),
        ({"POSTCODE_CONSUMER_PORT": "70000"}, "POSTCODE_CONSUMER_PORT='70000'"),
        ({"FILE_READER_DATABASE_URL": "oracle:secret@db"}, "FILE_READER_DATABASE_URL is not understood"),
        ({"FILE_READER_DATABASE_URL": "nonsense"}, "FILE_READER_DATABASE_URL is not understood"),
        ({"CELERY_BROKER_URL": "sqla+sqlite:///x"}, "CELERY_BROKER_URL is not understood. Accepted: amqp://"),
        ({"CELERY_BROKER_URL": "amqp://me:secret@:5672//"}, "CELERY_BROKER_URL is not understood"),
        ({"CELERY_BROKER_URL": "amqp://me:secret@host:nonsense//"}, "CELERY_BROKER_URL is not understood"),
        ({"CELERY_BROKER_URL": "redis://:secret@host/name"}, "CELERY_BROKER_URL is not understood"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_name(changes: dict[str, str | None], message: str) -> None:
    done = start(**changes)
    assert done.returncode != 0
    assert message in done.stderr
    assert "secret@" not in done.stderr


@pytest.mark.parametrize("name", ["FILE_READER_HOST", "POSTCODE_CONSUMER_HOST"])
def test_a_service_that_can_be_reached_from_outside_requires_keys(name: str) -> None:
    assert f"{name}='0.0.0.0' is not loopback: set AUTH=required" in start(**{name: "0.0.0.0", "AUTH": None}).stderr
    assert f"AUTH=off is refused while {name}='10.0.0.5'" in start(**{name: "10.0.0.5", "AUTH": "off"}).stderr
    assert start(**{name: "0.0.0.0", "AUTH": "required"}).returncode == 0


@pytest.mark.parametrize(("service", "config"), [("file_reader", "reader"), ("postcode_consumer", "consumer")])
def test_gunicorn_does_not_listen_outside_without_keys_whoever_told_it_to(service: str, config: str) -> None:
    command = [sys.executable, "-m", "gunicorn", "-c", f"{config}_config/gunicorn.conf.py", "--bind", "0.0.0.0:0"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": f"{config}_config.settings"}
    environment.pop("AUTH", None)
    done = subprocess.run(
        [*command, f"{config}_config.wsgi"],
        cwd=HOME.parent / service,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0
    assert "bind='0.0.0.0' is not loopback: set AUTH=required" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Listening" not in done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_auth_is_off_on_loopback_unless_it_is_required(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("GATEWAY_HOST", host)
    monkeypatch.delenv("AUTH", raising=False)
    assert env_auth() == "off"
    monkeypatch.setenv("AUTH", "required")
    assert env_auth() == "required"


def test_auth_can_be_required_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_HOST", "0.0.0.0")
    monkeypatch.setenv("AUTH", "required")
    assert env_auth() == "required"


def test_the_helpers_read_trim_and_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", " value ")
    assert env_str("NAME") == "value"
    assert env_str("OTHER_NAME", "default") == "default"
    assert env_choices("NAME", ("value", "other"), "other") == "value"
    monkeypatch.setenv("NUMBER", "7")
    assert env_int("NUMBER", 1, minimum=7, maximum=7) == 7
    with pytest.raises(SettingError, match="NUMBER='7' is not a whole number from 8 to 9"):
        env_int("NUMBER", 8, minimum=8, maximum=9)


def test_paths_start_at_the_repositorys_root_wherever_the_process_was_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FOLDER", raising=False)
    assert env_path("FOLDER", Path("var")) == HOME.parent / "var"
    monkeypatch.setenv("FOLDER", str(tmp_path))
    assert env_path("FOLDER", Path("var")) == tmp_path


@pytest.mark.parametrize(
    "url",
    [
        "",
        "amqp://me:word@host:5672//",
        "amqps://host/vhost",
        "redis://host",
        "redis://:word@host:6379/1",
        "rediss://host/",
    ],
)
def test_a_broker_is_rabbitmq_or_redis_or_none(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", url)
    assert env_broker_url("CELERY_BROKER_URL") == url


def test_without_a_broker_nothing_of_celery_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys, reader_config.wsgi\n"
        "from django.core.management import load_command_class\n"
        "from uploads.work.wake import wake_workers\n"
        "load_command_class('uploads', 'worker')\n"
        "wake_workers()\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('celery', 'kombu')])\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "reader_config.settings", "DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HOME, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_folder_that_all_users_share_is_left_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tmp_path.chmod(0o1777)  # like /tmp
    make_private(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
    assert "Give DATA_DIR a folder of its own" in caplog.text


@pytest.mark.parametrize("service", ["file_reader", "postcode_consumer"])
def test_django_has_nothing_to_say_about_the_settings_of_a_deployment(service: str, tmp_path: Path) -> None:
    added = {"DATA_DIR": str(tmp_path), "SECRET_KEY": secrets.token_urlsafe(40), "INTERNAL_TOKEN": "token"}
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"} | added
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        command, cwd=HOME.parent / service, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "url",
    [
        "tiles.example/{z}/{x}/{y}.png", "https://a b/{z}/{x}/{y}", "https://t.example/{z}/{x}.png",
        "https://t.example/{z}/{x}/{y}/{s}", "https://t.example/{z}{x}{y}; script-src *",
        "javascript:{z}{x}{y}", "https://t.example/{z}/{x}/{y}'", "https://u:p@t.example/{z}/{x}/{y}",
    ],
)  # fmt: skip
def test_map_tiles_come_from_an_address_and_nothing_else(url: str) -> None:
    for accepted in ("", "https://tiles.example:8/a/{z}/{x}/{y}.png?k=1"):
        assert env_tiles_url("MAP_TILES_URL", environ={"MAP_TILES_URL": accepted}) == accepted
    with pytest.raises(SettingError, match=r"MAP_TILES_URL=.* is not the address of map tiles"):
        env_tiles_url("MAP_TILES_URL", environ={"MAP_TILES_URL": url})


def test_a_setting_may_be_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("of the file\n")
    assert env_str("SECRET_KEY", environ={"SECRET_KEY_FILE": str(secret)}) == "of the file"
    assert env_str("SECRET_KEY", environ={"SECRET_KEY_FILE": str(secret), "SECRET_KEY": "itself"}) == "itself"
    assert env_int("PORT", 1, minimum=1, maximum=9, environ={"PORT_FILE": ""}) == 1
    with pytest.raises(SettingError, match=r"SECRET_KEY_FILE='/nowhere/key' cannot be read: FileNotFoundError\."):
        env_str("SECRET_KEY", "default", environ={"SECRET_KEY_FILE": "/nowhere/key"})


@pytest.mark.parametrize(
    ("address", "found"), [("postgres://me@db/name", "of the file"), ("postgres://me:own@db/name", "own")]
)
def test_the_password_of_a_database_may_be_a_file(tmp_path: Path, address: str, found: str) -> None:
    secret = tmp_path / "password"
    secret.write_text("of the file\n")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "reader_config.settings",
        "DATA_DIR": str(tmp_path),
        "FILE_READER_DATABASE_URL": address,
        "FILE_READER_DATABASE_PASSWORD_FILE": str(secret),
    }
    code = "from django.conf import settings; print(settings.DATABASES['default']['PASSWORD'], end='')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HOME, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == found, done.stderr
