"""What can be wrong with a file as a whole. Single rows are rejected with a reason instead: see coordinates.

ReadingError
├── UnsupportedFileError     it is of a format that is not read
├── ContainerError           what it is packed in is damaged, or has not one table
├── InflatedError            what is packed in it is too large
├── EmptyFileError           there is nothing in it
├── ColumnsError             the coordinate columns cannot be told
├── UnreadableError          it cannot be read any further, from a line on
└── DoubtfulError            it can, but another reading fits better, from a line on
"""

from typing import Any


class ReadingError(Exception):
    """A file that cannot be read. `slug`, `title`, `extra` name it for programs; `detail` is for people."""

    slug = "unreadable-file"
    title = "The file cannot be read"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class UnsupportedFileError(ReadingError):
    """The file's first bytes are those of another format."""

    slug = "unsupported-file"
    title = "This kind of file is not read"


class ContainerError(ReadingError):
    """gzip data, a zip archive or a workbook that cannot be unpacked to one table."""

    slug = "unreadable-archive"
    title = "The file cannot be unpacked"


class InflatedError(ReadingError):
    """Unpacked, it would have more than `max_bytes`."""

    slug = "upload-too-large"
    title = "The file is too large"


class EmptyFileError(ReadingError):
    """No byte, or nothing but blank lines."""

    slug = "empty-file"
    title = "The file is empty"


class ColumnsError(ReadingError):
    """Latitude or longitude is missing or ambiguous; `columns_seen` and, if there are some, `candidates` tell."""

    slug = "columns-not-found"
    title = "The coordinate columns are not clear"


class UnreadableError(ReadingError):
    """From `line` (from 1) on, nothing can be told."""

    def __init__(self, detail: str, *, line: int) -> None:
        super().__init__(detail, line=line)
        self.line = line


class DoubtfulError(ReadingError):
    """From `line` (from 1) on, `doubt` names what may be meant instead; `fix` has the options that mend it, if any."""

    slug = "reading-doubtful"
    title = "The rows may be meant in another way"
