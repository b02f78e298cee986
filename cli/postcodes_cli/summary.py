"""What is said at the end of `geocode`."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from postcodes_cli import failures
from postcodes_cli.answers import Upload
from postcodes_cli.errors import UploadEndedError
from postcodes_cli.geocoding import Job
from postcodes_cli.progress import clock

_COUNTS = (("matched", "match"), ("no_match", "no match"), ("failed", "failed"), ("rejected", "rejected"))


def lines_of(job: Job) -> Iterator[str]:
    """One file: what became of its rows, where they are, and what could be done next."""
    name = job.source.name
    if job.error is not None or job.upload is None:
        for number, line in enumerate(failures.said_of(job.error or Exception("not sent"))):
            yield line if number else f"{name}: {line}"
        if isinstance(job.error, UploadEndedError):
            yield "  The same line with --again sends it anew."
        return
    upload = job.upload
    yield f"{name}: {upload['rows']['read']:,} rows in {_took(upload)}{', found where it was' if job.found else ''}"
    yield from _counts(upload)
    for warning in upload["warnings"]:
        yield f"  Note: {warning['detail']}"
        yield from (f"    {line}" for line in failures.options_of(warning))
    if job.target is not None:
        there = " (it was there already)" if job.was_written else ""
        yield f"  Written to {_short(job.target)}{there}"
    if upload["rows"]["failed"]:
        yield f"  Failed rows can be tried again: postcodes uploads retry {upload['id']}, then the same line again"
    elif upload["rows"]["rejected"]:
        yield f"  See rejected rows: postcodes rows --upload {upload['id']} --status rejected"


def _counts(upload: Upload) -> Iterator[str]:
    reasons = upload["reasons"] or {}
    width = max(len(f"{upload['rows'][member]:,}") for member, _ in _COUNTS)  # type: ignore[literal-required]
    for member, word in _COUNTS:
        count = upload["rows"][member]  # type: ignore[literal-required]
        why = reasons.get(word.replace(" ", "_"), {})
        told = ", ".join(f"{rows:,} {reason.replace('_', ' ')}" for reason, rows in why.items())
        if count or member == "matched":
            yield f"  {count:>{width},} {word}{'  (' if told else ''}{told}{')' if told else ''}"


def _took(upload: Upload) -> str:
    try:
        begin, end = (datetime.fromisoformat(str(upload[name])) for name in ("created_at", "finished_at"))
    except ValueError:
        return "?"
    seconds = (end - begin).total_seconds()
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)


def _short(path: Path) -> str:
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return str(path)
    return str(path) if relative.startswith("..") else relative


def document_of(job: Job) -> dict[str, Any]:
    """One file for --json."""
    error: dict[str, Any] | None = None
    if job.error is not None:
        error = getattr(job.error, "members", None) or {"detail": str(job.error)}
    return {
        "file": str(job.source.path) if job.source.path else "-",
        "result": str(job.target) if job.target and job.ended and job.error is None else None,
        "exit_code": job.code,
        "error": error,
        "upload": job.upload,
    }
