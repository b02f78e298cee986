"""Sources: folders and addresses in which new and changed files are looked for."""

import io
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client
from tests.api import Api
from tests.receiver import Receiver

from uploads.accepting import ingest
from uploads.accepting.ingest import Look, look
from uploads.models import Source, SourceFile, Upload
from uploads.work.commands import delete_upload

pytestmark = pytest.mark.django_db
CSV = b"name,lat,lon\nPalace,51.501009,-0.141588\n"
MORE = b"Tower,51.508,-0.0758\n"
BAD = b"name,note\nPalace,no coordinates\n"


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.IMPORT_DIR = tmp_path / "imports"
    folder: Path = settings.IMPORT_DIR / "daily"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def source(folder: Path) -> Source:
    return Source.objects.create(name="daily", place="daily", pattern="*.csv", options={"max_distance": "500"})


def looked(source: Source) -> tuple[int, int, int]:
    """What a look does; all that was seen before it has been so for a minute."""
    SourceFile.objects.update(seen_at=F("seen_at") - timedelta(minutes=1))
    found = look(source)
    return found.accepted, found.refused, found.left


def names() -> list[str]:
    return sorted(Upload.objects.values_list("filename", flat=True))


def error_of(source: Source) -> str:
    source.refresh_from_db()
    return source.error


def test_a_file_is_accepted_once_and_again_when_its_content_changes(source: Source, folder: Path) -> None:
    (folder / "a.csv").write_bytes(CSV)
    (folder / "sub").mkdir()
    (folder / "sub" / "b.csv").write_bytes(CSV)
    (folder / "c.txt").write_bytes(CSV)
    assert look(source) == Look(left=2)  # nobody knows yet whether they are whole
    assert look(source) == Look(left=2)  # and a moment later neither
    assert looked(source) == (2, 0, 0)
    assert names() == ["a.csv", "b.csv"]
    assert set(Upload.objects.values_list("max_distance", flat=True)) == {500}
    for _ in range(2):
        assert looked(source) == (0, 0, 0)
    os.utime(folder / "a.csv")  # the same, with another date
    assert looked(source) == (0, 0, 1)
    assert looked(source) == (0, 0, 0)
    (folder / "a.csv").write_bytes(CSV + MORE)
    assert looked(source) == (0, 0, 1)
    assert looked(source) == (1, 0, 0)
    assert names() == ["a.csv", "a.csv", "b.csv"]


def test_what_was_deleted_does_not_come_back(source: Source, folder: Path) -> None:
    (folder / "a.csv").write_bytes(CSV)
    looked(source)
    looked(source)
    delete_upload(Upload.objects.get())
    os.utime(folder / "a.csv")
    looked(source)
    assert looked(source) == (0, 0, 0)
    assert Upload.objects.count() == 1


def test_what_is_not_whole_or_leads_elsewhere_is_left(source: Source, folder: Path, tmp_path: Path) -> None:
    source.pattern = "*"
    (tmp_path / "secret.csv").write_bytes(CSV)
    for name in (".hidden.csv", "a.csv.part", "b.tmp"):
        (folder / name).write_bytes(CSV)
    (folder / ".git").mkdir()
    (folder / ".git" / "c.csv").write_bytes(CSV)
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    os.mkfifo(folder / "pipe.csv")
    assert looked(source) == (0, 0, 0)
    assert look(source, path="../../secret.csv") == Look()
    (folder.parent / "elsewhere").symlink_to(tmp_path)
    source.place = "elsewhere"
    assert looked(source) == (0, 0, 0)
    assert "without links" in error_of(source)


def test_a_file_that_changes_while_it_is_read_is_left(
    source: Source, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, copy = folder / "a.csv", ingest.copy_file
    file.write_bytes(CSV)
    looked(source)

    def copy_and_grow(opened: Any, incoming: Any) -> None:
        copy(opened, incoming)
        with file.open("ab") as more:
            more.write(MORE)

    with monkeypatch.context() as patched:
        patched.setattr(ingest, "copy_file", copy_and_grow)
        assert looked(source) == (0, 0, 1)
    assert looked(source) == (0, 0, 1)
    assert looked(source) == (1, 0, 0)
    assert Upload.objects.get().size == file.stat().st_size


def test_what_cannot_be_read_is_refused_in_words_until_it_changes(source: Source, folder: Path) -> None:
    (folder / "a.csv").write_bytes(BAD)
    (folder / "b.csv").write_bytes(CSV)
    looked(source)
    assert looked(source) == (1, 1, 0)
    file = SourceFile.objects.get(path="a.csv")
    assert (file.state, file.upload_id) == ("refused", None)
    assert "latitude" in file.detail
    assert looked(source) == (0, 0, 0)
    (folder / "a.csv").write_bytes(CSV)
    looked(source)
    assert looked(source) == (1, 0, 0)
    file.refresh_from_db()
    assert (file.state, file.detail) == ("accepted", "")


def test_what_is_not_the_files_fault_is_tried_again(source: Source, folder: Path, settings: Any) -> None:
    (folder / "a.csv").write_bytes(CSV)
    looked(source)
    settings.MIN_FREE_BYTES = 1 << 60
    assert looked(source) == (0, 0, 0)
    assert "too little room" in error_of(source)
    settings.MIN_FREE_BYTES = 0
    assert looked(source) == (1, 0, 0)
    assert error_of(source) == ""


def test_a_folder_that_is_away_is_told(source: Source, folder: Path) -> None:
    folder.rmdir()
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("ingest", stdout=out)
    assert out.getvalue().startswith("daily: 0 accepted, 0 refused, 0 left. There is no folder 'daily'")
    with pytest.raises(CommandError, match="no source weekly"):
        call_command("ingest", "weekly")


def test_the_command_waits_until_a_new_file_is_quiet(source: Source, folder: Path) -> None:
    Source.objects.update(quiet_seconds=0)
    (folder / "a.csv").write_bytes(CSV)
    out = io.StringIO()
    call_command("ingest", "daily", stdout=out)
    assert out.getvalue() == "daily: 1 accepted, 0 refused, 0 left\n"


# --- an address ----------------------------------------------------------------------------------------------------
@pytest.fixture
def server(settings: Any) -> Iterator[Receiver]:
    server = Receiver()
    server.content, server.headers = CSV, {"Content-Length": str(len(CSV)), "ETag": '"1"'}
    settings.WEBHOOK_ALLOWED_HOSTS = frozenset({server.host})
    yield server
    server.stop()


def test_an_address_is_asked_whether_its_file_has_changed(server: Receiver) -> None:
    source = Source.objects.create(name="web", kind="address", place=f"{server.url}/places.csv")
    server.statuses = [200, 304, 200, 200, 500, 200]
    assert looked(source) == (1, 0, 0)
    assert names() == ["places.csv"]
    server.content, server.headers = b"", {}
    assert looked(source) == (0, 0, 0)
    assert server.calls[1][0]["if-none-match"] == '"1"'
    server.content, server.headers = CSV, {"Content-Length": str(len(CSV)), "ETag": '"2"'}
    assert looked(source) == (0, 0, 0)  # the same content
    server.content, server.headers = CSV + MORE, {"Content-Length": str(len(CSV + MORE) + 5), "ETag": '"3"'}
    assert looked(source) == (0, 0, 0)  # cut short
    assert "cannot be fetched" in error_of(source)
    assert looked(source) == (0, 0, 0)
    server.content, server.headers = BAD, {"Content-Length": str(len(BAD))}
    assert looked(source) == (0, 1, 0)
    assert Upload.objects.count() == 1


def test_an_address_inside_is_refused() -> None:
    source = Source.objects.create(name="web", kind="address", place="http://127.0.0.1/places.csv")
    assert looked(source) == (0, 0, 0)
    assert "an address on the internet" in error_of(source)


# --- the admin -----------------------------------------------------------------------------------------------------
def test_the_admin_makes_a_source_refuses_a_wrong_one_and_looks_now(folder: Path) -> None:
    admin = Client(headers={"X-Internal-Token": "token-of-the-tests"})
    admin.force_login(get_user_model().objects.create_superuser("root", password="x"))
    form = {
        "name": "daily",
        "kind": "folder",
        "place": "daily",
        "pattern": "*",
        "options": "{}",
        "minutes": "10",
        "quiet_seconds": "10",
        "enabled": "on",
        "sourcefile_set-TOTAL_FORMS": "0",
        "sourcefile_set-INITIAL_FORMS": "0",
    }
    path = "/admin/uploads/source/"
    for wrong in ({"place": "../.."}, {"options": '{"max_distance": "far"}'}, {"kind": "address", "place": "ftp://x"}):
        assert b"errornote" in admin.post(f"{path}add/", form | wrong).content
    assert admin.post(f"{path}add/", form).status_code == 302
    source = Source.objects.get()
    (folder / "a.csv").write_bytes(BAD)
    looked(source)
    looked(source)
    assert b"latitude" in admin.get(f"{path}{source.pk}/change/").content
    Source.objects.update(due_at=F("due_at") + timedelta(days=1))
    admin.post(path, {"action": "look_now", "_selected_action": [source.pk]})
    assert Source.objects.get().due_at.timestamp() <= time.time() + 1
    # Other options may help.
    assert admin.post(f"{path}{source.pk}/change/", form).status_code == 302
    looked(source)
    assert looked(source) == (0, 1, 0)


def test_uploads_of_a_source_belong_to_its_owner(ann: Api, folder: Path) -> None:
    owner = get_user_model().objects.get(username="ann")
    source = Source.objects.create(name="hers", place="daily", owner=owner)
    (folder / "a.csv").write_bytes(CSV)
    looked(source)
    assert looked(source) == (1, 0, 0)
    assert Upload.objects.get().owner == owner
