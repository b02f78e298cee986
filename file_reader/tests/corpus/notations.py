"""Both coordinates in one cell."""

from tests.corpus.case import At, Case, Fault, No

_BOTH = [At(2, 51.501, -0.142), At(3, 55.953, -3.188)]
_GEOJSON = '{""type"":""Point"",""coordinates"":[%s]}'


def _column(name: str, first: str, second: str, **more: str) -> Case:
    """A file with such a column behind another."""
    return Case(name, f'name,{more.get("header", "place")}\nPalace,"{first}"\nCastle,"{second}"\n', _BOTH,
                dialect={"coordinates": more["notation"]})  # fmt: skip


CASES = [
    *(Case(f"a way that is not read: {cell}", f'name|place\nx|{cell}\ny|{cell}\n',
           fault=Fault("columns-not-found", mentions=f"column 2 (place) holds {said}"))
      for cell, said in (
          ("POLYGON ((-0.1 51.5, -0.2 51.5, -0.1 51.6, -0.1 51.5))", "shapes, which"),
          ("0101000020E6100000D0D556EC2FE3C2BFF4FDD478E9C64940", "shapes in well-known binary"),
          ("51.501009 -0.141588 12.5 4.0 1.5", "more than two numbers"), ("9C3XGV2V+X9", "plus codes"),
          ("filled.count.soap", "addresses of three words"), ("30U 699316 5710164", "UTM coordinates"))),
    _column("round brackets", "(51.501, -0.142)", "(55.953, -3.188)", notation="lat_lon"),
    _column("square brackets", "[51.501,-0.142]", "[55.953,-3.188]", notation="lat_lon"),
    _column("no brackets", "51.501, -0.142", "55.953,-3.188", notation="lat_lon"),
    _column("a space between them", "51.501 -0.142", "55.953  -3.188", notation="lat_lon"),
    _column("a semicolon between them", "51.501; -0.142", "55.953;-3.188", notation="lat_lon"),
    _column("longitude first, told by the values", "-0.142, 51.501", "-3.188,55.953", notation="lon_lat"),
    _column("the name says both", "51.501, -0.142", "55.953,-3.188", notation="lat_lon", header="Lat/Lon"),
    _column("WKT", "POINT(-0.142 51.501)", "POINT(-3.188 55.953)", notation="wkt"),
    _column("WKT as PostGIS and others write it", "SRID=4326;POINT(-0.142 51.501)", "point z (-3.188 55.953 12)",
         notation="wkt"),
    _column("WKT with heights and measures", "POINT M (-0.142 51.501 1)", "POINT ZM (-3.188 55.953 12 1)",
         notation="wkt"),
    _column("the name says both, in quotes", "51.501, -0.142", "55.953,-3.188", notation="lat_lon", header='"lat,lon"'),
    Case("a column of pairs under both names in quotes", '"lat,lon"\n"51.501,-0.142"\n"55.953,-3.188"\n', _BOTH,
         dialect={"delimiter": ",", "coordinates": "lat_lon"}),
    _column("GeoJSON", _GEOJSON % "-0.142,51.501", _GEOJSON % "-3.188, 55.953, 12.5", notation="geojson"),
    Case("GeoJSON without quotes, tabs", 'name\tgeom\nx\t{"type":"Point","coordinates":[-0.142,51.501]}\n',
         [At(2, 51.501, -0.142)], dialect={"delimiter": "\t", "coordinates": "geojson"}),
    Case("a pair behind a tab, its comma is no delimiter", "name\tplace\nPalace\t51.501, -0.142\n"
         "Castle\t55.953, -3.188\n",
         _BOTH, dialect={"delimiter": "\t", "coordinates": "lat_lon"}),
    Case("a pair behind a semicolon, its comma is no delimiter",
         "name;place\nPalace;51.501, -0.142\nCastle;55.953, -3.188\n",
         _BOTH, dialect={"delimiter": ";", "coordinates": "lat_lon"}),
    Case("a pair behind a semicolon, with both names in one header",
         "name;lat, lon\nPalace;51.501, -0.142\nCastle;55.953, -3.188\n",
         _BOTH, dialect={"delimiter": ";", "coordinates": "lat_lon"}),
    Case("a pair behind a tab, with both names in one header", "name\tLatitude,Longitude\nPalace\t51.501,-0.142\n",
         [At(2, 51.501, -0.142)], dialect={"delimiter": "\t", "coordinates": "lat_lon"}),
    Case("a column of pairs and nothing else", '"place"\n"51.501, -0.142"\n"55.953, -3.188"\n', _BOTH),
    Case("pairs without quotes and without a header are two columns", "51.501, -0.142\n55.953, -3.188\n",
         [At(1, 51.501, -0.142), At(2, 55.953, -3.188)], dialect={"delimiter": ",", "coordinates": "degrees"}),
    Case("a pair, no header", '7,"(51.501, -0.142)"\n8,"(55.953, -3.188)"\n', [At(1, 51.501, -0.142), At(2, 55.953,
         -3.188)],
         dialect={"has_header": False, "latitude": 2, "longitude": 2}),
    Case("separate columns beside one with both", 'lat,lon,location\n51.501,-0.142,"(51.5, -0.1)"\n', [At(2, 51.501,
         -0.142)],
         dialect={"coordinates": "degrees"}),
    Case("cells that hold something else", 'name,place\na,"51.501, -0.142"\nb,unknown\nc,\nd,"55.953, -3.188"\n'
         'e,"-0.142, 51.501"\nf,"91.5, -0.1"\ng,"51.5, 190.1"\nh,"51.5, 55.9"\ni,"51.501, -0.142"\nj,"51.501, -0.142"\n'
         + "".join(f'{name},"51.501, -0.142"\n' for name in "klmnopqrstuvwxyz"),
         [At(2, 51.501, -0.142), No(3, "not_coordinates"), No(4, "coordinates_missing"), At(5, 55.953, -3.188),
          No(6, "coordinates_swapped"), No(7, "latitude_out_of_range"), No(8, "longitude_out_of_range"), At(9, 51.5,
          55.9),
          *(At(line, 51.501, -0.142) for line in range(10, 28))]),
    Case("other shapes in a column of points", "id;geom\n1;POINT(-0.142 51.501)\n2;POINT(-3.188 55.953)\n"
         "3;LINESTRING(0 51, 1 52)\n"
         "4;POINT(-0.1)\n5;\n6;POINT(-0.142 51.501)\n7;POINT(-0.142 51.501)\n",
         [At(2, 51.501, -0.142), At(3, 55.953, -3.188), No(4, "not_coordinates"), No(5, "not_coordinates"),
          No(6, "coordinates_missing"), At(7, 51.501, -0.142), At(8, 51.501, -0.142)]),
    _column("points with a height and an accuracy, as ODK has them", "51.501 -0.142 12.0 4.5", "55.953 -3.188 0 0",
            notation="lat_lon"),
    _column("GeoJSON as Python writes it", "{'type': 'Point', 'coordinates': [-0.142, 51.501]}",
            "{'type': 'Point', 'coordinates': [-3.188, 55.953]}", notation="geojson"),
    _column("features and points of one",
            '{""type"":""Feature"",""geometry"":{""type"":""Point"",""coordinates"":[-0.142,51.501]},""properties"":{}}',
            '{""type"":""MultiPoint"",""coordinates"":[[-3.188,55.953]]}', notation="geojson"),
    _column("WKT of several points, of one each", "MULTIPOINT ((-0.142 51.501))", "MULTIPOINT(-3.188 55.953)",
            notation="wkt"),
    _column("Socrata's objects", '{""latitude"":""51.501"",""longitude"":""-0.142"",""human_address"":""{}""}',
            '{""latitude"":""55.953"",""longitude"":""-3.188""}', notation="json"),
    _column("objects with short names", '{""lat"":51.501,""lon"":-0.142}', '{""lat"":55.953,""lng"":-3.188}',
            notation="json"),
    Case("cells of JSON that hold something else", 'id;place\n1;{"lat":51.501,"lon":-0.142}\n2;{"lat":51.501}\n'
         '3;{"lat":null,"lon":null}\n4;[51.5,-0.1]\n' + '5;{"lat":51.501,"lon":-0.142}\n' * 6,
         [At(2, 51.501, -0.142), No(3, "not_coordinates"), No(4, "coordinates_missing"), No(5, "not_coordinates"),
          *(At(line, 51.501, -0.142) for line in range(6, 12))]),
    Case("GeoJSON that is not in degrees of WGS 84", 'id;geom\n1;{"type":"Point","coordinates":[-0.142,51.501]}\n'
         '2;{"type":"Point","coordinates":[-0.142,51.501],"crs":{"properties":{"name":"EPSG:4277"}}}\n'
         '3;{"type":"Point","coordinates":[-0.142,51.501],"crs":{"properties":{"name":"urn:ogc:def:crs:OGC::CRS84"}}}\n'
         '4;{"type":"MultiPoint","coordinates":[[-0.142,51.501],[0.1,51.5]]}\n5;{"type":"Feature","geometry":null}\n'
         + '6;{"type":"Point","coordinates":[-0.142,51.501]}\n' * 6,
         [At(2, 51.501, -0.142), No(3, "unknown_srid"), At(4, 51.501, -0.142), No(5, "not_coordinates"),
          No(6, "not_coordinates"), *(At(line, 51.501, -0.142) for line in range(7, 13))]),
    Case("points of other grids, each with its SRID",
         "id,geom\n1,SRID=27700;POINT(529090 179645)\n2,SRID=29903;POINT(315904 234671)\n"
         "3,SRID=2157;POINT(715830 734697)\n4,SRID=4326;POINT(-0.142 51.501)\n5,SRID=3857;POINT(-15761.3 6710219.1)\n"
         "6,SRID=32630;POINT(698500 5709500)\n7,SRID=3035;POINT(3620000 3200000)\n8,POINT EMPTY\n",
         [At(2, 51.50101, -0.14156, 2), At(3, 53.3498, -6.26025, 1), At(4, 53.3498, -6.26025, 1),
          At(5, 51.501, -0.142), At(6, 51.5, -0.141586, 1), At(7, 51.501726, -0.13992, 1), No(8, "unknown_srid"),
          No(9, "coordinates_missing")]),
    Case("points of a projection that is not known", "id,geom\n1,SRID=3035;POINT(3620000 3200000)\n",
         fault=Fault("columns-not-found", mentions="SRID=3035, which is not converted")),
    Case("points in metres of nobody knows which grid", "id;geom\n1;POINT(529090 179645)\n",
         fault=Fault("columns-not-found", mentions="SRID=27700;")),
    Case("WKT of whole degrees", "id;geom\n1;POINT(0.0 52.0)\n2;POINT(-1.0 53.0)\n",
         fault=Fault("columns-not-found", {"candidates": [2]}, "whole numbers")),
    Case("three columns with spaces between under a header",
         "id lat lon\n1 50.773608 -3.504849\n2 51.642514 -3.924037\n",
         fault=Fault("columns-not-found", {"fix": {"delimiter": "space"}}, "separated by ' '")),
    Case("three columns in one of others", "id,id lat lon\n7,1 50.773608 -3.504849\n8,2 51.642514 -3.924037\n",
         fault=Fault("columns-not-found", {"fix": {"delimiter": "space"}}, "separated by ' '")),
    Case("a depth before the location", "name;gps\na;-0.5,50.773608,-3.504849\nb;-1.5,51.642514,-3.924037\n",
         fault=Fault("columns-not-found", {"candidates": [2]}, "not only the first two")),
    Case("a depth behind the location", "name;gps\na;50.773608,-3.504849,-0.5\nb;51.642514,-3.924037,-1.5\n",
         [At(2, 50.773608, -3.504849), At(3, 51.642514, -3.924037)]),
    *(
        Case(f"not read, and named: {cell}", f'id,place\n1,"{cell}"\n2,"{cell}"\n',
             fault=Fault("columns-not-found", mentions=words))
        for cell, words in (
            ("TQ/290/797", "in another way than is read"), ("TQ27NE", "in another way than is read"),
            ("30U XC 99283 09317", "MGRS"), ("IO91wm", "Maidenhead"), ("+51.501009-000.141588/", "without anything"),
            ("geo:51.501009,-0.141588", "addresses of places"), ("529057 179680", "eastings and northings in one cell"),
            ('{""type"":""Polygon"",""coordinates"":[[[0,51],[0,52],[1,52],[0,51]]]}', "holds shapes"),
        )
    ),
    Case("two columns of pairs", 'a,b\n"51.501, -0.142","55.953, -3.188"\n',
         fault=Fault("columns-not-found", {"candidates": [1, 2]})),
    Case("two columns of pairs, one declared", 'a,b\n"51.501, -0.142","55.953, -3.188"\n', [At(2, 55.953, -3.188)],
         declared={"latitude": "b", "longitude": "b"}),
    Case("two columns of pairs, one declared once", 'a,b\n"51.501, -0.142","55.953, -3.188"\n', [At(2, 55.953, -3.188)],
         declared={"latitude": "2"}),
    Case("two columns of points, one declared once", "a;b\n;POINT(-3.188 55.953)\n", [At(2, 55.953, -3.188)],
         declared={"longitude": "b", "coordinates": "wkt"}),
    Case("two columns declared for both in one", "a;b\n;POINT(-3.188 55.953)\n",
         declared={"latitude": "a", "longitude": "b", "coordinates": "wkt"},
         fault=Fault("columns-not-found", mentions="wkt")),
    Case("separate columns that are empty beside one with both", 'lat,lon,location\n,,"(51.501, -0.142)"\n'
         ',,"(55.953, -3.188)"\n', _BOTH, dialect={"latitude": "location"}),
    Case("nothing tells which comes first", 'name,place\na,"40.1, 20.2"\nb,"41.1, 21.2"\n',
         fault=Fault("columns-not-found", {"candidates": [2]}, "coordinates=")),
    Case("which comes first is declared", 'name,place\na,"40.1, 20.2"\nb,"41.1, 21.2"\n', [At(2, 20.2, 40.1), At(3,
         21.2, 41.1)],
         declared={"coordinates": "lon_lat"}),
    Case("the header tells which comes first", 'name,lon_lat\na,"40.1, 20.2"\n', [At(2, 20.2, 40.1)]),
    Case("declared, though most cells hold none", "id;geom\n1;POINT(-0.142 51.501)\n2;unknown\n3;unknown\n",
         [At(2, 51.501, -0.142), No(3, "not_coordinates"), No(4, "not_coordinates")],
         declared={"latitude": "geom", "longitude": "geom", "coordinates": "wkt"}),
    Case("declared, whole degrees", "id;geom\n1;POINT(0 52)\n2;POINT(-1 53)\n", [At(2, 52, 0), At(3, 53, -1)],
         declared={"latitude": "geom", "longitude": "geom", "coordinates": "wkt"}),
    Case("declared, and no row yet", "id;geom\n", declared={"latitude": "geom", "longitude": "geom",
         "coordinates": "wkt"}),
    Case("versions and addresses are no pairs", 'name,version\na,"1.2.3, 4.5.6"\nb,192.168.0.1\n',
         fault=Fault("columns-not-found")),
]  # fmt: skip
