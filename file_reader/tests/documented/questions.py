"""What is asked back."""

from tests.corpus.case import At
from tests.documented.example import Example, Examples

_ROWS = [At(2, 51.501, -0.142)]
_START = "name,lat,lon\nx,51.501,-0.142\n"
_POLYGON = '"{""type"":""Polygon"",""coordinates"":[[[-0.1,51.5],[-0.2,51.5],[-0.2,51.6],[-0.1,51.5]]]}"'


def _column(cell: str, name: str = "place") -> Example:
    return Example(f'id,{name}\n1,"{cell}"\n2,"{cell}"\n')


EXAMPLES: dict[str, Examples] = {
    "Questions back": {
        "no name of a coordinate": [Example("a,b\n51.501,-0.142\n")],
        "a latitude alone": [Example("lat,b\n51.501,-0.142\n")],
        "several pairs that differ (`start_lat`, `start_lng`, `end_lat`, `end_lng`)": [
            Example("start_lat,start_lng,end_lat,end_lng\n51.501,-0.142,55.953,-3.188\n"),
            Example("id,lat_x,lon_x,lat_y,lon_y\n1,51.501,-0.142,55.953,-3.188\n"),
        ],
        "several columns with both in a cell": [Example('a,b\n"51.501, -0.142","55.953, -3.188"\n')],
        "names that do not belong together (`Latitude`, `ward_longitude`)": [
            Example("ward_latitude,site_longitude\n51.501,-0.142\n"),
            Example("a_latitude,b_longitude\n51.501,-0.142\n"),
        ],
        "a column that is not there": [Example("lat,lon\n51.501,-0.142\n", declared={"latitude": "x"})],
        "a name, and numbers that are no degrees": [Example("lat,lon\n529057,179680\n529057,179680\n529057,179680\n")],
        "no header, and no values that tell": [Example("7,3,12\n8,4,13\n")],
        "no row that can be read": [Example("lat,lon\nnorth of here,west of there\n")],
        "points and commas for the decimals": [Example('lat;lon\n51.501;-0,142\n51.502;-0,143\n')],
        "all or nearly all degrees are whole numbers": [
            Example("lat,lon\n51,0\n52,-1\n"),
            Example("lat,lon\n51.50133,-0.14204\n" + "".join(f"{50 + n % 8},{-n // 8}\n" for n in range(40))),
        ],
        "only whole numbers, or nearly so, in one of the columns": [
            Example("lat,lon\n51.501,-1\n52.502,-2\n53.503,-3\n54.504,0\n"),
        ],
        "radians": [Example("lat,lon\n0.898862,-0.002471\n"), Example("lat_rad,lon_rad\n0.89,-0.002\n")],
        "names of gons, or of another datum": [
            Example("lat_gon,lon_gon\n57.223,-0.157\n"), Example("lat_osgb36,lon_osgb36\n51.501,-0.142\n"),
        ],
        "minutes in columns of their own": [
            Example("lat,lat_min,lon,lon_min\n51,30,-1,8\n53,28,-2,14\n"), Example("Lat,m,Long,m\n51,30,-1,8\n"),
        ],
        "names of minutes in one number with the degrees (`lat_dms`), or a column that says so (`format`: `DMS`)": [
            Example("lat_dms,lon_dms\n51.3003,-0.0830\n"),
            Example("lat,lon,format\n51.300363,-0.082972,DMS\n"),
        ],
        "a longitude's name, or a line of units below it, says west, and none has a minus": [
            Example("lat,lon\n°N,°W\n51.501,0.142\n"),
            *(Example(f"LAT_N,{name}\n51.501,0.142\n") for name in ("LONG_W", "Longitude (W)")),
        ],
        "a longitude's name says west, and more numbers are above 0 than not": [
            Example("lat,lon_W\n51.501,0.142\n51.502,0.143\n52.62863,-1.29235\n"),
        ],
        "a column that is called like west (`is_west`), and says yes of a row that has no minus": [
            Example(f"lat,lon,x,is_west\n51.501,-0.142,x,{yes}\n51.502,0.143,x,{yes}\n") for yes in ("Y", "1", "true")
        ],
        "a column of E and W (in any language), of quadrants, of signs; no longitude has a minus, or many lack it": [
            Example("lat,lon,ew\n51.501,0.142,O\n"), Example("lat,lon,ew\n51.501,0.142,W\n51.501,-0.142,W\n"),
            *(Example(f"lat,lon,x\n51.501,0.142,{side}\n") for side in ("W", "NW", "-")),
        ],
        "most rows would be in the UK only with a minus, and none has one": [
            Example("lat,lon\n53.4,3.01\n55.86,4.26\n"),
        ],
        "two locations of a row more than 1 km apart, in most rows that have both: degrees, eastings, X and Y, a point"
        " in a cell, a grid reference": [
            Example("lat,lon,ngr\n51.501,-0.142,NT 25897 73996\n"),
            Example("lat,lon,easting,northing\n51.501,-0.142,325897,673996\n"),
            Example("lat,lon,X,Y\n51.501,-0.142,-3.18830,55.95325\n"),
            Example("lat,lon,geom\n51.501,-0.142,POINT (-3.188 55.953)\n"),
        ],
        "the same of another thing's place (`ward_easting`, `school_lat`)": [
            Example("lat,lon,ward_easting,ward_northing\n51.501,-0.142,325897,673996\n", _ROWS),
            Example("lat,lon,school_lat,school_lon\n51.501,-0.142,55.953,-3.188\n", _ROWS),
        ],
        "numbers above 700,000 as eastings": [Example("easting,northing\n900123,330456\n")],
        "degrees that are called eastings": [Example("easting,northing\n-3.504849,50.773608\n")],
        "eastings that are no metres": [Example("easting,northing\n529.1,179.6\n")],
        "eastings within squares of another column (`TQ`), with fewer figures than metres have": [
            Example("square,easting,northing\nTQ,2909,7964\n"),
        ],
        "names of another grid, and numbers that are not all in it": [
            Example("ITM Easting,ITM Northing\n315904,234671\n"),
        ],
        "a row that says it is in Ireland, also by its code (`N92000002`), its postcode (`BT1`), council or county, or"
        " by its grid in a column (`srid`, `grid`)": [
            *(
                Example(f"easting,northing,nation\n333900,374000,{nation}\n")
                for nation in ("NI", "N92000002", "BT1", "Mid Ulster District Council", "Co. Down")
            ),
            Example("easting,northing,srid\n333900,374000,29903\n"),
            Example("easting,northing,grid\n333900,374000,IG\n"),
        ],
        "numbers that can be of the Irish Grid too, and nothing that says British": [
            Example("easting,northing\n315904,234671\n"),
        ],
        "numbers that fit a notation which nothing names": [
            Example("x,y\n-15761.3,6710219.1\n"), Example("lat,lon\n51 30 36,-0 9 0\n"),
            Example("easting,northing\n698500,5709500\n"), Example("lat,lon\n513036,-900\n555711,-31117\n"),
        ],
        "both in one cell, and nothing that tells which comes first": [_column("40.1, 20.2")],
        "cells that look like grid references or geohashes, and no name that says so": [
            _column("SN123456"), _column("gcpuuz94k"),
        ],
        "points in metres without an SRID": [_column("POINT (529090 179645)")],
        "points with an SRID that is not converted": [_column("SRID=3035;POINT(3620000 3200000)")],
        "shapes, as WKT, GeoJSON or binary": [
            _column("LINESTRING (0 51, 0 52)"), _column("MULTIPOLYGON (((0 51, 0 52, 1 52, 0 51)))"),
            Example(f"id,shape\n1,{_POLYGON}\n"), _column("0101000000" + "0123456789abcdef" * 2),
        ],
        "several numbers in a cell": [_column("51.5 -0.1 51.6 -0.2 51.7"), _column("-0.5,50.773608,-3.504849")],
        "easting and northing in one cell; latitude and longitude with nothing between (`+51.501-000.142/`)": [
            _column("529057 179680"), _column("+51.501-000.142/"),
        ],
        "grid references with other signs, tetrads, quadrants (`TQ/290/797`, `TQ27NE`)": [
            _column("TQ/290/797"), _column("TQ27NE"), _column("TQ27Z"),
        ],
        "MGRS, Maidenhead locators, links to maps": [
            _column("30U XC 99283 09317"), _column("IO91wm"), _column("https://maps.example/@51.5,-0.1"),
        ],
        "plus codes, addresses of three words": [_column("9C3XGV4C+XV"), _column("///filled.count.soap")],
        "UTM with its zone in one cell": [_column("30U 699319 5710166")],
        "fields that are separated by a colon, a space, or another sign": [
            Example("name:lat:lon\nx:51.501:-0.142\n"),
        ],
        "west above the header, as a unit of the longitude, or as the way that longitudes count": [
            Example(",°N,°W\nid,lat,lon\n0,51.663128,0.374920\n1,51.471555,-0.108478\n"),
            Example("Longitudes: west is positive\nlat,lon\n51.501,0.142\n"),
        ],
        "no header, and numbers in the range of the UK of which many are in the sea": [
            Example("".join(f"{n},{49.5 + n * 7 % 11:.1f},{n * 5 % 9 - 7:.1f}\n" for n in range(20))),
        ],
        "rows in quotes as a whole": [Example('"lat,hdop,lon"\n"51.501,0.9,-0.142"\n')],
        "grid references with an odd number of figures": [_column("TQ29079")],
        "a header and rows with different delimiters": [Example("location;x\n51.501 -0.142\n51.501 -0.142\n")],
        "no row as wide as the header": [Example("name,lat,lon\nx,51.501,-0.142,7\ny,51.501,-0.142,8\n")],
        "options that do not agree: `osgb36_square` and no column of squares, two columns for `wkt`, one for both": [
            Example("easting,northing\n29090,79645\n", declared={"coordinates": "osgb36_square"}),
            Example("a,b\n51.501,-0.142\n", declared={"latitude": "a", "longitude": "b", "coordinates": "wkt"}),
            Example("a,b\n51.501,-0.142\n", declared={"latitude": "a", "longitude": "a"}),
        ],
        # --- the text itself
        "text in another encoding than UTF-8, UTF-16 and Windows-1252": [
            Example("name,lat,lon\nCafé,51.501,-0.142\n".encode("cp850")),
        ],
        "bytes that are not of the encoding": [Example(_START.encode() + b"\xff\xfe,51.5,-0.1\n",
                                                       declared={"encoding": "utf-8"})],
        "a quote that nothing closes": [Example(_START + '"y,52.5,-1.1\nz,53.5,-2.1\n', _ROWS)],
        "a cell in quotes whose lines look like rows: a forgotten quote would swallow them": [
            Example(_START + '"y,52.5,-1.1\nz",53.5,-2.1\n', _ROWS),
        ],
        "rows, or titles with numbers, above the names of the columns": [
            Example("2024,12\nlat,lon\n51.501,-0.142\n"),
            Example("51.5,-0.1\nlat,lon\n51.501,-0.142\n"),
        ],
        "a header once more, in another order": [Example(_START + "name,lon,lat\ny,-0.142,51.501\n", _ROWS)],
        "more than 1,048,576 characters in a line": [
            Example(lambda: (_START + "y" * (1 << 20) + ",52.5,-1.1\n").encode(), _ROWS),
        ],
        "more than 10,000 columns": [Example("lat,lon" + ",x" * 10_000 + "\n51.501,-0.142\n")],
    }
}  # fmt: skip
