"""How a table is written, how coordinates are, and what becomes of rows."""

from collections.abc import Callable

from tests.corpus.case import At, No
from tests.documented.example import Example, Examples
from tests.places import Location, around, exchanged_reference, of_britain, table

_PLACE = (51.501, -0.142)
_ROWS = [At(2, *_PLACE)]
_METRES = (51.50133, -0.14204)
_SPIRE = (53.3498, -6.26025)
_DMS = (51.501, -0.141667)


def _two(latitude: str, longitude: str, at: tuple[float, float] = _PLACE, **declared: str) -> Example:
    cells = ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in (latitude, longitude))
    return Example(f"lat,lon\n{cells}\n", [At(2, *at, 1)], declared,
                   {"coordinates": declared.get("coordinates", "degrees")})  # fmt: skip


def _metres(names: str, numbers: str, notation: str, at: tuple[float, float], **declared: str) -> Example:
    return Example(f"{names}\n{numbers}\n", [At(2, *at, 2)], declared, {"coordinates": notation})


def _one(cell: str, notation: str, name: str = "place", at: tuple[float, float] = _PLACE, **declared: str) -> Example:
    quoted = cell.replace('"', '""')
    return Example(f'id,{name}\n1,"{quoted}"\n', [At(2, *at, 2)], declared, {"coordinates": notation})


def _sides(rows: int, wrong: str) -> Example:
    lines = ["lat,lon,ew", *["51.501,-0.142,W"] * rows, wrong]
    return Example(
        "\n".join(lines), [*(At(line, *_PLACE) for line in range(2, rows + 2)), No(rows + 2, "side_unclear")]
    )


_WORLD = "40.7,-74.006\n-33.865,151.209\n48.857,2.352\n"
_GEOJSON = '"type":"%s","coordinates":%s'

_DIALECT: Examples = {
    "encoding": [
        Example("name,lat,lon\né,51.501,-0.142\n".encode(code), _ROWS, dialect={"encoding": told})
        for code, told in (("utf-8", "utf-8"), ("utf-16", "utf-16"), ("cp1252", "cp1252"))
    ] + [Example("name,lat,lon\né,51.501,-0.142\n".encode("cp850"), _ROWS, {"encoding": "cp850"})],
    "delimiter": [
        Example(f"name{sign}lat{sign}lon\nx{sign}51.501{sign}-0.142\n", _ROWS, dialect={"delimiter": sign})
        for sign in ",;\t|"
    ] + [Example("name^lat^lon\nx^51.501^-0.142\n", _ROWS, {"delimiter": "^"})],
    "quotes": [
        Example('name,lat,lon\n"a, b",51.501,-0.142\n', _ROWS, dialect={"quoting": "quotes"}),
        Example('name\tlat\tlon\nthe "mill\t51.501\t-0.142\n', _ROWS, dialect={"quoting": "none"}),
        Example('name\tlat\tlon\n"a\tb"\t51.501\t-0.142\n', _ROWS, dialect={"quoting": "quotes"}),
        Example('name,lat,lon\n"mill,51.501,-0.142\n', _ROWS, {"quoting": "none"}),
    ],
    "header": [
        Example("lat,lon\n51.501,-0.142\n", _ROWS, dialect={"has_header": True}),
        Example("x,51.501,-0.142\n", [At(1, *_PLACE)], dialect={"has_header": False}),
        Example("Sites\n# of May\nsep=,\nlat,lon\n51.501,-0.142\n", [At(5, *_PLACE)], dialect={"preamble": 3}),
        Example("lat,lon\n51.501,-0.142\n", [No(1, "not_a_number"), At(2, *_PLACE)],
                {"has_header": False, "latitude": "1", "longitude": "2"}),
    ],
    "decimal sign": [
        Example("lat;lon\n51.501;-0.142\n", _ROWS, dialect={"decimal": "."}),
        Example("lat;lon\n51,501;-0,142\n", _ROWS, dialect={"decimal": ","}),
        Example("lat;lon\n51,501;-0,142\n", _ROWS, {"decimal": ","}),
    ],
    "columns by name": [
        Example(f"{names}\n51.501,-0.142\n", _ROWS, dialect={"latitude": names.split(",")[0]})
        for names in ("Latitude,Longitude", "Breitengrad,Längengrad", "szerokość,długość", "纬度,经度")
    ] + [Example("a,b\n51.501,-0.142\n", _ROWS, {"latitude": "a", "longitude": "b"})],
    "columns without a header": [
        Example("7,51.501,-0.142,x\n8,51.501,-0.142,y\n", [At(1, *_PLACE), At(2, *_PLACE)],
                dialect={"latitude": 2, "longitude": 3}),
        Example("a,-33.86514,151.20991,b\nc,40.71278,-74.00611,d\n", [At(1, -33.86514, 151.20991),
                At(2, 40.71278, -74.00611)], dialect={"latitude": 2, "longitude": 3}),
        Example("7,9,51.501,-0.142\n", [At(1, *_PLACE)], {"latitude": "3", "longitude": "4"}),
    ],
    "notation": [Example("name,place\nx,POINT (-0.142 51.501)\n", _ROWS, dialect={"coordinates": "wkt"})],
}  # fmt: skip
_NOTATIONS: Examples = {
    "`degrees`": [_two("51.501", "-0.142"), _two("51°30'3.6\"N", "0°8'30\"W", _DMS),
                  Example("51.501,-0.142\n", [At(1, *_PLACE)], dialect={"coordinates": "degrees"})],
    "`dms`": [_two("51 30 3.6", "-0 8 30", _DMS, coordinates="dms"),
              _two("51-30-3.6", "-0-8-30", _DMS, coordinates="dms")],
    "`ddmmss`, `ddmm`, `dd.mmss`, `dd.mmmm`": [
        _two("513003.6", "-000830", _DMS, coordinates="ddmmss"), _two("5130.06", "-8.5", _DMS, coordinates="ddmm"),
        _two("51.300360", "-0.0830", _DMS, coordinates="dd.mmss"),
        _two("51.300600", "-0.0850", _DMS, coordinates="dd.mmmm"),
    ],
    "`degrees_e5`, `degrees_e6`, `degrees_e7`": [
        Example("lat,lon\n515010090,-1420000\n", [At(2, 51.501009, -0.142)], dialect={"coordinates": "degrees_e7"}),
        Example("lat,lon\n51501009,-142000\n", [At(2, 51.501009, -0.142)], dialect={"coordinates": "degrees_e6"}),
        Example("lat,lon\n5150101,-14200\n", [At(2, 51.50101, -0.142)], dialect={"coordinates": "degrees_e5"}),
    ],
    "`osgb36`": [_metres("easting,northing", "529057,179680", "osgb36", _METRES),
                 _metres("X,Y", "529057,179680", "osgb36", _METRES)],
    "`osgb36_square`": [_metres("sq,easting,northing", "TQ,29057,79680", "osgb36_square", _METRES),
                        _metres("sq,easting,northing", "TQ,2909,7964", "osgb36_square", (50.862037, -0.539137),
                                coordinates="osgb36_square")],
    "`irish_grid`, `itm`, `utm29`, `utm30`, `utm31`, `web_mercator`": [
        _metres("Irish Easting,Irish Northing", "315904,234671", "irish_grid", _SPIRE),
        _metres("ITM Easting,ITM Northing", "715830,734697", "itm", _SPIRE),
        _metres("X_3857,Y_3857", "-15761.3,6710219.1", "web_mercator", (51.5, -0.141586)),
        _metres("UTM30 Easting,UTM30 Northing", "698500,5709500", "utm30", (51.501726, -0.13992)),
        *(_metres("easting,northing", "698500,5709500", f"utm{zone}", (51.501726, -0.13992 + 6 * (zone - 30)),
                  coordinates=f"utm{zone}") for zone in (29, 31)),
    ],
    "`lat_lon`, `lon_lat`": [
        *(_one(cell, "lat_lon") for cell in ("51.501, -0.142", "(51.501, -0.142)", "51.501 -0.142 12 5",
                                             "51.501N 0.142W")),
        _one("51°30'3.6\"N 0°8'30\"W", "lat_lon", at=_DMS), _one("-0.142, 51.501", "lon_lat"),
        _one("20.1, 10.2", "lon_lat", "lon_lat", (10.2, 20.1)),
        _one("20.1, 10.2", "lat_lon", "place", (20.1, 10.2), coordinates="lat_lon"),
    ],
    "`wkt`": [
        *(_one(cell, "wkt") for cell in ("POINT (-0.142 51.501)", "POINT Z (-0.142 51.501 7)",
                                         "POINT M (-0.142 51.501 7)", "MULTIPOINT ((-0.142 51.501))",
                                         "SRID=4326;POINT (-0.142 51.501)")),
        _one("SRID=27700;POINT (529057 179680)", "wkt", at=_METRES),
        _one("SRID=29903;POINT (315904 234671)", "wkt", at=_SPIRE),
        _one("SRID=2157;POINT (715830 734697)", "wkt", at=_SPIRE),
        _one("SRID=3857;POINT (-15761.3 6710219.1)", "wkt", at=(51.5, -0.141586)),
        *(_one(f"SRID={srid};POINT (698500 5709500)", "wkt", at=(51.501726, -0.13992 + 6 * (srid - 32_630)))
          for srid in (32_629, 32_630, 32_631)),
    ],
    "`geojson`": [
        _one("{" + _GEOJSON % ("Point", "[-0.142,51.501]") + "}", "geojson"),
        _one("{" + _GEOJSON % ("MultiPoint", "[[-0.142,51.501]]") + "}", "geojson"),
        _one('{"type":"Feature","geometry":{' + _GEOJSON % ("Point", "[-0.142,51.501]") + "}}", "geojson"),
    ],
    "`json`": [
        _one(cell, "json")
        for cell in ('{"lat": 51.501, "lon": -0.142}', '{"latitude":"51.501","lng":"-0.142"}',
                     '{"latitude":51.501,"longitude":-0.142}', '{"lat":51.501,"long":-0.142}')
    ],
    "`grid_reference`": [
        _one("TQ 29090 79645", "grid_reference", at=(51.50101, -0.14156)),
        _one("TQ2979", "grid_reference", "ngr", (51.49961, -0.13571)),
        _one("TQ27", "grid_reference", "grid_ref", (51.46018, -0.20210)),
        _one("J 338 743", "grid_reference", at=(54.59965, -5.92965)),
    ],
    "`geohash`": [_one("gcpuuz94k", "geohash", "geohash", (51.501567, -0.141256))],
    # --- a coordinate
    "an angle with its marks (`51°30'3.6\"N`, `51:30:03.6`, `51d30m3.6s`)": [
        _two(cell, "-0:8:30", _DMS) for cell in ("51°30'3.6\"N", "51:30:03.6", "51d30m3.6s")
    ],
    "a letter or word for its side, before or behind (`N 51 30.06`, `51-30-03.6n`, `51.501 North`, `0.14 Ouest`)": [
        *(_two(cell, "W 0 8 30", _DMS) for cell in ("N 51 30.06", "51-30-03.6n", "51.501 North")),
        _two("51.501", "0.14 Ouest", (51.501, -0.14)),
    ],
    "a minus behind the number, as mainframes write it (`0.14-`)": [_two("51.501", "0.14-", (51.501, -0.14))],
    "a sign and a letter together (`-0.14W`)": [
        Example("lat,lon\n51.501,-0.142\n51.501,-0.14W\n", [*_ROWS, No(3, "sign_and_letter")]),
    ],
    "`O` for a side, an `e` at a number": [
        Example("lat,lon\n51.501,-0.142\n51.501,0.14O\n51.501,0.14e\n",
                [*_ROWS, No(3, "letter_unclear"), No(4, "letter_unclear")]),
    ],
    "a number in brackets": [
        Example("lat,lon\n51.501,-0.142\n51.501,(0.14)\n", [*_ROWS, No(3, "sign_unclear")]),
    ],
    "a grid reference, a geohash": [
        Example("grid_ref\n" + "TQ 290 796\n" * 220 + "TQ27\n",
                [*(At(line, 51.50106, -0.14214, 5) for line in range(2, 222)), No(222, "square_too_large")]),
        _one("gcpuuz94k", "geohash", "geohash", (51.501567, -0.141256)),
    ],
    "degrees with two decimals or fewer, or whole minutes, in nearly all of the first rows (in one of the columns is"
    " enough)": [
        Example("lat,lon\n" + "".join(f"{50 + n}.5,-0.14{n}\n" for n in range(4)),
                [At(n + 2, 50.5 + n, -0.14 - n / 1_000, 1) for n in range(4)]),
        _two("51.5", "-0.14", (51.5, -0.14)), _two("51.5N", "0.14W", (51.5, -0.14)),
        _two("51°28'N", "3°10'W", (51.466667, -3.166667)),
    ],
    "degrees with two decimals or fewer in 200 rows behind each other": [
        Example(table("id,lat,lon", around([(52.6283, 1.2923)], 300)) + b"1,51.53,-0.14\n" * 210),
    ],
    "60 or more places on a net, none nearer to another than some 900 m to the north or to the east": [
        Example(table("id,lat,lon", [(51 + n // 8 * 0.043945, -2 + n % 8 * 0.043945) for n in range(64)],
                      "{0[0]:.6f},{0[1]:.6f}".format)),
    ],
    "degrees with an exponent and few digits (`5.36E+01`)": [
        Example("lat,lon\n5.36E+01,-3.07E+00\n", [At(2, 53.6, -3.07)]),
    ],
    "metres in which all are whole kilometres, or in the middle of squares of 2, 5 or 10 km": [
        Example("easting,northing\n525000,185000\n535000,175000\n"),
        Example("easting,northing\n529000,180000\n530000,181000\n", [At(2, 51.504220, -0.142744, 5),
                At(3, 51.512980, -0.127977, 5)]),
    ],
    "grid references in a column whose name does not say so": [
        _one("TQ 29090 79645", "grid_reference", at=(51.50101, -0.14156)),
    ],
}  # fmt: skip
_BAD_ROWS: Examples = {
    "swapped, in a file of the UK": [
        Example("lat,lon\n-0.142,51.501\n51.501,-0.142\n-0.142,51.501\n",
                [No(2, "coordinates_swapped"), At(3, *_PLACE), No(4, "coordinates_swapped")]),
    ],
    "the same in a file of the world, in which most locations are abroad": [
        Example(f"lat,lon\n{_WORLD}-4.68,55.49\n", [At(2, 40.7, -74.006), At(3, -33.865, 151.209), At(4, 48.857, 2.352),
                At(5, -4.68, 55.49)]),
    ],
    "of delimiters only": [Example("lat,lon\n51.501,-0.142\n,\n", [*_ROWS, No(3, "empty_row")])],
    "that begins with `#`, at the end": [
        Example("lat,lon\n51.501,-0.142\n# 1 row\n", [*_ROWS, No(3, "comment")]),
        Example("lat,lon\n51.501,-0.142\n#end\n", [*_ROWS, No(3, "comment")]),
    ],
    "that begins with a word for the mean (`Average`, `mean`), and has nothing but numbers behind it": [
        Example("name,lat,lon\nx,51.501,-0.142\nMean,51.501,-0.142\n", [*_ROWS, No(3, "sums_up")]),
    ],
    "of labels or units below the header, or the header again": [
        Example("name,lat,lon\n,Latitude of home,Longitude of home\nx,51.501,-0.142\nname,lat,lon\n",
                [No(2, "not_a_number"), At(3, *_PLACE), No(4, "not_a_number")]),
    ],
    "in which the column of sides says another side than the sign, also if it was empty at first": [
        _sides(12, "51.501,0.142,W"),
        Example("lat,lon,ew\n" + "52.62863,1.29235,\n" * 250 + "51.501,0.142,W\n",
                [*(At(line, 52.62863, 1.29235) for line in range(2, 252)), No(252, "side_unclear")]),
    ],
    "without the letter that the others have": [
        Example("lat,lon\n51.501N,0.142W\n51.501N,0.142W\n51.501N,0.142W\n51.501,0.142\n",
                [*(At(line, *_PLACE) for line in (2, 3, 4)), No(5, "side_unclear")]),
    ],
    "without a minus, in which a column called like west says yes, while it agreed with the first rows": [
        Example("lat,lon,x,west\n" + "51.501,-0.142,x,Y\n" * 220 + "51.501,0.142,x,Y\n",
                [*(At(line, *_PLACE) for line in range(2, 222)), No(222, "side_unclear")]),
    ],
    "in which a second location, which was at the same place in most of the first rows, is more than 1 km away": [
        Example("lat,lon,easting,northing\n" + "51.501330,-0.142040,529057,179680\n" * 3
                + "51.50133,-0.14204,325897,673996\n",
                [*(At(line, 51.50133, -0.14204) for line in range(2, 5)), No(5, "places_apart")]),
    ],
    "with a CR inside of a cell": [
        Example("name,lat,lon\nhello\r world,51.501,-0.142\ny,51.501,-0.142\n", [At(2, *_PLACE), At(3, *_PLACE)]),
        Example("lat,lon\r51.501,-0.142\r", _ROWS),
    ],
}  # fmt: skip
_EAST = around([(52.6283, 1.2923)], 300)


def _without_minus(places: list[tuple[float, float]]) -> bytes:
    return table("id,lat,lon", places, lambda at: f"{at[0]:.6f},{abs(at[1]):.6f}")


def _packed(rows: int) -> str:
    return "lat,lon\n" + "".join(
        f"{50 + n % 8}.{n * 7 % 60:02}{n * 11 % 60:02}41,-{n % 4}.{n * 13 % 60:02}{n * 17 % 60:02}77\n"
        for n in range(rows)
    )


def _late(right: bytes, wrong: str, rows: int = 250) -> bytes:
    """What is wrong stands behind the rows that are looked at first, and within the first 128 KiB."""
    return right + (wrong + "\n").encode() * rows


def _in_turn(places: list[Location], wrong: Callable[[Location], Location]) -> bytes:
    return table("id,lat,lon", [wrong(at) if number % 2 else at for number, at in enumerate(places)])


#: Of all parts of the country.
_ON_GRID = ((529090, 179645), (318234, 176345), (248345, 54678), (265432, 193234), (425123, 564567), (292345, 92567),
            (412345, 390123), (257890, 665123))  # fmt: skip
_IN_TURN_ON_GRID = "easting,northing,country\n" + "".join(
    f"{easting},{northing},GB\n{northing},{easting},GB\n" for easting, northing in _ON_GRID
)
_SECOND: Examples = {
    "`west_is_said`": [
        Example(_late(table("id,lat,lon,a,b", _EAST, "{0[0]},{0[1]},x,unknown".format), "1,51.501,0.142,x,NW", 3_000)),
    ],
    "`minus_lost`": [
        Example(table("id,lat,lon", _EAST) + b"".join(
            f"{n},{at[0]:.6f},{abs(at[1]):.6f}\n".encode()
            for n, at in enumerate(at for at in of_britain(2_000) if at[1] < 0))),
    ],
    "`minus_lost_in_part`": [Example(_in_turn(of_britain(20), lambda at: (at[0], abs(at[1]))))],
    "`one_rounded_in_part`": [
        Example("lat,lon\n" + "51.501009,-0.141588\n" * 5 + "".join(
            f"{n}.{n % 3},-2.14{n}58\n" for n in range(51, 56))),
    ],
    "`zero_degrees`": [
        Example(table("id,lat,lon", [(n, abs(e) if e > -1 else e) for n, e in of_britain(400) if n < 55])),
    ],
    "`filled_in`": [
        Example("lat,lon\n51.501009,-0.141588\n" + "".join(f"{51.5 + n / 7:.6f},{zero}\n" for n in range(4)))
        for zero in ("0", "0.0", "0.000000")
    ],
    "`rounded_in_part`": [
        Example("lat,lon\n51.501009,-0.141588\n51.503,-0.1276\n" + f"{rounded}\n" * 4)
        for rounded in ("54,-2", "51.5,-0.1")
    ],
    "`minutes_packed`": [
        Example(_packed(15)),
        Example(table("id,lat,lon", _EAST) + b"".join(
            b"1," + line.encode() + b"\n" for line in _packed(300).splitlines()[1:])),
    ],
    "`minutes_behind_point`": [
        Example(table("id,lat,lon", of_britain(60), lambda at: ",".join(
            f"{'-' if one < 0 else ''}{int(abs(one))}.{int(abs(one) % 1 * 60):02}" for one in at))),
        Example(table("id,lat,lon", of_britain(300), lambda at: ",".join(
            f"{int(one) + abs(one) % 1 * (0.6 if one > 0 else -0.6):.6f}" for one in at))),
    ],
    "`latitude_packed`, `longitude_packed`": [
        Example("lat,lon\n" + "".join(f"{51 + n * 0.0173:.6f},{row.split(',')[1]}\n" for n, row in enumerate(
            _packed(60).splitlines()[1:]))),
        Example("lat,lon\n" + "".join(f"{row.split(',')[0]},{-n * 0.0173:.6f}\n" for n, row in enumerate(
            _packed(60).splitlines()[1:]))),
    ],
    "`radians`": [Example(_late(table("id,lat,lon", _EAST), "1,0.9275892,-0.0524027"))],
    "`whole_degrees`": [Example(_late(table("id,lat,lon", _EAST), "1,53,-3"))],
    "`same_number_twice`": [Example(_late(table("id,lat,lon", _EAST), "1,53.146945,53.146945"))],
    "`grid_exchanged`": [Example("easting,northing\n179645,529090\n")],
    "`reference_exchanged`": [
        Example(table("id,ngr", [at for at in of_britain(3_000) if at[0] < 55][:100], exchanged_reference)),
    ],
    "`grid_exchanged_in_part`": [Example(_IN_TURN_ON_GRID)],
    "`rows_in_quotes`": [
        Example('id,name,lat,lon\n1,a,51.501,-0.141\n2,"mill,51.502,-0.142\n3,51.5\n4,pond",51.503,-0.143\n'),
    ],
}  # fmt: skip
_NOBODY: Examples = {
    "the minus lost in London or the east": [
        Example(_without_minus([at for at in of_britain(3_000) if 51.4 < at[0] < 51.6 and -0.3 < at[1] < 0][:40])),
    ],
    "easting and northing exchanged in the middle of the country": [
        Example("easting,northing\n400000,430000\n", [At(2, 53.7663627, -2.0014817)]),
        Example("easting,northing\n430000,400000\n", [At(2, 53.4958702, -1.5492588)]),
    ],
    "`51.300363,-0.082972` for 51°30'03.63\" and 0°08'29.72\": a few rows, or many of one street": [
        Example("lat,lon\n" + "51.300363,-0.082972\n" * 25, [At(line, 51.300363, -0.082972) for line in range(2, 27)]),
        Example(_packed(4), [At(line, *map(float, row.split(","))) for line, row in enumerate(
            _packed(4).splitlines()[1:], 2)]),
    ],
    "rows with a minus and rows that have lost it in turn, in London or the east": [
        Example(_in_turn([at for at in of_britain(3_000) if 51.4 < at[0] < 51.6 and -0.3 < at[1] < 0][:40],
                         lambda at: (at[0], abs(at[1])))),
    ],
    "degrees with decimals and degrees with minutes in turn, with fewer than 200 of each behind each other": [
        Example("lat,lon\n" + "51.678912,-0.142876\n51.5501,-0.0231\n" * 30,
                [At(line, *((51.5501, -0.0231) if line % 2 else (51.678912, -0.142876))) for line in range(2, 62)]),
        Example(table("id,lat,lon", [(51.678912, -0.142876), (54.512345, 2.512345)] * 30)),
    ],
    "a longitude of 0 for one that is not known, in one to three rows": [
        Example("lat,lon\n51.574894,0\n51.501,-0.142\n", [At(2, 51.574894, 0), At(3, *_PLACE)]),
    ],
    "two or three rows of twelve that have lost their minus": [
        Example(table("id,lat,lon", [*of_britain(9), (54.5, 1.5), (53.8, 1.6), (53.4, 2.2)])),
    ],
    "columns that change their places further down without a header": [
        Example("lat,lon,alt\n" + "51.501,-0.142,30\n" * 3 + "30,51.501,-0.142\n-0.142,51.501,30\n",
                [*(At(line, *_PLACE) for line in (2, 3, 4)), At(5, 30, 51.501), No(6, "coordinates_swapped")]),
    ],
    "rows of 10 km squares among exact eastings; one of both coordinates rounded in one to three rows": [
        Example("lat,lon\n51.501,-0.142\n51.503,-0.146\n51,-0.843959\n51.502,-0.141\n",
                [At(2, *_PLACE), At(3, 51.503, -0.146), At(4, 51, -0.843959), At(5, 51.502, -0.141)]),
        Example("easting,northing\n529090,179645\n525000,185000\n"),
    ],
    "places moved to a net before: `51.583333` for 51°35', the middle of a geohash of four letters; fewer than 60"
    " different ones": [
        Example("lat,lon\n51.583333,-0.166667\n51.416667,-0.083333\n",
                [At(2, 51.583333, -0.166667), At(3, 51.416667, -0.083333)]),
    ],
    "numbers that were spoiled before: columns sorted each on its own, or moved by a row; -0.5 for -1°30'; minutes"
    " divided by 100 in one column": [
        Example("lat,lon\n52.403616,-1.785160\n53.657658,-1.630163\n52.801704,1.296488\n",
                [At(2, 52.403616, -1.78516), At(3, 53.657658, -1.630163), At(4, 52.801704, 1.296488)]),
    ],
    "some of the references with their halves exchanged, or all of a part of the country without a coast": [
        Example("id,ngr\n1,TQ 79645 29090\n"),
    ],
    "a location that stands for others: the middle of London, an average that does not say so": [
        Example("name,lat,lon\nx,51.501,-0.142\ny,51.503,-0.144\n,51.502,-0.143\n",
                [At(2, *_PLACE), At(3, 51.503, -0.144), At(4, 51.502, -0.143)]),
    ],
}  # fmt: skip
EXAMPLES = {
    "The dialect": _DIALECT,
    "Notations": _NOTATIONS,
    "Rows that cannot be read": _BAD_ROWS,
    "A second look": _SECOND,
    "What nobody can tell": _NOBODY,
}
