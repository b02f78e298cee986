"""The postcodes a fake postcodes.io knows: read from a file, from its cache, or given by a test.

A postcode file is a CSV (plain or gzip, one record a line, no quotes) with the columns of `FILE_COLUMNS`; it may have
others.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

COUNTRIES = {
    "E92000001": "England",
    "N92000002": "Northern Ireland",
    "S92000003": "Scotland",
    "W92000004": "Wales",
}
FILE_COLUMNS = (
    "postcode",
    "latitude",
    "longitude",
    "eastings",
    "northings",
    "positional_quality",
    "country_code",
    "admin_county_code",
    "admin_district_code",
    "admin_ward_code",
)
UNKNOWN = -1  # stands for a missing easting, northing
_BLOCK_BYTES = 16 * 1024 * 1024
_CODE_WIDTH = 9
_FIELD_WIDTH = 12
_COMMA, _NEWLINE = ord(","), ord("\n")

Array = NDArray[Any]


@dataclass(frozen=True)
class Postcode:
    """One postcode as a test writes it. Degrees are WGS84, eastings and northings metres of the British grid.

    `names` adds fields that a code alone cannot give: `{"admin_district": "Westminster", "region": "London"}`.
    """

    postcode: str
    latitude: float
    longitude: float
    eastings: int | None = None
    northings: int | None = None
    quality: int = 1
    country_code: str = "E92000001"
    admin_county_code: str | None = None
    admin_district_code: str | None = None
    admin_ward_code: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PostcodeTable:
    """Columns of equal length, ordered by latitude, longitude, postcode.

    That order puts the postcodes of one place side by side, the alphabetically first one in front.
    """

    postcode: Array
    latitude: Array
    longitude: Array
    eastings: Array
    northings: Array
    quality: Array
    country: Array
    county: Array
    district: Array
    ward: Array
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.postcode)


_COLUMNS = tuple(column.name for column in fields(PostcodeTable) if column.name != "names")


def table_of(postcodes: Iterable[Postcode]) -> PostcodeTable:
    """The table of a few postcodes that a test wrote."""
    given = list(postcodes)

    def code_column(values: Iterable[str | None]) -> Array:
        return np.array([(value or "").encode() for value in values], dtype=f"S{_CODE_WIDTH}")

    columns: dict[str, Array] = {
        "postcode": np.array([p.postcode.encode() for p in given], dtype="S8"),
        "latitude": np.array([p.latitude for p in given], dtype=np.float64),
        "longitude": np.array([p.longitude for p in given], dtype=np.float64),
        "eastings": np.array([UNKNOWN if p.eastings is None else p.eastings for p in given], dtype=np.int32),
        "northings": np.array([UNKNOWN if p.northings is None else p.northings for p in given], dtype=np.int32),
        "quality": np.array([p.quality for p in given], dtype=np.int8),
        "country": code_column(p.country_code for p in given),
        "county": code_column(p.admin_county_code for p in given),
        "district": code_column(p.admin_district_code for p in given),
        "ward": code_column(p.admin_ward_code for p in given),
    }
    return _ordered(columns, names={p.postcode: p.names for p in given if p.names})


def load_table(path: Path, *, cache: Path | None = None) -> PostcodeTable:
    """The table of a postcode file; with `cache`, from there if it was written for this very file, else written there.

    Postcodes without coordinates are left out: postcodes.io can never find them by location.
    Raises ValueError when the file is not such a CSV, OSError when it cannot be read.
    """
    status = path.stat()
    source = f"{path.name} {status.st_size} {status.st_mtime_ns}"
    if cache is not None and cache.exists():
        with np.load(cache) as stored:
            if str(stored["source"]) == source:
                return PostcodeTable(**{name: stored[name] for name in _COLUMNS})
    with path.open("rb") as file:
        table = _read(cast("BinaryIO", gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file)
    if cache is not None:
        partial = cache.with_name(cache.name + ".partial.npz")
        np.savez(partial, source=np.array(source), **{name: getattr(table, name) for name in _COLUMNS})
        partial.replace(cache)
    return table


def _read(file: BinaryIO) -> PostcodeTable:
    header = file.readline().decode("ascii").rstrip("\r\n").split(",")
    missing = [name for name in FILE_COLUMNS if name not in header]
    if missing:
        raise ValueError(f"the postcode file lacks the columns {missing}; it has {header}")
    blocks = [_parse(block, header) for block in _whole_lines(file)]
    if not blocks:
        raise ValueError("the postcode file holds no postcodes")
    return _ordered({name: np.concatenate([block[name] for block in blocks]) for name in _COLUMNS})


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """The rest of the file in blocks that end with a line's end: a reader line by line needs 10 s for 1.7 million."""
    rest = b""
    while block := file.read(_BLOCK_BYTES):
        lines, newline, rest = (rest + block.replace(b"\r", b"")).rpartition(b"\n")
        if newline:
            yield lines + newline
    if rest:
        yield rest + b"\n"


def _parse(block: bytes, header: list[str]) -> dict[str, Array]:
    if b'"' in block:
        raise ValueError("the postcode file holds quoted fields")
    text = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero((text == _COMMA) | (text == _NEWLINE))
    if len(ends) % len(header) or block.count(b"\n") * len(header) != len(ends):
        raise ValueError(f"a line of the postcode file has not {len(header)} fields")
    padded = np.append(text, np.zeros(_FIELD_WIDTH, dtype=np.uint8))
    starts: Array = np.concatenate(([0], ends[:-1] + 1)).astype(np.int32).reshape(-1, len(header))
    stops: Array = ends.astype(np.int32).reshape(-1, len(header))
    located = stops[:, header.index("latitude")] > starts[:, header.index("latitude")]
    starts, stops = starts[located], stops[located]

    def column(name: str, width: int = _FIELD_WIDTH) -> Array:
        position = header.index(name)
        offsets = starts[:, position, None] + np.arange(width, dtype=np.int32)
        letters: Array = padded[offsets]
        letters[offsets >= stops[:, position, None]] = 0
        return letters.view(f"S{width}")[:, 0]

    def numbers(name: str) -> Array:
        values = column(name)
        return np.where(values == b"", str(UNKNOWN).encode(), values).astype(np.int32)

    return {
        "postcode": column("postcode", 8),
        "latitude": column("latitude").astype(np.float64),
        "longitude": column("longitude").astype(np.float64),
        "eastings": numbers("eastings"),
        "northings": numbers("northings"),
        # Code-Point Open counts the quality in tens, postcodes.io in ones
        "quality": (numbers("positional_quality") // 10).astype(np.int8),
        "country": column("country_code", _CODE_WIDTH),
        "county": column("admin_county_code", _CODE_WIDTH),
        "district": column("admin_district_code", _CODE_WIDTH),
        "ward": column("admin_ward_code", _CODE_WIDTH),
    }


def _ordered(columns: dict[str, Array], names: Mapping[str, Mapping[str, str]] | None = None) -> PostcodeTable:
    order = np.lexsort((columns["postcode"], columns["longitude"], columns["latitude"]))
    return PostcodeTable(**{name: values[order] for name, values in columns.items()}, names=names or {})
