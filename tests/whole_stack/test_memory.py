"""Memory does not grow with the file: it is that of one segment of the row index (131,072 rows), whatever comes."""

from pathlib import Path

from country import csv_of
from postcodes_io import RunningPostcodesIo
from stack import peak_bytes, running_stack


def peak_of_worker(tmp_path: Path, upstream: RunningPostcodesIo, rows: int) -> int:
    """The worker's peak memory in bytes after one file of that many rows."""
    settings = {"PROVIDER": "postcodes_io", "POSTCODES_IO_URL": upstream.url, "POSTCODES_IO_CALLS_PER_SECOND": "0"}
    with running_stack(tmp_path, CHUNK_ROWS="1000", WORKERS="1", **settings) as stack:
        upload = stack.upload(csv_of(rows))
        stack.wait_until_done(upload)
        stack.wait(upload, lambda seen: bool(seen["indexed_at"]), "its row index is written")
        (worker,) = stack.processes("manage.py worker")
        return peak_bytes(worker)


def test_two_segments_take_no_more_memory_than_one(tmp_path: Path, upstream: RunningPostcodesIo) -> None:
    small = peak_of_worker(tmp_path / "small", upstream, 80_000)
    large = peak_of_worker(tmp_path / "large", upstream, 250_000)
    assert large < small * 1.1
