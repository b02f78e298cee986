"""The open data that people can download → records of live postcodes.

- ONS Postcode Directory (ONSPD) and National Statistics Postcode Lookup (NSPL): a CSV with a header, or the zip of it
  with the names of its codes. Editions differ in the names of the columns: `oslaua`, `laua`, `lad25cd`.
- OS Code-Point Open: a zip of CSVs without a header, one for each postcode area; eastings and northings.
- Any other CSV with a header that has postcode, latitude and longitude; all of them also packed by gzip.
"""

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, cast

from lookups.index.names import CodeNames, names_beside, names_in_codelist, names_in_zip

ACCEPTED = (
    "Accepted: the ONS Postcode Directory or the National Statistics Postcode Lookup (their CSV, or the whole zip), OS "
    "Code-Point Open (the zip of its CSV edition), or a CSV with the columns postcode, latitude and longitude; a CSV "
    "may be packed by gzip."
)

TERMINATED = "terminated"
WITHOUT_POSITION = "without a position"
UNREADABLE = "unreadable"

_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2}")
#: How ONS begins the latitude of a postcode whose position is not known.
_NO_LATITUDE = "99.9"
_CODE_POINT_COLUMNS = 10
#: Code-Point's positional quality of a postcode without coordinates.
_NO_POSITION_QUALITY = "90"
_HEADER_FIELDS_SHOWN = 12

#: Codes, or names, of country, region, district and ward, as they stand in a row.
AreaCells = tuple[str, str, str, str]


class SourceRefusedError(Exception):
    """The file is not one that an index can be built from. The message says why, and what is accepted."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why} {ACCEPTED}")


class Record(NamedTuple):
    """One live postcode with its position: degrees, or metres where the source is `on_grid`."""

    postcode: str
    #: Latitude or northing.
    y: float
    #: Longitude or easting.
    x: float
    area: AreaCells


@dataclass
class Source:
    """A file that is read once. `skipped` counts, by reason, as `records` is read."""

    records: Iterator[Record]
    names: CodeNames
    skipped: Counter[str]
    on_grid: bool = False


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The source in that file. Raises `SourceRefusedError`, also while the records are read."""
    try:
        with ExitStack() as stack:
            yield _source(path, stack)
    except FileNotFoundError:
        raise SourceRefusedError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise SourceRefusedError(f"{path} is a folder, not a file.") from None
    except NotImplementedError:
        raise SourceRefusedError(f"{path} is packed by a method that is not read here: unpack it first.") from None
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise SourceRefusedError(f"{path} is damaged, or was not downloaded completely: {error}.") from None
    except csv.Error as error:
        raise SourceRefusedError(f"{path} is not a CSV that can be read: {error}.") from None


def _source(path: Path, stack: ExitStack) -> Source:
    file = stack.enter_context(path.open("rb"))
    beginning = file.read(4)
    file.seek(0)
    if beginning.startswith(b"PK"):
        return _from_zip(stack.enter_context(zipfile.ZipFile(file)), path, stack)
    if beginning.startswith(b"\x1f\x8b"):
        return _table(cast(IO[bytes], stack.enter_context(gzip.open(file))), str(path), {})
    return _table(file, str(path), names_beside(path))


def _from_zip(archive: zipfile.ZipFile, path: Path, stack: ExitStack) -> Source:
    if any(entry.flag_bits & 1 for entry in archive.infolist()):
        raise SourceRefusedError(f"{path} is locked with a password: unpack it first.")
    code_point = [entry for entry in archive.infolist() if re.search(r"(?i)data/csv/[a-z]{1,2}\.csv$", entry.filename)]
    if code_point:
        return _code_point(archive, code_point)
    # ONSPD has the whole table, and beside it one for each postcode area: the whole one is the largest.
    tables = [entry for entry in archive.infolist() if re.search(r"(?i)(^|/)data/.*\.csv$", entry.filename)]
    if not tables:
        raise SourceRefusedError(f"{path} has no table of postcodes in a folder named Data.")
    largest = max(tables, key=lambda entry: entry.file_size)
    table = stack.enter_context(archive.open(largest))
    return _table(table, f"{largest.filename} in {path}", names_in_zip(archive))


# --- Tables with a header --------------------------------------------------------------------------------------------
class _Layout(NamedTuple):
    """Where things are in a row; -1 is the empty cell that is put behind each."""

    postcode: int
    latitude: int
    longitude: int
    terminated: int
    areas: tuple[int, int, int, int]


def _table(file: IO[bytes], name: str, names: CodeNames) -> Source:
    rows = _rows(file)
    header = [cell.strip().lower() for cell in next(rows, [])]
    skipped: Counter[str] = Counter()
    return Source(_table_records(rows, _layout(header, name), len(header), skipped), names, skipped)


def _layout(header: Sequence[str], name: str) -> _Layout:
    def column(*patterns: str) -> int:
        for pattern in patterns:
            for index, title in enumerate(header):
                if re.fullmatch(pattern, title):
                    return index
        return -1

    layout = _Layout(
        postcode=column("pcds", "postcode", "pcd", "pcd[78]"),
        latitude=column("lat", "latitude"),
        longitude=column("long", "longitude", "lon", "lng"),
        terminated=column("doterm"),
        areas=(
            column("country", "ctry", r"ctry\d\dcd", "country_code"),
            column("region", "rgn", r"rgn\d\dcd", "gor", "region_code"),
            column("admin_district", "oslaua", "laua", r"lad\d\dcd", "admin_district_code"),
            column("admin_ward", "osward", "ward", r"wd\d\dcd", "admin_ward_code"),
        ),
    )
    if min(layout[:3]) < 0:
        seen = ", ".join(header[:_HEADER_FIELDS_SHOWN]) or "nothing"
        raise SourceRefusedError(
            f"{name} has no columns for postcode, latitude and longitude. Its first line: {seen[:300]}."
        )
    return layout


def _table_records(rows: Iterator[list[str]], layout: _Layout, width: int, skipped: Counter[str]) -> Iterator[Record]:
    country, region, district, ward = layout.areas
    for row in rows:
        if len(row) != width:
            skipped[UNREADABLE] += bool(row)
            continue
        row.append("")
        if row[layout.terminated]:
            skipped[TERMINATED] += 1
            continue
        postcode, latitude, longitude = row[layout.postcode], row[layout.latitude], row[layout.longitude]
        if not latitude or not longitude or latitude.startswith(_NO_LATITUDE):
            skipped[WITHOUT_POSITION] += 1
            continue
        area = (row[country], row[region], row[district], row[ward])
        record = _record(postcode, latitude, longitude, area)
        if record is None or not (-90 <= record.y <= 90 and -180 <= record.x <= 180):
            skipped[UNREADABLE] += 1
            continue
        yield record


# --- Code-Point Open -------------------------------------------------------------------------------------------------
def _code_point(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo]) -> Source:
    skipped: Counter[str] = Counter()
    records = _code_point_records(archive, entries, skipped)
    return Source(records, names_in_codelist(archive), skipped, on_grid=True)


def _code_point_records(
    archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], skipped: Counter[str]
) -> Iterator[Record]:
    for entry in entries:
        with archive.open(entry) as file:
            for row in _rows(file):
                if len(row) != _CODE_POINT_COLUMNS:
                    skipped[UNREADABLE] += bool(row)
                    continue
                postcode, quality, easting, northing, country, _, _, _, district, ward = row
                if quality == _NO_POSITION_QUALITY or not easting or not northing:
                    skipped[WITHOUT_POSITION] += 1
                    continue
                record = _record(postcode, northing, easting, (country, "", district, ward))
                if record is None:
                    skipped[UNREADABLE] += 1
                    continue
                yield record


# --- Both ------------------------------------------------------------------------------------------------------------
def _rows(file: IO[bytes]) -> Iterator[list[str]]:
    """Postcodes, codes and numbers are ASCII: what else there is may be in any encoding."""
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="") as text:
        yield from csv.reader(text)


def _record(postcode: str, y: str, x: str, area: AreaCells) -> Record | None:
    """None when it cannot be read."""
    bare = postcode.replace(" ", "").upper()
    if not _POSTCODE.fullmatch(bare):
        return None
    try:
        return Record(f"{bare[:-3]} {bare[-3:]}", float(y), float(x), area)
    except ValueError:
        return None
