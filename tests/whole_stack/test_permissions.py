"""What the stack leaves on disk is for the eyes of its user alone."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from stack import ROOT, running_stack, wait_for

FILE = b"lat,lon\n51.501009,-0.141588\n"


def open_to_others(folder: Path) -> list[str]:
    """Everything in a folder, and the folder, that others may read, write or enter; without the test's own log."""
    found = [folder, *folder.rglob("*")]
    modes = {path: path.lstat().st_mode for path in found if path.name != "stack.log"}
    return [f"{path} {stat.filemode(mode)}" for path, mode in modes.items() if mode & 0o077]


def test_nobody_else_reads_what_the_stack_writes(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o755)
    for name in ("file_reader", "postcode_consumer"):  # of an earlier version
        (data_dir / f"{name}.sqlite3").touch(mode=0o644)
    before = os.umask(0o022)
    try:
        with running_stack(data_dir) as stack:
            stack.wait_until_done(stack.upload(FILE))
            wait_for(lambda: list((data_dir / "bells").glob("*")), "a bell hangs")
            source = tmp_path / "places.csv"
            source.write_text("postcode,latitude,longitude\nSW1A 1AA,51.501009,-0.141588\n")
            subprocess.run(
                [sys.executable, "manage.py", "build_index", str(source)],
                cwd=ROOT / "postcode_consumer",
                env=stack.environment | {"SECRET_KEY": "none", "INTERNAL_TOKEN": "none"},
                check=True,
                capture_output=True,
            )
            made = {path.relative_to(data_dir).parts[0] for path in data_dir.rglob("*")}
            assert {"uploads", "bells", "index", "metrics", "secret_key", "internal_token", "admin_password"} <= made
            assert {
                f"{name}.sqlite3{end}" for name in ("file_reader", "postcode_consumer") for end in ("", "-wal")
            } <= made
            assert list((data_dir / "uploads" / "files").iterdir())
            assert open_to_others(data_dir) == []
    finally:
        os.umask(before)


def test_a_service_that_is_started_by_itself_is_as_private(tmp_path: Path) -> None:
    data_dir, elsewhere = tmp_path / "data", tmp_path / "elsewhere.sqlite3"
    data_dir.mkdir(mode=0o755)
    elsewhere.touch(mode=0o644)
    environment = os.environ | {"DATA_DIR": str(data_dir), "SECRET_KEY": "none", "INTERNAL_TOKEN": "none"}
    environment["FILE_READER_DATABASE_URL"] = f"sqlite:///{elsewhere}"
    for service in ("file_reader", "postcode_consumer"):
        command = f"umask 022; exec {sys.executable} manage.py migrate --verbosity 0"
        subprocess.run(["/bin/sh", "-c", command], cwd=ROOT / service, env=environment, check=True)
    assert (data_dir / "postcode_consumer.sqlite3").stat().st_size
    assert elsewhere.stat().st_size
    assert open_to_others(data_dir) == []
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
