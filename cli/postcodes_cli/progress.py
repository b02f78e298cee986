"""How far it is, for people: a bar in a terminal, otherwise a line for each 10 % and at least every 30 seconds."""

import os
import sys
import time
from collections import deque
from contextlib import AbstractContextManager
from typing import Self

from postcodes_cli.answers import ENDED, Upload
from postcodes_cli.app import TOLD_EVERY, App

#: From so many columns on, the bar does not fill the line.
_WIDE = 120
#: What stands beside the name of a file; a narrow terminal shows only the beginning of a long name.
_BESIDE_NAME, _SHORTEST_NAME = 68, 12
#: The rate is that of so many seconds; it is not told of less than the second number.
_PACE_SECONDS, _SHORTEST_SECONDS = 30.0, 1.0
#: While a file is read, how many rows it has is guessed from then on.
_GUESSED_FROM = 0.01


class Pace:
    """How many rows are answered in a second, of late. Time in which the server was away, or the upload waited, does
    not count."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque()
        self._outages = 0

    def look(self, upload: Upload, outages: int) -> float | None:
        """Takes a look, and gives the rate if it is known. `outages` is how often the server has been away so far."""
        now, answered = time.monotonic(), answered_of(upload)
        if upload["waiting"] or outages != self._outages or (self._looks and answered < self._looks[-1][1]):
            self._looks.clear()
            self._outages = outages
        self._looks.append((now, answered))
        while len(self._looks) > 2 and self._looks[1][0] < now - _PACE_SECONDS:
            self._looks.popleft()
        began, before = self._looks[0]
        return (answered - before) / (now - began) if now - began >= _SHORTEST_SECONDS else None


class Progress(AbstractContextManager["Progress"]):
    """What is told of; nothing of it is shown here (-q)."""

    #: How often an upload is looked at, in seconds; None for as often as the server says.
    interval: float | None = None

    def __init__(self, app: App) -> None:
        self._app = app
        self._pace = Pace()

    def begin(self, what: str) -> None:
        """Another file."""
        self._pace = Pace()

    def step(self, phase: str, share: float | None, detail: str) -> None:
        """So far; `share` is from 0 to 1, or None where nobody knows."""

    def sending(self, sent: int, size: int | None) -> None:
        self.step("Sending", sent / size if size else None, _size(sent, size))

    def receiving(self, taken: int, size: int | None) -> None:
        self.step("Downloading", taken / size if size else None, _size(taken, size))

    def geocoding(self, upload: Upload) -> None:
        rate = self._pace.look(upload, self._app.outages)
        self.step("Finding postcodes", upload["progress"], detail_of(upload, rate))

    def __exit__(self, *_: object) -> None:
        return None


class Lines(Progress):
    """For logs: a plain line now and then."""

    def __init__(self, app: App) -> None:
        super().__init__(app)
        self._what = ""
        self._last: tuple[str, int] = ("", -1)
        self._told = time.monotonic()

    def begin(self, what: str) -> None:
        super().begin(what)
        self._what = what
        self._last = ("", -1)

    def step(self, phase: str, share: float | None, detail: str) -> None:
        tenth = int((share or 0) * 10)
        now = time.monotonic()
        # Where nobody knows how much it is, silence alone is a reason to say something.
        is_new = share is not None and (phase, tenth) != self._last
        if not is_new and now - self._told < TOLD_EVERY:
            return
        self._last, self._told = (phase, tenth), now
        self._app.say(f"{self._what}: {phase}  {percent_of(share)}  {detail}".rstrip())


class Bar(Progress):
    """For terminals: one line that is drawn again."""

    interval = 0.5

    def __init__(self, app: App) -> None:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as RichProgress
        from rich.table import Column

        super().__init__(app)
        console = app.console(sys.stderr)
        percent = Column(no_wrap=True, min_width=5)  # whatever else has to give way
        self._name_width = max(_SHORTEST_NAME, console.width - _BESIDE_NAME)
        is_wide = console.width >= _WIDE
        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[percent]}", markup=False, style="progress.percentage", table_column=percent),
            BarColumn(bar_width=40 if is_wide else None),
            TextColumn("{task.fields[detail]}", markup=False),
            console=console,
            transient=True,
            expand=not is_wide,
        )
        self._task = self._bar.add_task("", total=1.0, percent="", detail="", visible=False)
        self._what = ""

    def __enter__(self) -> Self:
        self._bar.start()
        self._app.above = lambda line: self._bar.console.print(line, markup=False, soft_wrap=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._app.above = None
        self._bar.stop()

    def begin(self, what: str) -> None:
        super().begin(what)
        cut = what if len(what) <= self._name_width else f"{what[: self._name_width - 1]}…"
        self._what = f"{cut}: " if what else ""

    def step(self, phase: str, share: float | None, detail: str) -> None:
        self._bar.update(
            self._task,
            description=f"{self._what}{phase}",
            completed=share or 0,
            percent=percent_of(share),
            detail=detail,
            visible=True,
        )


def progress_of(app: App) -> Progress:
    if app.quiet:
        return Progress(app)
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return Bar(app)
    return Lines(app)


def answered_of(upload: Upload) -> int:
    return upload["rows"]["read"] - upload["rows"]["pending"]


def percent_of(share: float | None) -> str:
    """Rounded down: 100 % is said when it is done."""
    return "" if share is None else f"{int(share * 100):3} %"


def detail_of(upload: Upload, rate: float | None) -> str:
    """`1.6 M of 2.6 M rows  0:20 left  48 k rows/s  12 failed`, as far as it is known."""
    rows, progress = upload["rows"], upload["progress"]
    answered = answered_of(upload)
    if upload["state"] == "loading":
        # Those that were read so far are not all: how many there are is told from the share of the file.
        total = f" of about {short(answered / progress)}" if progress >= _GUESSED_FROM else ""
    else:
        total = f" of {short(rows['read'])}"
    parts = [f"{short(answered)}{total} rows"] if rows["read"] else []
    if waiting := upload["waiting"]:
        parts.append("paused" if waiting["reason"] == "paused" else f"waiting: {waiting['reason'].replace('_', ' ')}")
    elif rate:
        if progress and upload["state"] not in ENDED:
            parts.append(f"{clock(answered * (1 / progress - 1) / rate)} left")
        parts.append(f"{short(rate)} rows/s")
    if rows["failed"]:
        parts.append(f"{short(rows['failed'])} failed")
    return "  ".join(parts)


def short(number: float) -> str:
    """1234567 → 1.2 M."""
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= factor:
            unit = 1e3 if letter == "k" else factor
            return f"{number / unit:.1f} {letter}" if number < 10 * factor else f"{number / unit:.0f} {letter}"
    return f"{number:.0f}"


def clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size_text(size: float) -> str:
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} B"


def _size(so_far: int, size: int | None) -> str:
    return f"{size_text(so_far)} of {size_text(size)}" if size else size_text(so_far)
