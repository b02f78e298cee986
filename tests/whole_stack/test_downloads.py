"""Results through the gateway: a download that breaks off goes on to the same bytes."""

import hashlib
import subprocess
from pathlib import Path

import requests
from country import csv_of
from stack import running_stack


def test_a_download_that_is_cut_ten_times_is_resumed_to_the_same_bytes(tmp_path: Path) -> None:
    with running_stack(tmp_path / "data") as stack:
        upload = stack.upload(csv_of(20_000))
        stack.wait_until_done(upload)
        for suffix in ("csv", "xlsx"):
            address, file = upload["links"][f"result_{suffix}"], tmp_path / f"result.{suffix}"
            size = int(
                stack.call("GET", address, headers={"Range": "bytes=0-0"}).headers["Content-Range"].split("/")[1]
            )
            whole = stack.call("GET", address, headers={"Accept-Encoding": "identity"})
            assert len(whole.content) == size
            for cut in range(1, 11):
                with (
                    requests.get(
                        address, headers={"Range": f"bytes={_size(file)}-"}, stream=True, timeout=60
                    ) as answer,
                    file.open("ab") as begun,
                ):
                    assert answer.status_code == 206
                    begun.write(next(answer.iter_content(size // 11)))
                assert _size(file) < size, cut
            curl = ["curl", "--silent", "--show-error", "--fail", "--continue-at", "-", "--output", str(file), address]
            subprocess.run(curl, check=True, timeout=60)
            assert hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(whole.content).digest()
            unchanged = stack.call(
                "GET", address, headers={"If-None-Match": whole.headers["ETag"], "Accept-Encoding": ""}
            )
            assert (unchanged.status_code, unchanged.content) == (304, b"")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
