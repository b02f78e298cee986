"""The text of a JSON file as a stream of values, in little memory.

The standard library's decoder reads one value at a time from a buffer. It is in C, gives numbers as they are written,
and shows names that are given twice.
"""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

from uploads.reading.formats.records import MAX_TEXT, Number

_PIECE_BYTES = 1 << 18
#: What may stand between two records; the last is that of GeoJSON text sequences (RFC 8142).
_BLANK = re.compile("[ \t\r\n\x1e]*")
#: Longer than any word or escape of JSON, in characters.
_LONGEST_WORD = 20


class NotJsonError(ValueError):
    """The message ends a sentence that begins with a record."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise given_twice(twice)
    return members


def given_twice(name: str) -> NotJsonError:
    """The error of an object that has a name twice. Most readers take the last value without a word."""
    return NotJsonError(f"the name {name[:100]!r} is given twice in one object, and which value is meant is not clear")


def _constant(name: str) -> Any:
    raise NotJsonError(f"{name} is no JSON; write null")


_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=_constant
).raw_decode


class JsonText:
    """The text of a file, value by value. What is read is dropped; a value may have MAX_TEXT characters."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._is_whole = False
        self._lines_before = 0

    @property
    def line(self) -> int:
        """Where it is."""
        return self._lines_before + self._text.count("\n", 0, self._at) + 1

    def _read_on(self) -> bool:
        """More text, twice as much of a value that is not whole yet; False at the end."""
        if self._is_whole:
            return False
        left = len(self._text) - self._at
        if left > MAX_TEXT:
            raise NotJsonError(f"it is longer than {MAX_TEXT:,} characters, or a quote is not closed")
        self._lines_before += self._text.count("\n", 0, self._at)
        piece = self._stream.read(max(_PIECE_BYTES, min(left, MAX_TEXT - left)))
        self._is_whole = not piece
        self._text = self._text[self._at :] + self._decoder.decode(piece, final=self._is_whole)
        self._at = 0
        return True

    def next_character(self) -> str:
        """What comes behind blanks; nothing at the end."""
        while True:
            self._at = _BLANK.match(self._text, self._at).end()  # type: ignore[union-attr] # it matches nothing, too
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_on():
                return ""

    def passes(self, wanted: str) -> bool:
        """Whether that character comes next; then it is behind it."""
        if self.next_character() != wanted:
            return False
        self._at += 1
        return True

    def take(self, wanted: str) -> None:
        """Goes behind that character, which has to come next."""
        if (found := self.next_character()) != wanted:
            raise NotJsonError(f"there should be {wanted!r}, and there is {repr(found) if found else 'nothing more'}")
        self._at += 1

    def end(self) -> None:
        """There is nothing more."""
        if self.next_character():
            raise NotJsonError("something stands behind the end of the JSON")

    def names(self) -> Iterator[str]:
        """The names of an object's members, each when its value comes next, up to the end of the object."""
        if self.next_character() != "}":
            while True:
                name = self.value()
                if not isinstance(name, str) or isinstance(name, Number):
                    raise NotJsonError("a member has no name")
                self.take(":")
                yield name
                if not self.passes(","):
                    break
        self.take("}")

    def value(self) -> Any:
        """The value that comes next."""
        self.next_character()
        while True:
            try:
                value, end = _decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._is_wrong(error) or not self._read_on():
                    raise NotJsonError(self._why(error)) from None
                continue
            if end < len(self._text) or not self._read_on():  # a number may go on
                self._at = end
                return value

    def _is_wrong(self, error: json.JSONDecodeError) -> bool:
        """Whether more text would change nothing."""
        return not error.msg.startswith("Unterminated string") and error.pos < len(self._text) - _LONGEST_WORD

    def _why(self, error: json.JSONDecodeError) -> str:
        if error.pos >= len(self._text) or error.msg.startswith("Unterminated string"):
            return "the JSON is cut short, or a quote is not closed"
        return f"this is not JSON: {self._text[error.pos : error.pos + _LONGEST_WORD]!r}"
