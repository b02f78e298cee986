"""Whoever listens to an upload hears of it until its end, also when file_reader is killed in between."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import requests
from stack import Stack, running_stack, wait_for

FILE = b"lat,lon\n51.501009,-0.141588\n"


def listening(stack: Stack, upload: dict[str, Any], last_id: str = "") -> requests.Response:
    return stack.call("GET", f"{upload['links']['self']}events/", stream=True, headers={"Last-Event-ID": last_id})


def pieces(stream: requests.Response) -> Iterator[list[str]]:
    """Events and comments, as lines."""
    piece: list[str] = []
    for line in stream.iter_lines(chunk_size=1, decode_unicode=True):
        if line:
            piece.append(line)
        else:
            yield piece
            piece = []


def state_of(piece: list[str]) -> dict[str, Any]:
    (data,) = (line.removeprefix("data: ") for line in piece if line.startswith("data: "))
    return dict(json.loads(data))


def test_the_last_event_is_the_upload_as_it_ended(tmp_path: Path) -> None:
    with running_stack(tmp_path, WORKERS="1") as stack:
        upload = stack.upload(FILE)
        with listening(stack, upload) as stream:
            *_, last = pieces(stream)
        # Its row index may be written behind its end, and is then its last change.
        stack.wait(upload, lambda seen: bool(seen["indexed_at"]), "its row index is written")
        answer = stack.call("GET", upload["links"]["self"])
        of_index = {name: answer.json()[name] for name in ("indexed_at", "reasons")}
        assert state_of(last) | of_index == answer.json()
        with listening(stack, upload, answer.headers["ETag"]) as stream:
            assert stream.status_code == 204


def test_listeners_stay_while_file_reader_is_killed_and_started_again(tmp_path: Path) -> None:
    with running_stack(tmp_path, WORKERS="0") as stack:
        upload = stack.upload(FILE)
        with listening(stack, upload) as stream:
            heard = pieces(stream)
            assert next(heard) == ["retry: 2000"]
            assert state_of(next(heard))["state"] == "received"
            victims = stack.processes("reader_config.wsgi")
            for victim in victims:
                victim.kill()
            psutil.wait_procs(victims, timeout=10)
            wait_for(lambda: stack.call("GET", upload["links"]["self"]).status_code == 200, "file_reader is back")
            assert stack.call("POST", upload["links"]["cancel"]).status_code == 200
            # Nobody sees the old state after their own change.
            assert stack.look(upload)["state"] == "cancelled"
            # Whether the gateway has asked while nobody answered, and says so in comments, depends on the moment.
            (last,) = (piece for piece in heard if not piece[0].startswith(":"))
            assert state_of(last)["state"] == "cancelled"
