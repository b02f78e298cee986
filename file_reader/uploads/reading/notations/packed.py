"""Degrees without their marks or their point. They look like other numbers, so that somebody has to say it."""

import re
from collections.abc import Callable, Sequence

from uploads.reading.notations.degrees import SIDE, read_two, side_of, sum_of, with_plain_signs
from uploads.reading.notations.located import Located, RefusedError

#: Longer than any.
_CHARS = 40
#: 513003.6N: a number of any length, with a letter or a sign.
_PACKED = re.compile(
    rf"(?P<before>{SIDE})?\s*(?P<sign>[+-])?\s*(?P<whole>\d{{1,7}})(?:\.(?P<fraction>\d*))?\s*(?P<after>{SIDE})?",
    re.ASCII | re.IGNORECASE,
)
#: A spreadsheet may have put .0 behind it.
_WHOLE = re.compile(r"([+-]?\d{1,10})(?:\.0*)?", re.ASCII)


def read_ddmmss(latitude: str, longitude: str) -> Located:
    """513003.6 and -829.7: degrees, minutes and seconds. Zeros in front may be lost."""

    def cut(whole: str, fraction: str) -> Sequence[str]:
        digits = whole.zfill(5)
        return digits[:-4], digits[-4:-2], f"{digits[-2:]}.{fraction}"

    return _read(latitude, longitude, cut)


def read_ddmm(latitude: str, longitude: str) -> Located:
    """5130.06 and -8.495, as GPS receivers have it (NMEA 0183): degrees and minutes. Zeros in front may be lost."""

    def cut(whole: str, fraction: str) -> Sequence[str]:
        digits = whole.zfill(3)
        return digits[:-2], f"{digits[-2:]}.{fraction}"

    return _read(latitude, longitude, cut)


def read_dd_mmss(latitude: str, longitude: str) -> Located:
    """51.300360 and -0.08297: degrees, and behind the point minutes and seconds. Zeros at the end may be lost."""

    def cut(whole: str, fraction: str) -> Sequence[str]:
        digits = fraction.ljust(4, "0")
        return whole, digits[:2], f"{digits[2:4]}.{digits[4:]}"

    return _read(latitude, longitude, cut)


def read_dd_mmmm(latitude: str, longitude: str) -> Located:
    """51.300600 and -0.08495: degrees, and behind the point minutes with their decimals, as NMEA divided by 100."""

    def cut(whole: str, fraction: str) -> Sequence[str]:
        digits = fraction.ljust(2, "0")
        return whole, f"{digits[:2]}.{digits[2:]}"

    return _read(latitude, longitude, cut)


def read_e5(latitude: str, longitude: str) -> Located:
    """5150101 and -14159: degrees × 10⁵."""
    return _read_whole(latitude, longitude, 10**5)


def read_e6(latitude: str, longitude: str) -> Located:
    """51501009 and -141588: degrees × 10⁶."""
    return _read_whole(latitude, longitude, 10**6)


def read_e7(latitude: str, longitude: str) -> Located:
    """515010090 and -1415880: degrees × 10⁷."""
    return _read_whole(latitude, longitude, 10**7)


def _read(latitude: str, longitude: str, cut: Callable[[str, str], Sequence[str]]) -> Located:
    def read(text: str, sides: str) -> float:
        if len(text) > _CHARS or (found := _PACKED.fullmatch(with_plain_signs(text))) is None:
            raise RefusedError("not_a_number")
        side = side_of(found["before"], found["after"], found["sign"])
        if side not in sides:
            raise RefusedError("letter_of_other_axis")
        parts = cut(found["whole"], found["fraction"] or "")
        return sum_of(*map(float, parts), is_negative=found["sign"] == "-" or side in ("S", "W"))

    return read_two(latitude, longitude, read)


def _read_whole(latitude: str, longitude: str, scale: int) -> Located:
    def read(text: str, _: str) -> float:
        if len(text) > _CHARS or (found := _WHOLE.fullmatch(text)) is None:
            raise RefusedError("not_a_number")
        return int(found[1]) / scale

    return read_two(latitude, longitude, read)
