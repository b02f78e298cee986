"""The parts of a workbook: what sheets it has, and where they are."""

import posixpath
import zipfile
from typing import BinaryIO, NamedTuple

from uploads.reading.workbook.cells import EPOCH, EPOCH_OF_1904
from uploads.reading.workbook.limits import MAX_SHARED_BYTES, RefusedError
from uploads.reading.workbook.part import Part
from uploads.reading.workbook.rows import SheetRows
from uploads.reading.workbook.styles import formats_of
from uploads.reading.workbook.texts import SharedTexts

_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_STYLES = "xl/styles.xml"
SHARED_STRINGS = "xl/sharedStrings.xml"


class Sheet(NamedTuple):
    """A sheet with cells; charts and dialogues on a sheet of their own are none."""

    name: str
    part: str
    is_hidden: bool


class Workbook:
    """A workbook that is open: its sheets in their order, and the rows of each."""

    def __init__(self, stream: BinaryIO) -> None:
        self._archive = zipfile.ZipFile(stream)
        self._there = set(self._archive.namelist())
        self._epoch = EPOCH
        relations = self._relations()
        self.sheets = self._sheets({key: part for key, (kind, part) in relations.items() if kind == "worksheet"})
        if not self.sheets:
            raise RefusedError("has no sheet")
        parts = dict(reversed(relations.values()))
        shared, styles = parts.get("sharedStrings", SHARED_STRINGS), parts.get("styles", _STYLES)
        self._texts = SharedTexts(
            Part(self._archive, shared, max_bytes=MAX_SHARED_BYTES) if shared in self._there else None
        )
        self._formats = formats_of(Part(self._archive, styles), self._epoch) if styles in self._there else {}

    def rows(self, sheet: Sheet) -> SheetRows:
        return SheetRows(Part(self._archive, sheet.part, max_bytes=None), self._texts, self._formats)

    def _relations(self) -> dict[str, tuple[str, str]]:
        """The kind and the name of each part, by its id."""
        relations: dict[str, tuple[str, str]] = {}

        def relation(_: int, name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                target = attributes["Target"]
                path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
                relations[attributes["Id"]] = attributes["Type"].rpartition("/")[2], path

        Part(self._archive, _RELATIONS).elements(relation)
        return relations

    def _sheets(self, parts: dict[str, str]) -> list[Sheet]:
        sheets: list[Sheet] = []

        def entry(depth: int, name: str, attributes: dict[str, str]) -> None:
            if depth == 3 and name == "sheet":
                key = next((value for key, value in attributes.items() if key.endswith(":id")), "")
                if parts.get(key) in self._there:
                    state = attributes.get("state", "visible")
                    sheets.append(Sheet(attributes.get("name", ""), parts[key], state != "visible"))
            elif depth == 2 and name == "workbookPr" and attributes.get("date1904", "0") not in ("0", "f", "false"):
                self._epoch = EPOCH_OF_1904

        Part(self._archive, _WORKBOOK).elements(entry)
        return sheets
