"""The encoding of a file: as declared, by its mark, or told from its bytes."""

import codecs
import re
from collections.abc import Sequence

from uploads.reading.errors import ReadingError

#: How much of the sample tells whether it is UTF-16, in bytes.
_LOOK_BYTES = 1_000
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTINUATION = bytes(range(0x80, 0xC0))
#: What beside letters is usual in Western texts that are not ASCII.
_USUAL_SIGNS = frozenset("‘’“”–—•…€£°©®™²³½¼¾§«»¡¿ºª´·×¬\N{NO-BREAK SPACE}")


def encoding_of(sample: bytes, further: Sequence[bytes], declared: str | None) -> str:
    """The encoding, as codecs call it. `further` are pieces from elsewhere in the file.

    Raises ReadingError when the declared one is not known, or none can be told.
    """
    mark = next((name for mark, name in _BYTE_ORDER_MARKS if sample.startswith(mark)), None)
    if declared:
        try:
            name = codecs.lookup(declared).name
        except LookupError:
            raise ReadingError(f"The encoding {declared!r} is not known.") from None
        # A mark that is declared without its name would become a part of the first header; one that is declared and
        # not there would be written into the result.
        if name in ("utf-8", "utf-8-sig"):
            return "utf-8-sig" if mark == "utf-8-sig" else "utf-8"
        if name in ("utf-16", "utf-16-le", "utf-16-be"):
            return mark if mark == "utf-16" else _byte_order(sample) if name == "utf-16" else name
        return name
    if mark:
        return mark
    even, odd = sample[:_LOOK_BYTES:2].count(0), sample[1:_LOOK_BYTES:2].count(0)
    if max(even, odd) > 0.25 * len(sample[:_LOOK_BYTES]) and min(even, odd) < 0.1 * max(even, odd):
        return _byte_order(sample)
    return _utf8_or_cp1252(sample, further)


def _utf8_or_cp1252(sample: bytes, further: Sequence[bytes]) -> str:
    """UTF-8 if nearly all that is not ASCII is; Windows-1252 if it reads like that, as what old programs write does."""
    foreign = [character for piece in (sample, *map(_from_a_character, further)) for character in _foreign(piece)]
    wrong = sum("\udc80" <= character <= "\udcff" for character in foreign)
    if wrong <= 0.1 * len(foreign):
        return "utf-8"
    text = b" ".join((sample, *further)).decode("cp1252", errors="replace")
    # A quotation mark inside a word is a letter of another code page.
    strange = re.sub(r"(?<=[^\W\d_])[“”„](?=[^\W\d_])", "\N{REPLACEMENT CHARACTER}", text)
    beyond = re.findall(r"[^\x00-\x7f]", strange)
    usual = sum(character.isalpha() or character in _USUAL_SIGNS for character in beyond)
    if usual >= 0.9 * len(beyond):
        return "cp1252"
    raise ReadingError(
        "The file is text neither in UTF-8 nor, as far as can be told, in Windows-1252. Say its encoding, such as"
        " encoding=cp850, or save it as UTF-8."
    )


def _from_a_character(piece: bytes) -> bytes:
    """Without the rest of a UTF-8 character that begins before the piece."""
    rest = len(piece) - len(piece.lstrip(_CONTINUATION))
    return piece[rest:] if rest < 4 else piece


def _foreign(piece: bytes) -> list[str]:
    """The characters beyond ASCII, read as UTF-8; bytes that are none as surrogates, one that is cut off left out."""
    text = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape").decode(piece)
    return re.findall(r"[^\x00-\x7f]", text)


def _byte_order(sample: bytes) -> str:
    """The kind of UTF-16 of a file without a mark: in Western text, every other byte is 0."""
    return "utf-16-le" if sample[1:_LOOK_BYTES:2].count(0) >= sample[:_LOOK_BYTES:2].count(0) else "utf-16-be"
