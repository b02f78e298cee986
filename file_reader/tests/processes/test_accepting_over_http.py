"""Uploads that are cut off, sent twice at once, or whose process is killed: through a real gunicorn."""

import http.client
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from tests.api import UPLOADS, Api
from tests.running import HOME, Answer, Service, answer_of, process_environment, wait_for
from tests.sending import make_old

from uploads.files.stored import path_of
from uploads.models import Upload

pytestmark = pytest.mark.django_db(transaction=True)
StartService = Callable[..., Service]
CSV = b"lat,lon\n" + b"51.5,-0.1\n" * 100_000
FORM = b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + CSV + b"\r\n--limit--\r\n"
BODIES = {"text/csv": CSV, "multipart/form-data; boundary=limit": FORM}
#: How much room the disk has that is full soon.
SMALL_DISK = 512_000


def post(body: bytes, content_type: str = "text/csv", *headers: str) -> str:
    lines = [f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return "\n".join([f"POST {UPLOADS} HTTP/1.1", *lines])


def is_problem(answer: Answer, status: int, slug: str) -> bool:
    return (answer[0], json.loads(answer[2])["type"]) == (status, f"/problems/{slug}")


def send_again(service: Service, head: str, body: bytes) -> dict[str, Any]:
    """As a client does that was given no answer: until it is. Returns the upload."""
    answers: list[Answer] = []

    def answered() -> bool:
        try:
            answers.append(service.send(head, body))
        except ConnectionError:
            return False
        return True

    wait_for(answered)
    status, _, content = answers[0]
    assert status == 202
    return dict(json.loads(content))


def test_fault_18_a_key_in_flight_is_refused_before_the_body_is_read(start_service: StartService) -> None:
    service = start_service()
    head = post(CSV, "text/csv", "Idempotency-Key: monday")
    with service.begin(head, CSV[:500_000]) as first:
        wait_for(service.parts)
        answer = service.send(head, half_close=False)
        assert is_problem(answer, 409, "upload-in-flight")
        assert answer[1]["Retry-After"] == "1"
        assert service.send(post(CSV, "text/csv", "Idempotency-Key: tuesday"), CSV)[0] == 202
        first.sendall(CSV[500_000:])
        status, _, content = answer_of(first)
        assert status == 202
    again = service.send(head, CSV)
    assert (again[0], json.loads(again[2])["id"]) == (202, json.loads(content)["id"])
    other = CSV[:-10]
    other_answer = service.send(post(other, "text/csv", "Idempotency-Key: monday"), other)
    assert is_problem(other_answer, 422, "idempotency-key-reused")
    assert (Upload.objects.count(), len(service.stored_files())) == (2, 2)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("content_type", BODIES)
def test_a_client_that_is_cut_off_anywhere_in_its_body_leaves_nothing(
    start_service: StartService, content_type: str, reset: bool
) -> None:
    service = start_service()
    body = BODIES[content_type]
    for cut in [*range(0, len(body), len(body) // 10), len(body) - 1]:
        line = service.begin(post(body, content_type, "Idempotency-Key: monday"), body[:cut])
        wait_for(service.parts)
        if reset:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.close()
        wait_for(lambda: not service.parts())
    assert not Upload.objects.exists()
    assert service.stored_files() == []
    assert service.send(post(body, content_type, "Idempotency-Key: monday"), body)[0] == 202


def tidy_up(service: Service) -> None:
    command = [sys.executable, "manage.py", "maintenance"]
    subprocess.run(command, cwd=HOME, env=process_environment(service.data_dir), check=True, capture_output=True)


def test_a_process_killed_in_the_middle_of_a_body_leaves_a_file_that_maintenance_collects(
    start_service: StartService,
) -> None:
    service = start_service()
    with service.begin(post(CSV), CSV[:500_000]):
        wait_for(service.parts)
        service.kill_processes()
    assert len(service.parts()) == 1
    tidy_up(service)
    assert service.stored_files() == []
    assert not Upload.objects.exists()


def test_the_key_of_a_process_killed_in_the_middle_of_a_body_is_free_at_once(start_service: StartService) -> None:
    service = start_service()
    head = post(CSV, "text/csv", "Idempotency-Key: monday")
    with service.begin(head, CSV[:500_000]):
        wait_for(service.parts)
        service.kill_processes()
    upload = send_again(service, head, CSV)
    assert [path.read_bytes() for path in service.stored_files()] == [CSV]
    assert upload["size"] == len(CSV)


def test_a_file_whose_upload_was_never_inserted_is_collected(
    start_service: StartService, start_worker: Callable[..., Any]
) -> None:
    service = start_service(wsgi="tests.wsgi_faults")
    with pytest.raises(ConnectionError):
        service.send(post(CSV, "text/csv", "Idempotency-Key: monday", "X-Killed: before the upload is inserted"), CSV)
    intent, left = sorted(service.stored_files(), key=lambda path: path.suffix, reverse=True)
    assert (intent.suffix, left.suffix) == (".intent", ".csv")
    assert not Upload.objects.exists()
    upload = send_again(service, post(CSV, "text/csv", "Idempotency-Key: monday"), CSV)
    make_old(intent)
    start_worker()
    tidy_up(service)
    assert not left.exists()
    wait_for(lambda: Api().show(upload)["state"] == "done")
    assert service.stored_files() == [path_of(Upload.objects.get().public_id)]


def test_fault_20_a_process_killed_after_the_commit_and_before_the_answer_has_accepted_the_upload_once(
    start_service: StartService,
) -> None:
    service = start_service(wsgi="tests.wsgi_faults")
    with pytest.raises(ConnectionError):
        service.send(post(CSV, "text/csv", "Idempotency-Key: monday", "X-Killed: before the answer is sent"), CSV)
    accepted = Upload.objects.get()
    upload = send_again(service, post(CSV, "text/csv", "Idempotency-Key: monday"), CSV)
    assert upload["id"] == str(accepted.public_id)
    assert Upload.objects.count() == 1
    assert service.stored_files() == [path_of(accepted.public_id)]


def test_a_connection_is_good_for_the_next_request_when_a_body_was_answered_before_its_end(
    start_service: StartService,
) -> None:
    service = start_service()
    line = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    headers = {"X-Internal-Token": settings.INTERNAL_TOKEN, "Content-Type": "image/png"}
    for _ in range(3):
        line.request("POST", UPLOADS, CSV, headers)
        answer = line.getresponse()
        assert answer.status == 415
        assert json.loads(answer.read())["type"] == "/problems/unsupported-media-type"
    line.close()


def small_disk(folder: Path) -> list[str]:
    """What starts a program for which there is a small disk of its own in that folder."""
    folder.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size={SMALL_DISK} tmpfs {folder} && exec "$@"'
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]


def can_mount(folder: Path) -> bool:
    try:
        return subprocess.run([*small_disk(folder), "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("content_type", BODIES)
def test_fault_17_a_disk_that_is_full_in_the_middle_of_a_body_is_told_and_has_its_room_again(
    start_service: StartService, tmp_path: Path, content_type: str
) -> None:
    if not can_mount(tmp_path / "trial"):
        pytest.skip("no small disk can be mounted here; test_disk_full.py has a device that is always full")
    # Without the floor, which would refuse every body on a disk as small as this one.
    service = start_service(prefix=small_disk(tmp_path / "uploads"), MIN_FREE_BYTES="0")
    for _ in range(2):
        answer = service.send(post(BODIES[content_type], content_type), BODIES[content_type])
        assert is_problem(answer, 507, "storage-full")
        assert int(answer[1]["Retry-After"]) > 0
    assert not Upload.objects.exists()
    # It fits only when nothing is left of the others.
    fits = CSV[: SMALL_DISK * 9 // 10]
    assert service.send(post(fits), fits)[0] == 202
