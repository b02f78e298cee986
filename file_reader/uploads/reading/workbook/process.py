"""A program that reads a workbook from its standard input, and writes a sheet of it as CSV.

What a workbook costs to read does not follow from its size: some kilobytes of zipped XML can stand for gigabytes. So a
process of its own reads it, with limits on its memory and on the CPU time between two pieces of output; `containers`
starts it. It writes UTF-8 to its standard output and, when it must give up, the row at fault and the reason to its
standard error. What is in this folder imports little, as it has to start quickly.
"""

import resource
import signal
import sys
import time
from contextlib import suppress

from uploads.reading.errors import ReadingError
from uploads.reading.workbook.csv_text import workbook_as_csv

#: The address space of the process. What it takes itself is a tenth of it; most is for the texts that cells share.
MAX_MEMORY = 144 << 20
#: CPU seconds until the first piece of output, and from one to the next.
MAX_CPU_SECONDS = 4


def main() -> int:
    """Writes the sheet, piece by piece. 1 when it cannot be read to its end."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # nobody reads any more
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError):  # macOS knows the limit, and does not take it
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    _allow_cpu_time()
    try:
        for piece in workbook_as_csv(sys.stdin.buffer, *sys.argv[1:]):
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            _allow_cpu_time()
    except ReadingError as error:
        sys.stderr.write(f"{error.extra.get('line', 0)} {error.detail}")
        return 1
    return 0


def _allow_cpu_time() -> None:
    """From now on. The kernel ends the process when it has used that up."""
    soft = int(time.process_time()) + MAX_CPU_SECONDS
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
