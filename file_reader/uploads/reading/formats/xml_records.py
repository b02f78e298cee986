"""GPX waypoints and KML placemarks → records, as a stream: expat, without document types and entities.

Most limits are looked at after each piece of XML, in which nothing can grow far. Namespaces and their prefixes are left
out: each program has its own.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from uploads.reading.errors import UnsupportedFileError
from uploads.reading.formats.records import LATITUDE, LONGITUDE, MAX_TEXT, Key, Record, fault

_XML_BYTES = 1 << 16
_MAX_DEPTH = 100
#: Different names of elements and attributes, which the parser remembers.
_MAX_NAMES = 10_000
#: Elements that only say that others follow.
_AROUND = frozenset({"ExtendedData", "SchemaData", "extensions"})
#: Elements of KML with the name of a property, whose value is in them or in their `value`.
_DATA = frozenset({"Data", "SimpleData"})
#: What else GPX has.
_OTHERS = {"trk": "track(s)", "rte": "route(s)"}


class _RefusedError(Exception):
    """The message is the end of a sentence about the record that is being read."""


class XmlRecords:
    """See `records.Records`. Iterating reads the stream from its beginning."""

    is_located = True
    is_grid = False

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.format = name
        self.left: list[str] = []
        self._stream = stream
        self._element, self._called = {"gpx": ("wpt", "Waypoint"), "kml": ("Placemark", "Placemark")}[name]

    def __iter__(self) -> Iterator[Record]:
        self._stream.seek(0)
        parser = _Parser(self._element)
        count = 0
        while True:
            piece = self._stream.read(_XML_BYTES)
            error: Exception | None = None
            try:
                parser.parse(piece)
            except (expat.ExpatError, _RefusedError, ValueError, LookupError) as caught:
                error = caught
            count += len(parser.records)
            yield from parser.records
            parser.records.clear()
            if error is not None:
                raise fault(self._called, count + 1, _why(error), parser.line)
            if not piece:
                break
        self.left = [f"{number} {_OTHERS[what]}" for what, number in parser.others.items() if number]
        if not count:
            also = f" It has {' and '.join(self.left)}; the points of these are not read." if self.left else ""
            raise UnsupportedFileError(f"There is no {self._called.lower()} in the file.{also}")


def _why(error: Exception) -> str:
    if isinstance(error, _RefusedError):
        return str(error)
    return f"the XML cannot be read: {error}"


class _Element:
    """An element inside of a record: `path` names its column, `in_data` says that this is the name of a property."""

    def __init__(self, path: str, *, in_data: bool) -> None:
        self.path = path
        self.in_data = in_data
        self.is_leaf = True
        self.texts: list[str] = []


class _Parser:
    """The elements with one name, each as a record. `others` counts what is left out of GPX."""

    def __init__(self, element: str) -> None:
        self.records: list[Record] = []
        self.others = {"trk": 0, "rte": 0}
        self._element = element
        self._record: Record = {}
        self._inside: list[_Element] = []
        self._seen: Counter[Key] = Counter()
        self._outside = 0
        self._parsed = self._begun = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    @property
    def line(self) -> int:
        """Where it is."""
        return self._parser.CurrentLineNumber

    def parse(self, piece: bytes) -> None:
        """Some more; nothing is the end. Raises _RefusedError beyond the limits, or what expat raises."""
        self._parser.Parse(piece, not piece)
        self._parsed += len(piece)
        if not self._inside:
            self._begun = self._parser.CurrentByteIndex
        if self._parsed - self._begun > MAX_TEXT:
            raise _RefusedError(f"it has more than {MAX_TEXT:,} bytes of XML, or there is a tag of so many")
        if len(self._parser.intern) > _MAX_NAMES:
            raise _RefusedError(f"there are more than {_MAX_NAMES:,} names of elements")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if self._outside + len(self._inside) >= _MAX_DEPTH:
            raise _RefusedError(f"there are more than {_MAX_DEPTH} elements inside each other")
        if not self._inside:
            if name == self._element:
                self._begin(attributes)
            else:
                self._outside += 1
                if name in self.others:
                    self.others[name] += 1
            return
        parent = self._inside[-1]
        parent.is_leaf = False
        if name in _AROUND or (name == "value" and parent.in_data):
            self._inside.append(_Element(parent.path, in_data=parent.in_data))
            return
        in_data = parent.in_data or name in _DATA
        called = attributes.pop("name", name) if name in _DATA else name
        element = _Element(f"{parent.path}.{called}" if parent.path else called, in_data=in_data)
        self._inside.append(element)
        self._add_attributes(element, attributes)

    def _begin(self, attributes: dict[str, str]) -> None:
        self._begun = self._parser.CurrentByteIndex
        self._seen.clear()
        self._record = {LATITUDE: attributes.pop("lat", ""), LONGITUDE: attributes.pop("lon", "")}
        element = _Element("", in_data=False)
        self._inside.append(element)
        self._add_attributes(element, attributes)

    def _end(self, _: str) -> None:
        if not self._inside:
            self._outside -= 1
            return
        element = self._inside.pop()
        text = "".join(element.texts)
        if not self._inside:
            self.records.append(self._record)
        elif element.path == "Point.coordinates" and _is_location(text) and not self._record[LONGITUDE]:
            self._record[LONGITUDE], self._record[LATITUDE], *height = map(str.strip, text.split(","))
            if height:
                self._add("altitude", height[0], in_data=False)
        elif text.strip():
            self._add(element.path, text if element.is_leaf else text.strip(), in_data=element.in_data)

    def _text(self, text: str) -> None:
        if self._inside:
            self._inside[-1].texts.append(text)

    def _add_attributes(self, element: _Element, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            if not name.startswith("xmlns"):
                called = name.rpartition(":")[2]
                path = f"{element.path}.{called}" if element.path else called
                self._add(path, value, in_data=element.in_data)

    def _add(self, path: str, value: str, *, in_data: bool) -> None:
        """One more value; a second one of the same name has a column of its own."""
        key: Key = path if in_data else (self._element.lower(), path)
        self._seen[key] += 1
        if self._seen[key] > 1:
            path = f"{path}_{self._seen[key]}"
            key = path if in_data else (self._element.lower(), path)
        self._record[key] = value


def _is_location(text: str) -> bool:
    """Whether it is one place: longitude, latitude and perhaps a height, with commas between."""
    return 1 <= text.count(",") <= 2 and len(re.sub(r"\s*,\s*", ",", text.strip()).split()) == 1


def _refuse_doctype(*_: object) -> None:
    raise _RefusedError("the file declares a document type or entities; leave them out")
