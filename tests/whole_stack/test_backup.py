"""The drill: a stack with work in progress is backed up, and another one, of either database, goes on from there."""

import os
import stat
import subprocess
import sys
import tarfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from databases import new_database
from stack import ROOT, Stack, running_stack

#: Places that the sandbox knows, and others.
HEADER = b"name,lat,lon\n"
PLACES = [b"Palace,51.501009,-0.141588\n", b"Tower,51.508036,-0.075853\n", b"Nowhere,0,0\n", b"Typing error,95,0\n"]
CSV = HEADER + b"".join(PLACES) * 500
BROKEN = HEADER + PLACES[0] * 10 + b'"never closed' + b",1,2\n" * 3


def manage(folder: str, environment: dict[str, str], *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT / folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def databases() -> Iterator[dict[str, list[dict[str, str]]]]:
    """Settings of two installations of each kind."""
    with ExitStack() as opened:
        names = ("FILE_READER_DATABASE_URL", "POSTCODE_CONSUMER_DATABASE_URL")
        server = os.environ["TEST_POSTGRES_URL"]
        made = [
            {name: opened.enter_context(new_database(server, f"drill_{uuid.uuid4().hex}")) for name in names}
            for _ in range(2)
        ]
        yield {"sqlite": [{}, {}], "postgresql": made}


@pytest.mark.parametrize(
    ("before", "after"), [("sqlite", "sqlite"), ("postgresql", "postgresql"), ("sqlite", "postgresql")]
)
def test_what_is_restored_has_the_same_results_keys_and_secrets(
    tmp_path: Path, databases: dict[str, list[dict[str, str]]], before: str, after: str
) -> None:
    settings, backup = databases[before][0], tmp_path / "backup.tar"
    key_of = ("make_key", "anna", "--create-user", "--scopes", "admin")
    with running_stack(tmp_path / "old", AUTH="required", **settings) as old:
        made = manage("file_reader", old.environment | old.secrets(), *key_of)
        key = made.stdout.strip()
        old.headers = {"Authorization": f"Bearer {key}"}
        done, broken = old.upload(CSV), old.upload(BROKEN)
        old.wait_until_done(done)
        old.wait(broken, lambda seen: seen["state"] == "failed", "the broken one ends")
        results = [old.result(upload) for upload in (done, broken)]
        deleted = old.upload(CSV)
        old.call("DELETE", deleted["links"]["self"])
        ongoing = old.upload(CSV * 3)
        said = manage("file_reader", old.environment | old.secrets(), "backup", str(backup))
        assert said.returncode == 0, said.stderr
        old.wait_until_done(ongoing)
        results.append(old.result(ongoing))
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with tarfile.open(backup) as tar:
        assert not [name for name in tar.getnames() if {"Row", "Chunk", "Session"} & set(name.split("."))]
        assert len([name for name in tar.getnames() if name.startswith("files/")]) == 3

    new_dir, settings = tmp_path / "new", databases[after][1]
    environment = {**os.environ, **settings, "DATA_DIR": str(new_dir), "SECRET_KEY": "new", "INTERNAL_TOKEN": "new"}
    assert manage("file_reader", environment, "migrate").returncode == 0
    said = manage("file_reader", environment, "restore", str(backup))
    assert said.returncode == 0, said.stderr
    twice = manage("file_reader", environment, "restore", str(backup))
    assert "This database is in use" in twice.stderr
    with running_stack(new_dir, AUTH="required", **settings) as new:
        new.headers = old.headers
        for upload, result in zip((done, broken, ongoing), results, strict=True):
            at_new = upload | {"links": links_at(new, upload)}
            new.wait(at_new, lambda seen: seen["state"] in ("done", "failed"), "it ends again")
            assert new.result(at_new) == result
        assert new.call("GET", f"/api/v1/uploads/{deleted['id']}/").status_code == 404
        assert len(new.call("GET", "/api/v1/uploads/").json()["results"]) == 3
        # The numbers go on behind those that were restored.
        new.wait_until_done(new.upload(CSV))


def links_at(stack: Stack, upload: dict[str, object]) -> dict[str, str]:
    return {"self": f"/api/v1/uploads/{upload['id']}/", "result_csv": f"/api/v1/uploads/{upload['id']}/result.csv"}


def test_a_backup_that_is_damaged_cut_or_of_another_service_restores_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "DATA_DIR": str(tmp_path / "a"), "SECRET_KEY": "x", "INTERNAL_TOKEN": "x"}
    for folder in ("file_reader", "postcode_consumer"):
        assert manage(folder, environment, "migrate").returncode == 0
        assert manage(folder, environment, "backup", str(tmp_path / f"{folder}.tar")).returncode == 0
        assert "exists already" in manage(folder, environment, "backup", str(tmp_path / f"{folder}.tar")).stderr
    whole = (tmp_path / "file_reader.tar").read_bytes()
    place = whole.index(b'"user_permissions"') if b'"user_permissions"' in whole else whole.index(b"codename")
    for name, content, why in (
        ("damaged", whole[:place] + b"X" + whole[place + 1 :], "damaged"),
        ("cut", whole[: len(whole) // 2], "no"),
        ("other", (tmp_path / "postcode_consumer.tar").read_bytes(), "a backup of postcode_consumer"),
    ):
        (tmp_path / name).write_bytes(content)
        said = manage("file_reader", environment, "restore", str(tmp_path / name))
        assert said.returncode == 1
        assert why in said.stderr
        assert "Traceback" not in said.stderr
    assert manage("file_reader", environment, "restore", str(tmp_path / "file_reader.tar")).returncode == 0
    assert manage("postcode_consumer", environment, "restore", str(tmp_path / "postcode_consumer.tar")).returncode == 0
