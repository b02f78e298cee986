"""Ways to write coordinates that are not read, known by how cells look: the answer names them, and the way out."""

import re
from collections.abc import Sequence

from uploads.reading.detecting.sample import Table, mostly

#: By name: what a whole cell looks like, and what to do.
UNREAD: dict[str, tuple[re.Pattern[str], str]] = {
    name: (re.compile(pattern, re.ASCII | re.IGNORECASE), sentence)
    for name, pattern, sentence in (
        (
            "shape",
            r"(?:SRID=\d+;)?(?:MULTI)?(?:LINESTRING|POLYGON|POINT|GEOMETRYCOLLECTION)\b.{0,9999}"
            r"|\{.{0,9999}[\"']type[\"']\s*:\s*[\"'](?:(?:MULTI)?(?:LINESTRING|POLYGON)|GEOMETRYCOLLECTION)\b.{0,9999}",
            "shapes, which are not read. Send one point a row: POINT (longitude latitude) in degrees.",
        ),
        (
            "wkb",
            r"0[01](?:[0-9A-F]{2}){10,9999}",
            "shapes in well-known binary, which are not read. Send them as text: POINT (longitude latitude).",
        ),
        (
            "several_numbers",
            r"[(\[]?-?\d+\.\d+(?:[ ,;]+-?\d+(?:\.\d+)?){4,9}[)\]]?",
            "more than two numbers in a cell. Send latitude and longitude in two columns.",
        ),
        (
            "other_references",
            r"[A-HJ-Z]{2}[ ./-]?(?:\d{1,5}[./-]\d{1,5}|\d{1,5}, ?\d{1,5}|\d\d[A-Z]|\d\d(?:NE|NW|SE|SW))",
            "grid references in another way than is read. Write them as TQ 290 797.",
        ),
        (
            "odd_references",
            r"[A-HJ-Z]{2} ?(?:\d|\d{3}|\d{5}|\d{7}|\d{9})",
            "grid references with an odd number of figures. Half of them are the easting, half the northing: TQ 290"
            " 797.",
        ),
        (
            "mgrs",
            r"\d{1,2} ?[C-HJ-NP-X] ?[A-HJ-NP-Z]{2} ?\d{2,5} ?\d{2,5}",
            "references of the Military Grid (MGRS), which are not read. Send degrees.",
        ),
        (
            "maidenhead",
            r"[A-R]{2}\d\d[A-X]{2}(?:\d\d(?:[A-X]{2})?)?",
            "Maidenhead locators, which are not read. Send degrees.",
        ),
        (
            "addresses",
            r"(?:geo:|https?://)\S{1,2000}",
            "addresses of places on a map, which are not read. Send degrees.",
        ),
        (
            "iso_6709",
            r"[+-]\d{2,6}(?:\.\d+)?[+-]\d{3,7}(?:\.\d+)?\S{0,99}",
            "latitude and longitude without anything between. Send them in two columns.",
        ),
        (
            "metres",
            r"\d{5,7}(?:\.\d+)?[ ,;]+\d{5,7}(?:\.\d+)?",
            "eastings and northings in one cell, which are not read. Send them in two columns.",
        ),
        (
            "plus_code",
            r"[2-9CFGHJMPQRVWX]{4,8}\+[2-9CFGHJMPQRVWX]{2,3}.{0,99}",
            "plus codes, which are not read. Send degrees.",
        ),
        (
            "three_words",
            r"(?:///)?[^\W\d_]{2,20}\.[^\W\d_]{2,20}\.[^\W\d_]{2,20}",
            "addresses of three words, which are not read. Send degrees.",
        ),
        (
            "utm",
            r"\d{2} ?[C-HJ-NP-X][ ,]+\d{6}(?:\.\d+)?(?:m ?E)?[ ,]+\d{7}(?:\.\d+)?(?:m ?N)?",
            "UTM coordinates with their zone, which are not read in one cell. Send eastings and northings in two"
            " columns, with coordinates=utm30, or the zone that it is.",
        ),
    )
}


def seen(table: Table, columns: Sequence[int]) -> str:
    """A sentence about the first of these columns that is written in such a way; empty if none is."""
    for column in columns:
        cells = [value.strip() for value in table.values(column)]
        for pattern, sentence in UNREAD.values():
            if mostly([bool(pattern.fullmatch(cell)) for cell in cells]):
                return f" It seems that {table.called(column)} holds {sentence}"
    return ""
