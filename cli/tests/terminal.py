"""A terminal for programs that look at what they are shown in."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from stack import wait_for

_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\^_=>])")


class Terminal:
    """Runs a program in a terminal of so many columns; what it shows comes in, as it comes."""

    def __init__(self, line: list[str], folder: Path, environment: Mapping[str, str], columns: int = 80) -> None:
        self._end, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            line,
            cwd=folder,
            env=environment,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # shells want it to be theirs
        )
        os.close(inner)
        self._came = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(10)
        os.close(self._end)

    @property
    def raw(self) -> str:
        return self._came.decode(errors="replace")

    @property
    def text(self) -> str:
        """What was shown, without the sequences that colour it or move the cursor."""
        return _SEQUENCES.sub("", self.raw)

    def type(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def wait_for(self, what: str) -> None:
        wait_for(lambda: what in self.text, f"{what!r} in {self.text!r}", seconds=30)

    def wait(self, seconds: float = 60) -> int:
        """The exit code, when all that was shown has come."""
        code = self.process.wait(seconds)
        self._reader.join(10)
        return code

    def _read(self) -> None:
        with suppress(OSError):  # the other end is closed when the program has ended
            while came := os.read(self._end, 1 << 16):
                self._came += came
