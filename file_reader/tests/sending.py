"""Sending files by hand, and what they leave on the disk."""

import os
import time
from pathlib import Path
from typing import Any

from tests.api import UPLOADS, Api

from uploads.files.abandoned import ABANDONED_AFTER
from uploads.models import Upload

CSV = b"lat,lon\n51.501009,-0.141588\n"


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    return b"--limit\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"


def send_parts(api: Api, *parts: bytes, end: bytes = b"--limit--\r\n") -> Any:
    return api.post(UPLOADS, b"".join(parts) + end, "multipart/form-data; boundary=limit")


def stored(data_dir: Path) -> list[bytes]:
    """The content of every file that uploads left, whole or not."""
    return [path.read_bytes() for path in (data_dir / "uploads").rglob("*") if path.is_file()]


def assert_nothing_stored(data_dir: Path) -> None:
    assert stored(data_dir) == []
    assert not Upload.objects.exists()


def make_old(path: Path) -> None:
    then = time.time() - ABANDONED_AFTER - 1
    os.utime(path, (then, then))
