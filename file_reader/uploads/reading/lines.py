"""Bytes to lines: decoded piece by piece, split at LF, CRLF and, if it is said, at a lone CR, in bounded memory."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from uploads.reading.errors import UnreadableError

BLOCK_BYTES = 1 << 15
#: The longest line, and the longest record over several lines, in characters.
MAX_RECORD_CHARS = 1 << 20
_LONE_CR = re.compile(r"\r(?!\n)")


def line_blocks(stream: BinaryIO, encoding: str, *, cr_ends: bool = True) -> Iterator[list[str]]:
    """Yields the lines of a stream with their line ends, as they stand in the file, some thousands at a time.

    A byte order mark is dropped. With `cr_ends`, a CR without an LF ends a line, too.

    Raises UnreadableError for bytes that are not of the encoding and for a line over MAX_RECORD_CHARS, with its line.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    carry = ""
    line = 1
    while True:
        block = stream.read(BLOCK_BYTES)
        fault = False
        try:
            text = carry + decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            fault = True
            text = carry + _before(error, decoder)
        lines = split_lines(text, cr_ends=cr_ends)
        carry = ""
        # A CR at the end of a block may be the first half of a CRLF.
        if lines and (block or fault) and not lines[-1].endswith(("\r", "\n") if fault else "\n"):
            carry = lines.pop()
        # Only the first line began in another block, and can be longer than one.
        if lines and len(lines[0]) > MAX_RECORD_CHARS:
            raise _too_long(line)
        yield lines
        line += len(lines)
        if len(carry) > MAX_RECORD_CHARS:
            raise _too_long(line)
        if fault:
            raise undecodable(line, encoding)
        if not block:
            return


def _before(error: UnicodeDecodeError, decoder: codecs.IncrementalDecoder) -> str:
    """The text before the bytes that cannot be decoded; the decoder's state knows the byte order."""
    decoder.setstate((b"", decoder.getstate()[1]))
    return decoder.decode(error.object[: error.start])


def _too_long(line: int) -> UnreadableError:
    return UnreadableError(f"Line {line} is longer than {MAX_RECORD_CHARS:,} characters.", line=line)


def undecodable(line: int, encoding: str) -> UnreadableError:
    return UnreadableError(
        f"Line {line} has bytes that are not {encoding}. Declare the file's encoding, or save it as UTF-8.", line=line
    )


def split_lines(text: str, *, cr_ends: bool = True) -> list[str]:
    """The lines of a text, with their line ends."""
    # Not str.splitlines(): that also splits at form feeds and U+2028, which are parts of cells.
    return io.StringIO(text, newline="" if cr_ends else "\n").readlines()


def has_lone_cr(text: str) -> bool:
    """Whether a CR stands in it without an LF behind it."""
    return text.count("\r") != text.count("\r\n")


def without_lone_cr(lines: list[str]) -> list[str]:
    """The same lines with a space for every CR without an LF: csv's reader takes it for the end of a record."""
    return [_LONE_CR.sub(" ", line) for line in lines]
