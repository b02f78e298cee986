"""Degrees, strictly: what `float()` takes but no person means is rejected with a reason."""

import re
from collections.abc import Callable
from typing import NamedTuple

from uploads.reading.notations.located import Located, RefusedError, checked
from uploads.reading.notations.texts import MAX_CHARS, MISSING, NUMBER, bare

#: The words and letters for a side, without case. O may be Ost, which is east, or Ouest and Oeste, which are west.
_SIDES = {"": "", "o": "O", "n": "N", "north": "N", "nord": "N", "norte": "N", "s": "S", "south": "S", "sud": "S",
          "süd": "S", "sur": "S", "e": "E", "east": "E", "ost": "E", "est": "E", "este": "E", "w": "W", "west": "W",
          "ouest": "W", "oeste": "W"}  # fmt: skip
SIDE = "|".join(sorted(filter(None, _SIDES), key=len, reverse=True))
#: 51°30'3.6"N, 51 30.06 N, W0.1416, 51:30:03.6, 51-30-03.6N: parts with marks or spaces, with a letter or a sign.
_ANGLE = re.compile(
    rf"""
    (?P<before>{SIDE})? \s* (?P<sign>[+-])? \s* (?P<degrees>\d{{1,3}}(?:\.\d*)?)
    (?:
        (?: \s* (?P<mark>°|:|-|degrees?|deg|d) \s* | \s+ ) (?P<minutes>\d{{1,2}}(?:\.\d*)?)
        (?: (?: \s* (?P<mark2>'|:|-|minutes?|min|m) \s* | \s+ ) (?P<seconds>\d{{1,2}}(?:\.\d*)?)
            \s* (?P<mark3>"|seconds?|secs?|s)?
            | \s* (?:'|minutes?|min|m)
        )?
        |
        \s* (?P<only>°|degrees?|deg|d)
    )?
    \s* (?P<after>{SIDE})?
    """,
    re.ASCII | re.VERBOSE | re.IGNORECASE,
)
#: East, or what is left of 1e5.
_EXPONENT = re.compile(r"e[+-]?[\d.]+|[+-]?[\d.]+e")
#: Longer than any angle: for a cell of nothing but spaces, the pattern takes quadratic time.
_ANGLE_CHARS = 60
#: What people and programs write for the signs that are read.
_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{NON-BREAKING HYPHEN}": "-", "\N{FULLWIDTH HYPHEN-MINUS}": "-",
                        "\N{DOUBLE ACUTE ACCENT}": '"', "\N{EN DASH}": "-", "\N{MASCULINE ORDINAL INDICATOR}": "°",
                        "\N{RING ABOVE}": "°", "\N{PRIME}": "'", "\N{RIGHT SINGLE QUOTATION MARK}": "'",
                        "\N{ACUTE ACCENT}": "'", "\N{DOUBLE PRIME}": '"', "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
                        "\N{LEFT DOUBLE QUOTATION MARK}": '"'})  # fmt: skip


def as_number(text: str) -> float | None:
    """The number in a cell, with a point or a decimal comma, or the degrees of an angle, if it is one."""
    try:
        return _degrees(bare(text).replace(",", "."), "NSEW")
    except RefusedError:
        return None


def read_coordinates(latitude: str, longitude: str) -> Located:
    """The two numbers in degrees, or the code of the reason why not."""
    latitude, longitude = bare(latitude), bare(longitude)
    if len(latitude) + len(longitude) <= MAX_CHARS and NUMBER.fullmatch(latitude) and NUMBER.fullmatch(longitude):
        return checked(float(latitude), float(longitude))  # most rows are this
    if latitude.lower() in MISSING or longitude.lower() in MISSING:
        return "coordinates_missing"
    try:
        north, east = _degrees(latitude, "NS"), _degrees(longitude, "EW")
    except RefusedError as refused:
        return refused.reason
    if east > 0 and has_letter(latitude) and not has_letter(longitude):
        return "side_unclear"
    return checked(north, east)


def read_dms(latitude: str, longitude: str) -> Located:
    """Degrees, minutes and seconds with nothing but spaces or dashes between them: 51 30 3.6."""
    return read_two(latitude, longitude, lambda text, sides: _degrees(text, sides, need_marks=False))


def read_two(latitude: str, longitude: str, read: Callable[[str, str], float]) -> Located:
    """Two cells, each read by a function of its text and of the letters for its sides, which may refuse it."""
    latitude, longitude = bare(latitude), bare(longitude)
    if latitude.lower() in MISSING or longitude.lower() in MISSING:
        return "coordinates_missing"
    try:
        return checked(read(latitude, "NS"), read(longitude, "EW"))
    except RefusedError as refused:
        return refused.reason


def has_letter(text: str) -> bool:
    """Whether a coordinate begins or ends with the letter, or the word, of its side."""
    text = text.strip()
    if not (text[:1].isalpha() or text[-1:].isalpha()):
        return False
    try:
        return bool(_angle(with_plain_signs(text)).side)
    except RefusedError:
        return False


def with_plain_signs(text: str) -> str:
    """The text with the minus and the marks of a keyboard."""
    if not text.isascii():
        text = text.translate(_SIGNS)
    return text.replace("''", '"')


def _degrees(text: str, sides: str, *, need_marks: bool = True) -> float:
    """A number, or an angle in degrees, minutes and seconds; of the letters for a side only these are taken.

    Parts with nothing but spaces or dashes between them may as well be several numbers: they are an angle only with a
    letter, or if it was said that they have no marks.
    """
    if len(text) > MAX_CHARS:
        raise RefusedError("not_a_number")
    if NUMBER.fullmatch(text):
        return float(text)
    plain = with_plain_signs(text)
    if plain[:1] in ("+", "-"):
        plain = plain[0] + plain[1:].lstrip()
    if plain != text and NUMBER.fullmatch(plain):
        return float(plain)
    text = plain
    if text.endswith("-") and text[0].isdigit() and NUMBER.fullmatch(text[:-1]):  # as mainframes write it
        return -float(text[:-1])
    if text.startswith("(") and text.endswith(")") and NUMBER.fullmatch(text[1:-1]):
        raise RefusedError("sign_unclear")
    angle = _angle(text)
    if angle.side and angle.side not in sides:
        raise RefusedError("letter_of_other_axis")
    if need_marks and not angle.side and not angle.has_marks:
        raise RefusedError("not_a_number")
    return angle.degrees


class _Angle(NamedTuple):
    degrees: float
    side: str
    has_marks: bool


def _angle(text: str) -> _Angle:
    if len(text) > _ANGLE_CHARS or (found := _ANGLE.fullmatch(text)) is None:
        raise RefusedError("not_a_number")
    before, sign, degrees, mark, minutes, mark2, seconds, mark3, only, after = found.groups()  # one by one takes longer
    if minutes is None and _EXPONENT.fullmatch(text):
        raise RefusedError("letter_unclear")
    if not after and mark3 in ("s", "S") and not (mark2 or "").isalpha():
        after = "s"  # of 51 30 36 S it is south, of 51d30m36s seconds
    side = side_of(before, after, sign)
    if (minutes and "." in degrees) or (seconds and "." in minutes):
        raise RefusedError("not_a_number")
    parts = map(float, filter(None, (degrees, minutes, seconds)))
    has_marks = bool(only) or mark not in (None, "-")
    return _Angle(sum_of(*parts, is_negative=sign == "-" or side in ("S", "W")), side, has_marks)


def side_of(before: str | None, after: str | None, sign: str | None) -> str:
    """N, S, E or W as one of the two says, empty if none does."""
    if before and after:
        raise RefusedError("not_a_number")
    side = _SIDES[(before or after or "").lower()]
    if side == "O":
        raise RefusedError("letter_unclear")
    if side and sign:
        raise RefusedError("sign_and_letter")
    return side


def sum_of(degrees: float, minutes: float = 0.0, seconds: float = 0.0, *, is_negative: bool) -> float:
    """Degrees, minutes and seconds as degrees."""
    if minutes >= 60 or seconds >= 60:
        raise RefusedError("minutes_out_of_range")
    size = degrees + minutes / 60 + seconds / 3_600
    return -size if is_negative else size
