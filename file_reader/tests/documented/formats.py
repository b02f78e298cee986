"""GeoJSON, JSON, GPX and KML."""

import json

from tests.corpus.case import At, No
from tests.corpus.formats import collection, feature
from tests.corpus.packing import zipped
from tests.documented.example import Example, Examples

_ROWS = [At(2, 51.501, -0.142)]
_TWO = [*_ROWS, At(3, 51.501, -0.142)]
_OBJECT = '{"lat":51.501,"lon":-0.142,"n":%s}'
_POINT = "<Point><coordinates>-0.142,51.501</coordinates></Point>"
_HEIGHT = {"type": "Point", "coordinates": [-0.142, 51.501, 12.5]}
_MIB = 1 << 20


def _crs(name: str) -> dict[str, object]:
    return {"crs": {"type": "name", "properties": {"name": name}}}


def _gpx(inside: str = "", attributes: str = "") -> str:
    return f'<gpx><wpt lat="51.501" lon="-0.142"{attributes}>{inside}</wpt></gpx>'


def _kml(inside: str = _POINT) -> str:
    return f"<kml><Placemark>{inside}</Placemark></kml>"


def _names(count: int) -> str:
    return '{"lat":51.5,"lon":-0.1,' + ",".join(f'"n{number}":1' for number in range(count)) + "}"


EXAMPLES: dict[str, Examples] = {
    "GeoJSON, JSON, GPX, KML": {
        "GeoJSON: a FeatureCollection, an array of features, or a feature a line": [
            Example(collection(feature(name="x"), feature(name="y")), _TWO, dialect={"format": "geojson"},
                    table="latitude,longitude,name\n51.501,-0.142,x\n"),
            Example(json.dumps([feature(), feature()]), _TWO, dialect={"format": "geojson"}),
            Example("\n".join(map(json.dumps, [feature(), feature()])), _TWO, dialect={"format": "geojson"}),
            Example(collection({**feature(_HEIGHT), "id": 7, "bbox": 1}), _ROWS,
                    table="latitude,longitude,geometry,id,bbox\n"),
        ],
        "JSON: an array of objects, or an object a line (NDJSON)": [
            Example(f"[{_OBJECT % 1},{_OBJECT % 2}]", _TWO, dialect={"format": "json"}, table="lat,lon,n\n"),
            Example(f"{_OBJECT % 1}\n{_OBJECT % 2}\n", _TWO, dialect={"format": "ndjson"}),
            Example('[{"a":51.501,"b":-0.142}]', _ROWS, {"latitude": "a", "longitude": "b"}),
        ],
        "GPX": [
            Example('<gpx><wpt lat="51.501" lon="-0.142"><ele>7</ele><name>x</name><link href="y"/></wpt><trk/></gpx>',
                    _ROWS, dialect={"format": "gpx", "left": ["1 track(s)"]},
                    table="latitude,longitude,ele,name,link.href\n51.501,-0.142,7,x,y\n"),
        ],
        "KML, KMZ": [
            Example(data, _ROWS, dialect={"format": "kml"},
                    table="latitude,longitude,altitude,name,size\n51.501,-0.142,12,x,7\n")
            for kml in [_kml("<Point><coordinates>-0.142,51.501,12</coordinates></Point><name>x</name>"
                             '<ExtendedData><Data name="size"><value>7</value></Data></ExtendedData>').encode()]
            for data in (kml, zipped({"doc.kml": kml}))
        ],
        "Columns come in the order in which they first appear, wherever that is.": [
            Example(collection(feature(a=1), feature(b=2)), _TWO, table="latitude,longitude,a,b\n"),
        ],
        "One that is called like a property gives way: `geometry_latitude`, `feature_id`.": [
            Example(collection({**feature(latitude=1, id=2), "id": 3}), _ROWS,
                    table="geometry_latitude,longitude,latitude,id,feature_id\n"),
        ],
        "A name that comes twice in a waypoint or placemark gets a number: `link.href_2`.": [
            Example(_gpx('<link href="a"/><link href="b"/>'), _ROWS, table="link.href,link.href_2\n"),
            Example(_kml(_POINT + "<name>a</name><name>b</name>"), _ROWS, table="name,name_2\n"),
        ],
        "Numbers keep their digits. Objects and arrays are JSON in their cell. `null` and an empty text are an empty"
        " cell.": [
            Example('[{"lat":51.501,"lon":-0.142,"a":0.1000,"b":12345678901234567890,"c":[1,{"x":2}],"d":null,"e":""}]',
                    _ROWS, table=',0.1000,12345678901234567890,"[1,{""x"":2}]",,\n'),
        ],
        "A feature without a point is a row with `coordinates_missing`, and its geometry in its cell.": [
            Example(collection(feature(), feature({"type": "LineString", "coordinates": [[0, 51], [0, 52]]})),
                    [*_ROWS, No(3, "coordinates_missing")], table='""LineString""'),
        ],
        "Longitude comes first in GeoJSON; a point that has it second is `coordinates_swapped`.": [
            Example(collection(feature(), feature({"type": "Point", "coordinates": [51.501, -0.142]})),
                    [*_ROWS, No(3, "coordinates_swapped")]),
        ],
        "A `crs` may be CRS84, EPSG:4326, or EPSG:27700: then the columns are `northing` and `easting`.": [
            *(Example(collection(feature(), **_crs(name)), _ROWS)
              for name in ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326")),
            Example(collection(feature({"type": "Point", "coordinates": [529057, 179680]}), **_crs("EPSG:27700")),
                    [At(2, 51.50133, -0.14204, 5)], dialect={"latitude": "northing", "longitude": "easting"}),
        ],
        "The `line` of a row is the number of its object and one, as in the table, where a record is a line.": [
            Example(json.dumps([feature(), feature()], indent=2), _TWO),
        ],
        "With `latitude`, `longitude` and `coordinates` you may name other columns than the geometry.": [
            Example(collection(feature(n=179680, e=529057)), [At(2, 51.50133, -0.14204, 5)],
                    {"latitude": "n", "longitude": "e", "coordinates": "osgb36"}),
        ],
        "no feature with a point that has two numbers": [Example(collection(feature(None), feature(None)))],
        "another `crs`": [Example(collection(feature(), **_crs("EPSG:3857")))],
        "a `crs` inside of a feature": [Example(collection({**feature(), **_crs("EPSG:4326")}))],
        "a name that is given twice in one object": [Example('[{"lat":51.5,"lon":-0.1,"lat":52.5}]')],
        "`NaN`, `Infinity`": [Example('[{"lat":51.5,"lon":NaN}]')],
        "text that is not UTF-8": [Example('[{"lat":51.5,"lon":-0.1,"x":"é"}]'.encode("cp1252"))],
        "features among other objects": [Example(json.dumps([feature(), {"lat": 1}]))],
        "features as ArcGIS writes them": [
            Example('{"features":[{"attributes":{"n":1},"geometry":{"x":-0.1,"y":51.5}}]}'),
        ],
        "JSON that breaks off, or is none": [
            Example(f"[{_OBJECT % 1},\n" + '{"lat":51.5'), Example(f"[{_OBJECT % 1},\n" + "{'lat':51.5}]"),
        ],
        "XML that breaks off": [Example(_gpx()[:-10]), Example(_kml()[:-10])],
        "a document type in XML": [Example('<?a ><gpx ?><!DOCTYPE gpx><gpx><wpt lat="51.5" lon="-0.1"/></gpx>')],
        "no waypoint, no placemark (415)": [Example("<gpx></gpx>"), Example("<kml></kml>")],
        "more than 2,097,152 characters for one record": [
            Example(lambda: (f'[{_OBJECT % 1},{{"x":"' + "x" * 3 * _MIB + '"}]').encode()),
            Example(lambda: _gpx("<name>" + "x" * 3 * _MIB + "</name>").encode()),
        ],
        "more than 1,048,576 characters as a row": [
            Example(lambda: ("[" + _OBJECT % ('"' + "x" * (_MIB + 9) + '"') + "]").encode()),
        ],
        "more than 10,000 columns": [Example(f"[{_names(9_999)}]")],
        "more than 524,288 characters in their names": [
            Example(lambda: "".join(f'{{"{"x" * 1_000}{number}":1}}\n' for number in range(600)).encode()),
        ],
        "some 900 arrays or objects inside each other, 100 elements of XML": [
            Example("[" + _OBJECT % ("[" * 2_000 + "]" * 2_000) + "]"), Example(_kml("<a>" * 101)),
        ],
        "10,000 different names of elements": [
            Example("<gpx>" + "".join(f"<n{number}/>" for number in range(10_100)) + "</gpx>"),
        ],
        "128 MiB of JSON, 32 MiB of GPX or KML (413)": [Example(lambda: b"<gpx>" + b" " * (32 << 20))],
        "a table 20 times as large as the file, above 16 MiB (413)": [
            Example(lambda: (_names(5_000) + "\n" + '{"lat":51.5}\n' * 4_000).encode()),
        ],
    }
}  # fmt: skip
