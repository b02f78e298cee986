"""What this machine remembers of a file that was sent: its upload, and the results that were written.

One small file for each file, options, server and user. It is a convenience: without it, the file is sent again, and the
server gives the upload that is there.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from postcodes_cli import settings
from postcodes_cli.answers import Upload

_KEPT_SECONDS = 90 * 24 * 3600


def idempotency_key(digest: bytes, options: Mapping[str, Any]) -> str:
    """The same for the same content and options, on every machine."""
    return hashlib.sha256(digest + json.dumps(options, sort_keys=True).encode()).hexdigest()


@dataclass
class Written:
    """A result as it was written: whether the file is still that, and of that end of the upload."""

    size: int
    mtime_ns: int
    finished_at: str | None
    format: str
    columns: str | None


@dataclass
class Known:
    """What is remembered of one file."""

    path: Path
    upload: str | None = None
    written: dict[str, Written] = field(default_factory=dict)

    @classmethod
    def of(cls, *, key: str, server: str, api_key: str | None) -> "Known":
        """Reads what is remembered under this Idempotency-Key, for this server and user."""
        name = hashlib.sha256("\n".join((key, server, api_key or "")).encode()).hexdigest()[:40]
        path = settings.folder() / "uploads" / f"{name}.json"
        try:
            said = json.loads(path.read_text())
            return cls(path, said["upload"], {out: Written(**written) for out, written in said["written"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(path)

    def keep(self) -> None:
        if not self.path.exists():
            self._forget_old()
        written = {out: asdict(one) for out, one in self.written.items()}
        settings.write_private(self.path, json.dumps({"upload": self.upload, "written": written}))

    def is_written(self, out: Path) -> bool:
        """Whether that file is a result that was written for this one, and has not been changed since."""
        one = self.written.get(str(out))
        return one is not None and _stands(out) == (one.size, one.mtime_ns)

    def is_done(self, out: Path, upload: Upload, form: str, columns: str | None) -> bool:
        """Whether that file is this very result, and need not be fetched."""
        one = self.written.get(str(out))
        asked = (upload["finished_at"], form, columns)
        return self.is_written(out) and one is not None and (one.finished_at, one.format, one.columns) == asked

    def will_be(self, out: Path, part: Path, upload: Upload, form: str, columns: str | None) -> None:
        """Remembers a whole part before it gets the name of the result."""
        size, mtime_ns = _stands(part) or (0, 0)
        self.written[str(out)] = Written(size, mtime_ns, upload["finished_at"], form, columns)
        self.keep()

    def _forget_old(self) -> None:
        for path in self.path.parent.glob("*.json"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < time.time() - _KEPT_SECONDS:
                    path.unlink()


def _stands(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
