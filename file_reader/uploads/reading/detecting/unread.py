"""Ways to write coordinates that are not read, known by how cells look: the answer names them, and the way out."""

import re
from collections.abc import Sequence

from uploads.reading.detecting.sample import Table, mostly

#: By name: what a whole cell looks like, and what to do.
UNREAD: dict[str, tuple[re.Pattern[str], str]] = {
    name: (re.compile(pattern, re.ASCII | re.IGNORECASE), sentence)
    for name, pattern, sentence in (
        (
            "grid_reference",
            r"[HNOST][A-HJ-Z] ?\d{1,5} ?\d{1,5}",
            "grid references, which are not read. Send eastings and northings in metres.",
        ),
        (
            "irish_grid_reference",
            r"[A-HJ-Z] ?\d{2,5} ?\d{2,5}",
            "references of the Irish Grid, which are not read. Send degrees.",
        ),
        (
            "scaled",
            r"-?(?:49|5\d|60)\d{5,7}",
            "whole numbers, such as degrees × 10,000,000, which are not read. Send degrees with decimals.",
        ),
        (
            "metres_in_cell",
            r"(?:SRID=\d+;)?POINT ?[ZM]* ?\( ?-?\d{4,}.{0,60}\)",
            "points in metres, which are not read. Send eastings and northings in two columns, or degrees.",
        ),
        (
            "shape",
            r"(?:SRID=\d+;)?(?:MULTI)?(?:LINESTRING|POLYGON|POINT|GEOMETRYCOLLECTION)\b.{0,9999}",
            "shapes, which are not read. Send one point a row: POINT (longitude latitude) in degrees.",
        ),
        (
            "wkb",
            r"0[01](?:[0-9A-F]{2}){10,9999}",
            "shapes in well-known binary, which are not read. Send them as text: POINT (longitude latitude).",
        ),
        (
            "object",
            r"\{.{0,999}\"?(?:lat|latitude|coordinates)\"? ?:.{0,999}\}",
            "JSON objects, which are not read. Send their latitude and longitude in two columns.",
        ),
        (
            "several_numbers",
            r"[(\[]?-?\d+\.\d+(?:[ ,;]+-?\d+(?:\.\d+)?){2,4}[)\]]?",
            "more than two numbers in a cell. Send latitude and longitude in two columns.",
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
            "UTM coordinates, which are not read. Send degrees.",
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
