"""Degrees, strictly: what `float()` takes but no person means is rejected with a reason."""

import re

from uploads.reading.notations.located import Located, checked
from uploads.reading.notations.texts import MAX_CHARS, MISSING, NUMBER, bare

#: 51°30'3.6"N, 51 30.06 N, W0.1416, 51:30:03.6: degrees, minutes and seconds as parts, with a letter or a sign.
_ANGLE = re.compile(
    r"""
    (?P<before>[NSEW])? \s* (?P<degrees>[+-]?\d{1,3}(?:\.\d*)?)
    (?:
        (?: \s* (?P<mark>°|:|deg|d) \s* | \s+ ) (?P<minutes>\d{1,2}(?:\.\d*)?)
        (?: (?: \s* (?:'|:|min|m) \s* | \s+ ) (?P<seconds>\d{1,2}(?:\.\d*)?) \s* (?:"|sec|s(?=\s*[NSEW]))?
            | \s* (?:'|min|m)
        )?
        |
        \s* (?P<only>°|degrees|deg|d)
    )?
    \s* (?P<after>[NSEW])?
    """,
    re.ASCII | re.VERBOSE,
)
_LETTERS = frozenset("NSEW")
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
    return _degrees(bare(text).replace(",", "."), "NSEW")


def read_coordinates(latitude: str, longitude: str) -> Located:
    """The two numbers in degrees, or the code of the reason why not."""
    latitude, longitude = bare(latitude), bare(longitude)
    if latitude.lower() in MISSING or longitude.lower() in MISSING:
        return "coordinates_missing"
    north, east = _degrees(latitude, "NS"), _degrees(longitude, "EW")
    if north is None or east is None:
        return "not_a_number"
    if east > 0 and has_letter(latitude) and not has_letter(longitude):
        return "side_unclear"
    return checked(north, east)


def has_letter(text: str) -> bool:
    """Whether a coordinate begins or ends with the letter of its side."""
    text = text.strip()
    return text[:1] in _LETTERS or text[-1:] in _LETTERS


def _degrees(text: str, letters: str) -> float | None:
    """A number, or an angle in degrees, minutes and seconds; of the letters for a side only these are taken.

    Parts with nothing but spaces between them may as well be two numbers: they are an angle only with a letter.
    """
    if len(text) > MAX_CHARS:
        return None
    if NUMBER.fullmatch(text):
        return float(text)
    text = text.translate(_SIGNS).replace("''", '"')
    if NUMBER.fullmatch(text):
        return float(text)
    if len(text) > _ANGLE_CHARS or (found := _ANGLE.fullmatch(text)) is None:
        return None
    letter = found["before"] or found["after"] or ""
    if (
        (found["before"] and found["after"])
        or not (letter or found["mark"] or found["only"])
        or (letter and letter not in letters)
    ):
        return None
    parts = [found["degrees"], found["minutes"], found["seconds"]]
    given = [part for part in parts if part is not None]
    if any("." in part for part in given[:-1]) or any(float(part) >= 60 for part in given[1:]):
        return None
    if found["degrees"][0] in "+-" and letter:
        return None
    size = sum(abs(float(part)) / unit for part, unit in zip(given, (1, 60, 3_600), strict=False))
    return -size if letter in ("S", "W") or found["degrees"][0] == "-" else size
