"""What the codes of countries, regions, districts and wards stand for, from the files that come with the data."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from openpyxl import load_workbook

CodeNames = dict[str, str]

#: The few that never change. Only England has regions.
COUNTRIES_AND_REGIONS: CodeNames = {
    "E92000001": "England",
    "W92000004": "Wales",
    "S92000003": "Scotland",
    "N92000002": "Northern Ireland",
    "L93000001": "Channel Islands",
    "M83000003": "Isle of Man",
    "E12000001": "North East",
    "E12000002": "North West",
    "E12000003": "Yorkshire and The Humber",
    "E12000004": "East Midlands",
    "E12000005": "West Midlands",
    "E12000006": "East of England",
    "E12000007": "London",
    "E12000008": "South East",
    "E12000009": "South West",
}

_CODE = re.compile(r"[EWSNLM][0-9]{8}")
#: "No such area here", written as an area: W99999999 is the region of Wales.
_PSEUDO = re.compile(r"[EWSNLM]999999[0-9]{2}")
#: LAD25CD and LAD25NM: codes and names of one edition.
_CODE_TITLE = re.compile(r"(?i)(ctry|rgn|gor|lad|laua|wd|ward)([0-9]{2})cd")


def names_in_zip(archive: zipfile.ZipFile) -> CodeNames:
    """From the CSVs in the folder Documents of ONSPD or NSPL."""
    paths = [name for name in archive.namelist() if re.search(r"(?i)(^|/)documents/.*\.csv$", name)]
    return _names(archive.read(path) for path in paths)


def names_beside(path: Path) -> CodeNames:
    """The same, for a CSV that was unpacked with all that came with it."""
    return _names(table.read_bytes() for table in (path.resolve().parent.parent / "Documents").rglob("*.csv"))


def names_in_codelist(archive: zipfile.ZipFile) -> CodeNames:
    """From the workbook that comes with Code-Point Open; none when it cannot be read."""
    names: CodeNames = {}
    for path in archive.namelist():
        if not path.lower().endswith("codelist.xlsx"):
            continue
        try:
            workbook = load_workbook(io.BytesIO(archive.read(path)), read_only=True, data_only=True)
            for sheet in workbook.worksheets:
                for row in sheet.iter_rows(values_only=True):
                    texts = [cell.strip() for cell in row if isinstance(cell, str) and cell.strip()]
                    codes = [text for text in texts if _CODE.fullmatch(text)]
                    others = [text for text in texts if not _CODE.fullmatch(text)]
                    if codes and others:
                        names[codes[0]] = others[0]
        except Exception:  # noqa: BLE001 - openpyxl raises all kinds; the names are a courtesy, the positions are not
            return {}
    return names


def _names(tables: Iterable[bytes]) -> CodeNames:
    names: CodeNames = {}
    for table in tables:
        names.update(_codes_and_names(table))
    return names


def _codes_and_names(table: bytes) -> Iterator[tuple[str, str]]:
    """Of a table whose header has a column of codes and one of their names; nothing of any other."""
    rows = csv.reader(io.StringIO(_decoded(table), newline=""))
    header = [title.strip() for title in next(rows, [])]
    for index, title in enumerate(header):
        match = _CODE_TITLE.fullmatch(title)
        wanted = f"{match[1]}{match[2]}NM".lower() if match else None
        for other, name in enumerate(header):
            if name.lower() == wanted:
                yield from _pairs(rows, index, other)
                return


def _pairs(rows: Iterator[list[str]], code: int, name: int) -> Iterator[tuple[str, str]]:
    for row in rows:
        if len(row) > max(code, name) and _CODE.fullmatch(row[code]) and row[name].strip():
            yield row[code], row[name].strip()


def _decoded(table: bytes) -> str:
    try:
        return table.decode("utf-8-sig")
    except UnicodeDecodeError:
        return table.decode("cp1252", errors="replace")


def name_of(cell: str, names: CodeNames) -> str | None:
    """The name of an area, from its code or from itself; None when it is not known."""
    cell = cell.strip()
    if not _CODE.fullmatch(cell):
        return cell or None
    if _PSEUDO.fullmatch(cell):
        return None
    return names.get(cell) or COUNTRIES_AND_REGIONS.get(cell)
