"""One XML file of a workbook, parsed as a stream.

Limits are checked after each piece of XML, in which nothing can grow far.
"""

import posixpath
import zipfile
from collections.abc import Callable
from xml.parsers import expat

from uploads.reading.workbook.limits import (
    MAX_DEPTH,
    MAX_NAMES,
    MAX_PART_BYTES,
    MAX_ROW_BYTES,
    MAX_TAG_BYTES,
    RefusedError,
)

_XML_BYTES = 1 << 16


class Part:
    """One XML file of the archive. Who reads it sets the handlers of its `parser`, and how to tell its `depth`.

    `begun` is where the row or the text that is being read begins, in bytes of XML.
    """

    def __init__(self, archive: zipfile.ZipFile, name: str, *, max_bytes: int | None = MAX_PART_BYTES) -> None:
        self._stream = archive.open(name)
        self._name = posixpath.basename(name)
        self._max_bytes = max_bytes
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self.depth: Callable[[], int] = int
        self.begun = 0
        self._parsed = 0
        self._open = True

    def parse_piece(self) -> bool:
        """Parses some more; False when there was nothing left. Raises RefusedError beyond the limits."""
        if not self._open:
            return False
        piece = self._stream.read(_XML_BYTES)
        self.parser.Parse(piece, not piece)
        self._parsed += len(piece)
        self._open = bool(piece)
        if self._max_bytes is not None and self._parsed > self._max_bytes:
            raise RefusedError(f"has more than {self._max_bytes:,} bytes in its part {self._name}")
        if self.depth() > MAX_DEPTH:
            raise RefusedError(f"has more than {MAX_DEPTH} elements inside each other in its part {self._name}")
        if len(self.parser.intern) > MAX_NAMES:
            raise RefusedError(f"has more than {MAX_NAMES:,} names of elements in its part {self._name}")
        if self._parsed - self.parser.CurrentByteIndex > MAX_TAG_BYTES:
            raise RefusedError(f"has a tag of more than {MAX_TAG_BYTES:,} bytes in its part {self._name}")
        if self._parsed - self.begun > MAX_ROW_BYTES:
            raise RefusedError(f"has more than {MAX_ROW_BYTES:,} bytes for one cell or row in its part {self._name}")
        return self._open

    def elements(self, handle: Callable[[int, str, dict[str, str]], None]) -> None:
        """Parses the whole part, and tells the depth (from 1), the name and the attributes of each element."""
        local = LocalNames()
        depth = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            handle(depth, local[name], attributes)

        def end(_: str) -> None:
            nonlocal depth
            depth -= 1

        self.depth = lambda: depth
        self.parser.StartElementHandler = start
        self.parser.EndElementHandler = end
        while self.parse_piece():
            self.begun = self._parsed


class LocalNames(dict[str, str]):
    """Names without their prefixes: `x:row` is a row. Which prefix stands for which namespace, workbooks choose."""

    def __missing__(self, name: str) -> str:
        self[name] = local = name.rpartition(":")[2]
        return local


def _refuse_doctype(*_: object) -> None:
    raise RefusedError("declares a document type or entities, which no spreadsheet program does")
