"""Files of any size go through a command of one size."""

from random import randbytes

import psutil
import pytest
from conftest import Command
from scripted import Answer, Scripted, document
from stack import peak_bytes

MIB = 1 << 20
#: 64 bytes a line, of which gzip leaves some half.
BLOCK = "".join(f"{randbytes(31).hex()},\n" for _ in range(MIB // 64)).encode()


@pytest.mark.parametrize("options", [(), ("--compress",)])
def test_sending_and_taking_128_mib_needs_less_than_60_mb(command: Command, options: tuple[str, ...]) -> None:
    rows, content = 128 * MIB // 64, BLOCK * 128
    (command.folder / "points.csv").write_bytes(content)
    counts = {"read": rows, "matched": rows, "no_match": 0, "failed": 0, "rejected": 0, "pending": 0}
    upload: dict[str, object] = {
        "id": "1",
        "state": "done",
        "rows": counts,
        "created_at": "2026-01-01T00:00:00Z",
        "finished_at": "2026-01-01T00:00:01Z",
        "warnings": [],
        "reasons": {},
        "error": None,
    }
    # What it asks: whether the server is there, the upload, the result.
    answers = (document({}), document(upload), Answer(200, content, {"ETag": '"1"'}))
    with Scripted(*answers) as server:
        process = command.start("geocode", "points.csv", "--server", server.url, "-q", *options)
        peak = 0
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, peak_of(watched))
        assert process.stderr is not None
        with process.stderr as errors:
            assert (process.returncode, errors.read()) == (0, b"")
        sent = server.seen[1][3]
    assert (len(sent) < len(content) * 0.7) == bool(options)
    assert (command.folder / "points.postcodes.csv").stat().st_size == len(content)
    assert 10e6 < peak < 60e6


def peak_of(process: psutil.Process) -> int:
    """0 when it is just ending."""
    try:
        return peak_bytes(process)
    except (OSError, StopIteration):
        return 0
