"""GeoJSON, other JSON, GPX and KML. Rows have the number of their object and one: the first line has the names."""

import json
from typing import Any

from tests.corpus.case import EMPTY, At, Case, Fault, No
from tests.corpus.packing import gz, zipped

PALACE = {"type": "Point", "coordinates": [-0.142, 51.501]}
_CASTLE = {"type": "Point", "coordinates": [-3.188, 55.953]}
_ROWS = [At(2, 51.501, -0.142), At(3, 55.953, -3.188)]
_GEOJSON = {"format": "geojson", "coordinates": "degrees", "latitude": "latitude", "longitude": "longitude",
            "has_header": True, "delimiter": ",", "encoding": "utf-8"}  # fmt: skip
_PAIR = ({"name": "Palace", "lat": 51.501, "lon": -0.142}, {"name": "Castle", "lat": 55.953, "lon": -3.188})


def feature(geometry: object = PALACE, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(*features: object, **members: object) -> str:
    return json.dumps({"type": "FeatureCollection", **members, "features": features}, ensure_ascii=False)


def _crs(name: str) -> dict[str, Any]:
    return {"type": "name", "properties": {"name": name}}


def _broken(text: str, number: int, mentions: str) -> Case:
    return Case(f"JSON that is wrong: {mentions}: {text[:4]} … {text[-50:]!r}", text,
                fault=Fault("unreadable-file", {"record": number}, mentions))  # fmt: skip


_TWO = (feature(name="Palace"), feature(_CASTLE, name="Castle"))
_ONE = json.dumps(feature(n=1))


def _gpx(content: str, head: str = '<?xml version="1.0"?>') -> str:
    return f'{head}\n<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">{content}</gpx>\n'


def _kml(content: str) -> str:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">'
    return f"{head}<Document>{content}</Document></kml>"


_WAYPOINTS = '<wpt lat="51.501" lon="-0.142"><name>Palace</name></wpt>\n<wpt lat="55.953" lon="-3.188"/>'
_PLACEMARKS = (
    "<Placemark><name>Palace</name><Point><coordinates>-0.142,51.501</coordinates></Point></Placemark>\n"
    "<Folder><Placemark><Point><coordinates>\n -3.188,55.953,12.5 \n</coordinates></Point></Placemark></Folder>"
)

CASES = [
    # --- GeoJSON
    Case("a collection of GeoJSON", collection(*_TWO), _ROWS, dialect=_GEOJSON),
    Case("GeoJSON on many lines", json.dumps(json.loads(collection(*_TWO)), indent=2), _ROWS, dialect=_GEOJSON),
    Case("GeoJSON with a byte order mark", "\ufeff" + collection(*_TWO), _ROWS, dialect=_GEOJSON),
    Case("GeoJSON, packed", gz(collection(*_TWO).encode()), _ROWS, dialect=_GEOJSON),
    Case("GeoJSON, zipped", zipped({"a.geojson": collection(*_TWO).encode(), "LICENCE.txt": b"x"}), _ROWS,
         dialect={**_GEOJSON, "left": ["LICENCE.txt"]}),
    Case("GeoJSON with its members the other way round",
         json.dumps({"features": _TWO, "name": "places", "type": "FeatureCollection"}), _ROWS, dialect=_GEOJSON),
    Case("a list of features", json.dumps(_TWO), _ROWS, dialect=_GEOJSON),
    Case("one feature", json.dumps(_TWO[0]), _ROWS[:1], dialect=_GEOJSON),
    Case("a feature a line", "\n".join(map(json.dumps, _TWO)) + "\n", _ROWS, dialect=_GEOJSON),
    Case("a feature a line, with record separators", "".join(f"\x1e{json.dumps(one)}\n" for one in _TWO), _ROWS,
         dialect=_GEOJSON),
    Case("features without a point are rows", collection(
        feature(n=1), feature(None, n=2), {"type": "Feature", "properties": None, "geometry": None},
        feature({"type": "LineString", "coordinates": [[-0.1, 51.5], [-0.2, 51.6]]}, n=4),
        feature({"type": "Point", "coordinates": []}, n=5), feature({"type": "Point", "coordinates": ["a", None]}, n=6),
        feature({"type": "GeometryCollection", "geometries": [PALACE]}, n=7), feature(_CASTLE, n=8)),
        [At(2, 51.501, -0.142), No(3, "coordinates_missing"), No(4, "empty_row"),
         *(No(line, "coordinates_missing") for line in range(5, 9)), At(9, 55.953, -3.188)]),
    Case("features of which none is a point",
         collection(feature({"type": "LineString", "coordinates": [[-0.1, 51.5], [-0.2, 51.6]]}), feature(None)),
         fault=Fault("unreadable-file", mentions="None of the 2 features of the file is a point with two numbers")),
    Case("GeoJSON of a system in another spelling",
         collection(*_TWO, crs=_crs("http://www.opengis.net/def/crs/OGC/1.3/CRS84")), _ROWS),
    Case("GeoJSON of a system whose number ends alike", collection(*_TWO, crs=_crs("EPSG:84326")),
         fault=Fault("unreadable-file", mentions="'EPSG:84326'")),
    Case("points with heights", collection(feature({"type": "Point", "coordinates": [-0.142, 51.501, 12.5]})),
         _ROWS[:1]),
    Case("GeoJSON, latitude first", collection(feature({"type": "Point", "coordinates": [51.501, -0.142]})),
         [No(2, "coordinates_swapped")]),
    Case("GeoJSON out of range", collection(feature({"type": "Point", "coordinates": [-181, 51]}),
         feature({"type": "Point", "coordinates": [0, -90.5]})),
         [No(2, "longitude_out_of_range"), No(3, "latitude_out_of_range")]),
    Case("properties that are called like coordinates",
         collection(feature(latitude="51.501", Longitude="-0.142", lat=51.5, lon=-0.141, lat_x=1, lon_y=2,
                            easting=5, northing=6)),
         _ROWS[:1], dialect={"latitude": "geometry_latitude", "longitude": "geometry_longitude"}),
    Case("properties that are another place", collection(*[feature(lat=52.512, lon=-1.512)] * 3),
         fault=Fault("columns-not-found", mentions="are places more than 1 km apart")),
    Case("properties that are another place in one feature", collection(
         *(feature(lat=51.501, lon=-0.142) for _ in range(4)), feature(lat=52.512, lon=-1.512)),
         [*(At(line, 51.501, -0.142) for line in range(2, 6)), No(6, "places_apart")]),
    Case("features without a geometry, and properties that are a place",
         json.dumps([{"type": "Feature", "geometry": None, "properties": {"lat": 51.501, "lon": -0.142}}]), _ROWS[:1],
         dialect={"format": "geojson", "latitude": "lat", "longitude": "lon"}),
    Case("properties, if they are meant", collection(feature(lat=52.5, lon=-1.5)), [At(2, 52.5, -1.5)],
         declared={"latitude": "lat", "longitude": "lon"}, dialect={"format": "geojson", "latitude": "lat"}),
    Case("texts that look like rows", collection(feature(n=1, note="x\n52.5,-1.5,2,y\n52.5,-1.5,3,z\r\rz"),
         feature(_CASTLE, n=4, note='"')), _ROWS),
    Case("a property that comes late", collection(*[feature(n=n) for n in range(3)], feature(_CASTLE, late="x")),
         [*(At(line, 51.501, -0.142) for line in (2, 3, 4)), At(5, 55.953, -3.188)]),
    Case("a collection without a feature", collection(), fault=EMPTY),
    Case("GeoJSON in degrees that says so", collection(*_TWO, crs=_crs("urn:ogc:def:crs:OGC:1.3:CRS84")), _ROWS),
    Case("GeoJSON of EPSG:4326, said at the end",
         json.dumps({"type": "FeatureCollection", "features": _TWO, "crs": _crs("EPSG:4326")}), _ROWS),
    Case("GeoJSON of the National Grid", collection(feature({"type": "Point", "coordinates": [529057, 179680]}),
         crs=_crs("urn:ogc:def:crs:EPSG::27700")), [At(2, 51.50133, -0.14204, within=5)],
         dialect={"coordinates": "osgb36", "latitude": "northing", "longitude": "easting"}),
    Case("GeoJSON of the National Grid where Dublin is in the Irish one",
         collection(feature({"type": "Point", "coordinates": [315900, 234700]}), crs=_crs("EPSG:27700")),
         [At(2, 52.0043485, -3.2265684)], dialect={"coordinates": "osgb36"}),
    Case("GeoJSON in metres where Dublin is in the Irish Grid",
         collection(feature({"type": "Point", "coordinates": [315900, 234700]})),
         fault=Fault("columns-not-found", mentions="Irish")),
    Case("GeoJSON in metres that does not say so", collection(feature({"type": "Point", "coordinates": [529057,
         179680]})),
         [At(2, 51.50133, -0.14204, within=5)], dialect={"coordinates": "osgb36"}),
    Case("GeoJSON of another system", collection(*_TWO, crs=_crs("urn:ogc:def:crs:EPSG::3857")),
         fault=Fault("unreadable-file", mentions="'urn:ogc:def:crs:EPSG::3857'. Save it in degrees")),
    Case("GeoJSON of a system that is not named", collection(*_TWO, crs={"type": "link"}),
         fault=Fault("unreadable-file", mentions="another reference system")),
    Case("GeoJSON with a null for its system", collection(*_TWO, crs=None), fault=Fault("unreadable-file")),
    Case("a feature with a system of its own", collection(feature(), {**feature(), "crs": _crs("EPSG:3857")}),
         fault=Fault("unreadable-file", {"record": 2}, "a crs of its own")),
    # --- other JSON
    Case("an array of objects", json.dumps(_PAIR), _ROWS, dialect={"format": "json", "latitude": "lat"}),
    Case("an object a line", "\n".join(map(json.dumps, _PAIR)), _ROWS, dialect={"format": "ndjson", "latitude": "lat"}),
    Case("an object a line, with blank lines and CRLF", "\r\n\r\n".join(map(json.dumps, _PAIR)) + "\r\n", _ROWS),
    Case("one object", json.dumps(_PAIR[0]), _ROWS[:1], dialect={"format": "json"}),
    Case("objects with texts for numbers", '[{"lat":"51.501","lon":"-0.142"},{"lat":"55.953","lon":"-3.188"}]', _ROWS),
    Case("objects with decimal commas", '[{"lat":"51,501","lon":"-0,142"},{"lat":"55,953","lon":"-3,188"}]', _ROWS,
         dialect={"decimal": ","}),
    Case("objects with a pair", '{"at":[51.501,-0.142]}\n{"at":[55.953,-3.188]}\n', _ROWS,
         dialect={"coordinates": "lat_lon"}),
    Case("objects with a geometry", json.dumps([{"where": PALACE, "n": 1}, {"where": _CASTLE, "n": 2}]), _ROWS,
         dialect={"coordinates": "geojson"}),
    Case("objects without some members", '[{"lat":51.501,"lon":-0.142},{"lat":null},{"n":3,"lon":-1,"lat":""}]',
         [At(2, 51.501, -0.142), No(3, "empty_row"), No(4, "coordinates_missing")]),
    Case("objects without coordinates", '[{"a":1,"b":2}]',
         fault=Fault("columns-not-found", {"columns_seen": ["a", "b"]})),
    Case("objects of two pairs", '[{"start_lat":51.5,"start_lon":-0.1,"end_lat":52.5,"end_lon":-1.1}]',
         fault=Fault("columns-not-found")),
    Case("an array of nothing", "[]", fault=EMPTY),
    Case("an array of arrays", "[[51.5,-0.1]]",
         fault=Fault("unreadable-file", {"record": 1}, "Send an array of objects")),
    Case("features and others", json.dumps([feature(), {"lat": 1, "lon": 2}]),
         fault=Fault("unreadable-file", {"record": 2}, "some are not")),
    Case("a list inside of an object", json.dumps({"count": 2, "results": _PAIR}),
         fault=Fault("unsupported-file", mentions="lists in it: count, results. Send the list itself")),
    Case("features of ArcGIS", '{"features":[{"attributes":{"n":1},"geometry":{"x":-0.1,"y":51.5}}]}',
         fault=Fault("unreadable-file", mentions="f=geojson")),
    Case("features of no collection", json.dumps({"type": "x", "features": _TWO}), fault=Fault("unsupported-file")),
    Case("TopoJSON", '{"type":"Topology","objects":{},"arcs":[]}',
         fault=Fault("unsupported-file", mentions="TopoJSON")),
    Case("a geometry", json.dumps({"type": "GeometryCollection", "geometries": [PALACE]}),
         fault=Fault("unsupported-file", mentions="a geometry without a Feature")),
    *(_broken(*broken) for broken in (
        (f"[{_ONE},\n{_ONE[:-1]}", 2, "on line 2: the JSON is cut short"),
        (f"{_ONE}\n{_ONE[:-1]}", 2, "on line 2: the JSON is cut short"),
        (f'[{_ONE},\n{{"type": "Feat', 2, "or a quote is not closed"),
        (f"[{_ONE} {_ONE}]", 2, "there should be ']'"),
        (f"[{_ONE},]", 2, "this is not JSON: ']'"),
        (f"[{_ONE}", 2, "there is nothing more"),
        (f"[{_ONE}]\n{_ONE}", 2, "behind the end"),
        (f'[{_ONE},\n{{"a" 1}}]', 2, "on line 2: this is not JSON: '1}]'"),
        (f"[{_ONE},\n7]", 2, "no object"),
        (f"[{_ONE},\n{{'a': 1}}]", 2, "this is not JSON"),
        ('[{"lat":51.5,"lon":-0.1,"lat":52.5}]', 1, "the name 'lat' is given twice"),
        ('[{"lat":51.5,"lon":-0.1,"deep":[{"x":1,"x":1}]}]', 1, "the name 'x' is given twice"),
        ('{"type":"FeatureCollection","features":[],"features":[]}', 1, "'features' is given twice"),
        ('[{"lat":51.5,"lon":NaN}]', 1, "NaN is no JSON; write null"),
        ('[{"lat":51.5,"lon":-Infinity}]', 1, "-Infinity is no JSON"),
        ('[{"lat":51.5,"lon":-0.1,"x":"\\ud800"}]', 1, "half of a character"),
        ('[{"lat":51.5,"lon":-0.1,"x":' + "[" * 2_000 + "]" * 2_000 + "}]", 1, "inside each other"),
        ('[{"lat":51.5,"lon":-0.1,"x":"a\tb"}]', 1, "this is not JSON"),
        (json.dumps([feature(), {**feature(), "properties": [1]}]), 2, "are no object"),
    )),
    Case("JSON in Windows-1252", '[{"lat":51.5,"lon":-0.1,"x":"é"}]'.encode("cp1252"),
         fault=Fault("unreadable-file", mentions="not in UTF-8")),
    Case("JSON in UTF-16", '[{"lat":51.5,"lon":-0.1}]'.encode("utf-16"), fault=Fault("unreadable-file",
         mentions="not in UTF-8")),
    # --- GPX and KML
    Case("GPX", _gpx(_WAYPOINTS), _ROWS, dialect={"format": "gpx", "latitude": "latitude", "left": []}),
    Case("GPX with a prefix", '<g:gpx xmlns:g="x"><g:wpt lat="51.501" lon="-0.142"/></g:gpx>', _ROWS[:1]),
    Case("GPX in UTF-16", _gpx(_WAYPOINTS, "").encode("utf-16"), _ROWS),
    Case("GPX in Windows-1252", _gpx(_WAYPOINTS.replace("Palace", "Pálace"),
         '<?xml version="1.0" encoding="windows-1252"?>').encode("cp1252"), _ROWS),
    Case("GPX behind a comment", "<!-- x -->\n<!-- <html> -->" + _gpx(_WAYPOINTS, ""), _ROWS),
    Case("GPX with a track", _gpx(_WAYPOINTS + '<trk><trkseg><trkpt lat="1" lon="2"/></trkseg></trk>'), _ROWS,
         dialect={"left": ["1 track(s)"]}),
    Case("GPX with tracks only", _gpx('<trk><trkseg><trkpt lat="1" lon="2"/></trkseg></trk><rte/><rte/>'),
         fault=Fault("unsupported-file", mentions="no waypoint in the file. It has 1 track(s) and 2 route(s)")),
    Case("GPX without coordinates", _gpx('<wpt lat="51.501"/><wpt lat="x" lon="-0.142"/>'),
         [No(2, "coordinates_missing"), No(3, "not_a_number")]),
    Case("GPX that breaks off", _gpx(_WAYPOINTS)[:-30], fault=Fault("unreadable-file", {"record": 2, "line": 3},
         "Waypoint 2, on line 3: the XML cannot be read")),
    Case("GPX with entities", _gpx('<wpt lat="51.5" lon="-0.1"><name>&b;</name></wpt>',
         '<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'),
         fault=Fault("unsupported-file", mentions="XML")),
    Case("GPX with entities that are hidden", _gpx('<wpt lat="51.5" lon="-0.1"><name>&b;</name></wpt>',
         '<?a ><gpx ?><!DOCTYPE gpx [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'),
         fault=Fault("unreadable-file", mentions="document type")),
    Case("KML", _kml(_PLACEMARKS), _ROWS, dialect={"format": "kml"}),
    Case("KMZ", zipped({"doc.kml": _kml(_PLACEMARKS).encode(), "files/pin.png": b"x"}), _ROWS,
         dialect={"format": "kml", "left": ["files/pin.png"]}),
    Case("placemarks without a point",
         _kml(_PLACEMARKS + "<Placemark><name>x</name></Placemark><Placemark><LineString><coordinates>-0.1,51.5 -0.2,52"
              "</coordinates></LineString></Placemark><Placemark><Point><coordinates>-0.1 51.5</coordinates></Point>"
              "</Placemark>"), [*_ROWS, *(No(line, "coordinates_missing") for line in (4, 5, 6))]),
    Case("KML with blanks behind its commas", _kml("<Placemark><Point><coordinates>-0.142, 51.501, 12</coordinates>"
         "</Point></Placemark>"), _ROWS[:1]),
    Case("KML without a placemark", _kml(""), fault=Fault("unsupported-file", mentions="no placemark")),
    Case("KML with a name of a coordinate",
         _kml("<Placemark><ExtendedData><Data name='latitude'><value>1</value></Data>"
         "</ExtendedData><Point><coordinates>-0.142,51.501</coordinates></Point></Placemark>"), _ROWS[:1],
         dialect={"latitude": "geometry_latitude", "longitude": "longitude"}),
]  # fmt: skip
