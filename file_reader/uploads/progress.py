"""How far an upload is: its counts, its share of the work, its rate, and what it waits for."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from uploads.models import OPEN_STATES, Upload, UploadState


@dataclass(frozen=True)
class Counts:
    """The rows of an upload by outcome; `read` is the sum of the others."""

    read: int
    matched: int
    no_match: int
    failed: int
    rejected: int

    @property
    def pending(self) -> int:
        return self.read - self.answered

    @property
    def answered(self) -> int:
        return self.matched + self.no_match + self.failed + self.rejected

    def as_json(self) -> dict[str, int]:
        return {
            "read": self.read,
            "matched": self.matched,
            "no_match": self.no_match,
            "failed": self.failed,
            "rejected": self.rejected,
            "pending": self.pending,
        }


def waiting_of(upload: Upload) -> dict[str, Any] | None:
    """Since when, and why, nobody could answer for the upload, or is asked to; None while answers come, and when it has
    ended."""
    if upload.paused_at is not None:
        return {"since": upload.paused_at, "reason": "paused", "detail": "It is paused until somebody resumes it."}
    if upload.waiting_since is None or upload.state not in OPEN_STATES:
        return None
    return {"since": upload.waiting_since, "reason": upload.waiting_reason, "detail": upload.waiting_detail}


def progress_of(upload: Upload, counts: Counts) -> float:
    """The share of the work that is done, 0…1; while the file is loaded, its rows are told from its bytes."""
    if upload.state == UploadState.DONE:
        return 1.0
    if not counts.read:
        return 0.0
    loaded = 1.0
    if upload.state == UploadState.LOADING and (size := upload.table_size or upload.size):
        loaded = min(1.0, upload.bytes_loaded / size)
    # Never 1 before the end: what is waiting for its last commit is not done.
    return round(min(counts.answered / counts.read * loaded, 0.9999), 4)


def rows_per_second_of(upload: Upload, counts: Counts) -> float | None:
    """The rows with an answer a second since the work began; None before it."""
    if upload.started_at is None:
        return None
    seconds = ((upload.finished_at or datetime.now(UTC)) - upload.started_at).total_seconds()
    return round(counts.answered / seconds, 1) if seconds > 0 else None


def eta_of(upload: Upload, counts: Counts, progress: float, rate: float | None) -> float | None:
    """The seconds that the rest will take at that rate; None when it cannot be told, and at the end."""
    if upload.finished_at is not None or upload.paused_at is not None or not rate or not progress:
        return None
    return round(counts.answered * (1 / progress - 1) / rate, 1)
