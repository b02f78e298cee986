"""JSON → records: a GeoJSON FeatureCollection, an array, or one object behind the other (NDJSON), each as a stream."""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from uploads.reading.errors import ReadingError, UnsupportedFileError
from uploads.reading.formats.json_stream import JsonText, NotJsonError, given_twice
from uploads.reading.formats.records import GEOMETRY, LATITUDE, LONGITUDE, Number, Record, fault

_OWN = frozenset({"type", "geometry", "properties"})
#: The names of the reference systems that are read. Longitude comes first in all of them, as in all of GeoJSON.
_DEGREES = re.compile(
    r"urn:ogc:def:crs:OGC:(1\.3)?:CRS84|(urn:ogc:def:crs:)?EPSG:([\d.]*:)?4326|OGC:CRS84"
    r"|https?://www\.opengis\.net/def/crs/(OGC/1\.3/CRS84|EPSG/0/4326)",
    re.IGNORECASE,
)
_GRID = re.compile(
    r"(urn:ogc:def:crs:)?EPSG:([\d.]*:)?27700|https?://www\.opengis\.net/def/crs/EPSG/0/27700", re.IGNORECASE
)
_OTHER_TYPES = {
    "Topology": "TopoJSON",
    **dict.fromkeys(
        ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"),
        "a geometry without a Feature",
    ),
}


class JsonRecords:
    """See `records.Records`. Iterating reads the stream from its beginning."""

    def __init__(self, stream: BinaryIO) -> None:
        self.format = "json"
        self.is_located = False
        self.is_grid = False
        self.left: list[str] = []
        self._is_collection = False
        self._stream = stream
        self._count = 0

    def __iter__(self) -> Iterator[Record]:
        self._stream.seek(0)
        self._count = 0
        text = JsonText(self._stream)
        try:
            yield from map(self._record, self._values(text))
        except UnicodeDecodeError:
            raise self._fault(text, "the text is not in UTF-8, as JSON has to be") from None
        except RecursionError:
            raise self._fault(text, "too many arrays or objects inside each other") from None
        except NotJsonError as error:
            raise self._fault(text, str(error)) from None

    def _fault(self, text: JsonText, why: str) -> ReadingError:
        return fault("Feature" if self.is_located else "Object", self._count + 1, why, text.line)

    def _values(self, text: JsonText) -> Iterator[Any]:
        if text.next_character() == "[":
            text.take("[")
            yield from self._elements(text)
            text.end()
            return
        members: dict[str, Any] = {}
        text.take("{")
        for name in text.names():
            if name in members:
                raise given_twice(name)
            if name == "features" and text.next_character() == "[":
                members[name] = self._is_collection = True
                text.take("[")
                yield from self._elements(text)
            else:
                members[name] = text.value()
        if self._is_collection:
            self._check_collection(members)
            text.end()
            return
        yield members
        while text.next_character():
            self.format = "geojson" if self.is_located else "ndjson"
            yield text.value()
        if self._count == 1:
            _check_single(members)

    def _elements(self, text: JsonText) -> Iterator[Any]:
        if text.next_character() != "]":
            yield text.value()
            while text.passes(","):
                yield text.value()
        text.take("]")

    def _check_collection(self, members: dict[str, Any]) -> None:
        if members.get("type") != "FeatureCollection":
            raise UnsupportedFileError(
                "The file is JSON with features, but its type is not FeatureCollection. Save it as GeoJSON."
            )
        self.format = "geojson"
        if "crs" not in members:
            return
        name = _crs_name(members["crs"])
        self.is_grid = bool(_GRID.fullmatch(name))
        if not self.is_grid and not _DEGREES.fullmatch(name):
            raise ReadingError(
                f"The coordinates of the file are in another reference system: its crs is {name[:100]!r}. Save it in"
                " degrees (WGS 84, EPSG:4326), or in the British National Grid (EPSG:27700)."
            )

    def _record(self, value: Any) -> Record:
        if not isinstance(value, dict):
            raise NotJsonError("it is no object. Send an array of objects, or one object a line")
        is_feature = value.get("type") == "Feature" and ("geometry" in value or "properties" in value)
        if self._is_collection and not is_feature:
            raise NotJsonError("it is no feature of GeoJSON (ArcGIS writes one with f=geojson)")
        if not self._count and is_feature:
            self.is_located = True
            self.format = "geojson"
        elif is_feature != self.is_located:
            raise NotJsonError("some objects are features of GeoJSON, and some are not")
        record = _feature(value) if is_feature else value
        self._count += 1
        return record


def _check_single(members: dict[str, Any]) -> None:
    """Of a file that is one object only."""
    if what := _OTHER_TYPES.get(str(members.get("type"))):
        raise UnsupportedFileError(f"The file is {what}. Send a FeatureCollection of GeoJSON, or CSV.")
    if any(isinstance(member, list) and member and isinstance(member[0], dict) for member in members.values()):
        raise UnsupportedFileError(
            f"The file is one JSON object with lists in it: {', '.join(members)[:200]}. Send the list itself: an array"
            " of objects, one object a line, or a FeatureCollection."
        )


def _crs_name(crs: Any) -> str:
    try:
        return str(crs["properties"]["name"])
    except (TypeError, KeyError, IndexError):
        return json_text(crs)


def _feature(value: dict[str, Any]) -> Record:
    properties = value.get("properties") or {}
    geometry = value.get("geometry")
    if not isinstance(properties, dict) or not isinstance(geometry, dict | None):
        raise NotJsonError("its properties or its geometry are no object")
    if "crs" in value or (geometry and "crs" in geometry):
        raise NotJsonError("it has a crs of its own; give one to the whole file")
    if geometry is None:
        record: Record = {LATITUDE: "", LONGITUDE: "", **properties}
    else:
        coordinates = geometry.get("coordinates")
        if (
            len(geometry) == 2
            and geometry.get("type") == "Point"
            and coordinates.__class__ is list
            and len(coordinates) == 2
            and coordinates[0].__class__ is Number
            and coordinates[1].__class__ is Number
        ):
            record = {LATITUDE: coordinates[1], LONGITUDE: coordinates[0], **properties}
        else:
            record = {**_location(geometry), **properties, GEOMETRY: geometry}
    if len(value) > len(_OWN) or not _OWN.issuperset(value):
        record.update({("feature", name): member for name, member in value.items() if name not in _OWN})
    return record


def _location(geometry: dict[str, Any]) -> Record:
    """Of a geometry that is not told by two numbers alone: those of a point, which may have a height, or none."""
    coordinates = geometry.get("coordinates")
    if geometry.get("type") == "Point" and isinstance(coordinates, list):
        match coordinates:
            case [Number() as east, Number() as north, *_]:
                return {LATITUDE: north, LONGITUDE: east}
    return {LATITUDE: "", LONGITUDE: ""}


def json_text(value: Any) -> str:
    """JSON without blanks, with the numbers as they were written."""
    if isinstance(value, Number):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_text(name)}:{json_text(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
