"""Bytes to lines: decoded piece by piece, split at LF, CR and CRLF and nowhere else, in bounded memory."""

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

from uploads.reading.errors import UnreadableError

BLOCK_BYTES = 1 << 18
#: The longest line, and the longest record over several lines, in characters.
MAX_RECORD_CHARS = 1 << 20


def text_lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Yields the lines of a stream with their line ends, as they stand in the file; a byte order mark is dropped.

    Raises UnreadableError for bytes that are not of the encoding and for a line over MAX_RECORD_CHARS, with its line.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    carry = ""
    line = 1
    while True:
        block = stream.read(BLOCK_BYTES)
        try:
            text = carry + decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            readable = carry + error.object[: error.start].decode(encoding, errors="replace")
            line += len(_split(readable + "x")) - 1
            raise UnreadableError(
                f"Line {line} has bytes that are not {encoding}. Declare the file's encoding, or save it as UTF-8.",
                line=line,
            ) from None
        # A CR at the end of a block may be the first half of a CRLF.
        lines = _split(text)
        carry = lines.pop() if block and lines and not lines[-1].endswith("\n") else ""
        yield from lines
        line += len(lines)
        if len(carry) > MAX_RECORD_CHARS:
            raise UnreadableError(f"Line {line} is longer than {MAX_RECORD_CHARS:,} characters.", line=line)
        if not block:
            return


def _split(text: str) -> list[str]:
    # Not str.splitlines(): that also splits at form feeds and U+2028, which are parts of cells.
    return io.StringIO(text, newline="").readlines()
