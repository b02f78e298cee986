"""Reads a file as the service does when it arrives, is shown and is loaded; says what that cost. A process of its own:

    python tests/measured_reading.py FILE

Writes JSON: `cpu` (seconds) and `peak` (bytes of memory) of the largest process, `error` (what ended the reading) and
`lines`. It imports little: a process that it starts counts as large as itself.
"""

import json
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from uploads.reading.containers import as_table, unwrapped
from uploads.reading.errors import ReadingError
from uploads.reading.formats.converting import converted, kind_of

MAX_BYTES = 1 << 30


def main() -> None:
    error = None
    lines = 0
    with Path(sys.argv[1]).open("rb") as file:
        try:
            assert unwrapped(file, [], max_bytes=MAX_BYTES) is None
            if (kind := kind_of(file)) is not None:
                lines = sum(piece.count(b"\n") for piece in converted(file, kind, [], max_bytes=MAX_BYTES))
            else:
                file.seek(0)
                with as_table(file) as table:
                    while piece := table.read(1 << 15):
                        lines += piece.count(b"\n")
        except ReadingError as caught:
            error = caught
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    own_peak = int(status["VmHWM"].split()[0])  # ru_maxrss would count what this process was started from
    json.dump(
        {
            "cpu": own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime,
            "peak": max(own_peak, others.ru_maxrss) * 1024,
            "error": error and error.slug,
            "detail": error and error.detail,
            "lines": lines,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
