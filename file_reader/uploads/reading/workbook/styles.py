"""How the numbers of cells are shown: which of them are dates, durations, or have a letter behind them."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial

from uploads.reading.workbook.cells import date_text, duration_text, number_text
from uploads.reading.workbook.limits import MAX_FORMAT_CHARS, MAX_FORMATS, MAX_STYLES, RefusedError
from uploads.reading.workbook.part import Part

Format = Callable[[float], str]
#: Of the formats that every spreadsheet program has, those of dates and times (ECMA-376 part 1, 18.8.30).
_DATES = {*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)}
_DURATION = 46
_NO_LETTERS = re.compile(r'".*?"|\[(?!hh?\]|mm?\]|ss?\])[^\]]*\]')
_DATE_LETTERS = re.compile(r"(?<![_\\])[dmhysDMHYS]")
_ELAPSED = re.compile(r"\[hh?\]|\[mm?\]|\[ss?\]", re.IGNORECASE)
#: Text in quotes, one character behind a backslash, or that of a currency.
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]')
_SIDES = frozenset({"N", "E", "S", "W", "O", "NORTH", "EAST", "SOUTH", "WEST"})
_MINUS = frozenset({"-", "\N{MINUS SIGN}"})


def formats_of(part: Part, epoch: datetime) -> dict[str, Format]:
    """The functions that write the numbers of cells, by the number of their style; plain numbers are left out."""
    codes: dict[str, str] = {}
    styles: list[str] = []
    section = ""

    def element(depth: int, name: str, attributes: dict[str, str]) -> None:
        nonlocal section
        if depth == 2:
            section = name
        elif depth == 3 and section == "numFmts":
            codes[attributes["numFmtId"]] = attributes.get("formatCode", "")[:MAX_FORMAT_CHARS]
        elif depth == 3 and section == "cellXfs":
            styles.append(attributes.get("numFmtId", "0"))
        if len(codes) > MAX_FORMATS or len(styles) > MAX_STYLES:
            raise RefusedError(f"has more than {MAX_FORMATS:,} formats, or {MAX_STYLES:,} styles")

    part.elements(element)
    as_date = partial(date_text, epoch=epoch)
    formats: dict[str, Format | None] = {str(number): as_date for number in _DATES}
    formats[str(_DURATION)] = duration_text
    formats |= {key: _format(code, as_date) for key, code in codes.items()}
    return {str(number): write for number, key in enumerate(styles) if (write := formats.get(key))}


def _format(code: str, as_date: Format) -> Format | None:
    shown = code.split(";")[0]  # that of positive numbers
    if _DATE_LETTERS.search(_NO_LETTERS.sub("", shown)):
        return duration_text if _ELAPSED.search(shown) else as_date
    text = "".join(map("".join, _LITERAL.findall(shown))).strip(" °º")
    if text in _MINUS or (not text and re.match(r"(\[[^\]]*\])*-", shown)):
        return _with_minus
    return partial(_with_side, side=text) if text.upper() in _SIDES else None


def _with_minus(number: float) -> str:
    """0.14 in the format `"-"0.00` is shown as -0.14."""
    return ("-" if number > 0 else "") + number_text(number)


def _with_side(number: float, side: str) -> str:
    """0.14 in the format `0.00"°W"` is west, though it has no sign. Below 0, the sign has said it."""
    return number_text(number) + (side if number > 0 else "")
