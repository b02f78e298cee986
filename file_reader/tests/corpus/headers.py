"""Names by which the two columns are known. Every file has a column before, between and behind them."""

from tests.corpus.case import At, Case, Fault, No

#: Latitude and longitude.
_NAMES = [
    ("lat", "lon"), ("lat", "lng"), ("Lat", "Long"), ("LATITUDE", "LONGITUDE"), ("  latitude ", "longitude\t"),
    ("lat.", "long."), ("y_lat", "x_lon"), ("Y_LAT", "X_LON"), ("latY", "lonX"), ("Lat_DD", "Long_DD"),
    # camels, punctuation, prefixes
    ("decimalLatitude", "decimalLongitude"), ("Decimal Latitude", "Decimal Longitude"), ("geo.lat", "geo.lng"),
    ("GEO-LAT", "GEO-LNG"), ("location/latitude", "location/longitude"), ("locationLatitude", "locationLongitude"),
    ("WGS84Latitude", "WGS84Longitude"), ("latitude_wgs84", "longitude_wgs84"), ("wgs84_lat", "wgs84_lon"),
    ("GPS Latitude", "GPS Longitude"), ("gps_lat", "gps_lng"),
    ("Site latitude", "Site longitude"), ("Centroid Lat", "Centroid Long"),
    # units and remarks
    ("Latitude (deg)", "Longitude (deg)"), ("Latitude (°)", "Longitude (°)"), ("Latitude [°]", "Longitude [°]"),
    ("Latitude (WGS84)", "Longitude (WGS84)"), ("Latitude (decimal degrees)", "Longitude (decimal degrees)"),
    ("Latitude\n(decimal)", "Longitude\n(decimal)"), ("latitude_deg", "longitude_deg"), ("Latitude:", "Longitude:"),
    # other languages
    ("Breitengrad", "Längengrad"), ("BREITENGRAD", "LÄNGENGRAD"), ("breitengrad", "laengengrad"),
    ("Geografische Breite", "Geografische Länge"), ("Latitud", "Longitud"), ("latitudine", "longitudine"),
    ("breedtegraad", "lengtegraad"), ("breddegrad", "lengdegrad"),
    ("leveysaste", "pituusaste"), ("szerokość geograficzna", "długość geograficzna"), ("enlem", "boylam"),
    ("Широта", "Долгота"), ("Lledred", "Hydred"), ("Domhan-leud", "Domhan-fhad"), ("Domhanleithead", "Domhanfhad"),
    ("szer. geogr.", "dł. geogr."), ("Γεωγραφικό πλάτος", "Γεωγραφικό μήκος"), ("πλάτος", "μήκος"), ("纬度", "经度"),
    ("緯度", "經度"), ("緯度", "経度"), ("خط العرض", "خط الطول"), ("دائرة العرض", "خط الطول"),
]  # fmt: skip


def _known(latitude: str, longitude: str, wrong: str = "") -> Case:
    text = f'"id","{longitude}","name","{latitude}","note"\n'
    text += "7,-0.141588,Palace,51.501009,x\n8,-3.188267,Castle,55.953251,\n"
    first = 2 + longitude.count("\n") + latitude.count("\n")
    return Case(
        f"known as {latitude!r} and {longitude!r}",
        text,
        [At(first, 51.501009, -0.141588), At(first + 1, 55.953251, -3.188267)],
        dialect={"has_header": True, "latitude": latitude.strip(), "longitude": longitude.strip(), "latitude_column": 3,
                 "longitude_column": 1},
        wrong=wrong,
    )  # fmt: skip


_SEEN = {"columns_seen": ["id", "name", "postcode"]}

CASES = [
    *(_known(*names) for names in _NAMES),
    _known("GPSLatitude", "GPSLongitude"),
    _known("breddegrad", "længdegrad"),
    _known("Breitengrad", "La\N{COMBINING DIAERESIS}ngengrad"),
    Case("unknown names of coordinates are no guess", "id,oben,links\n1,51.501009,-0.141588\n",
         fault=Fault("columns-not-found", {"columns_seen": ["id", "oben", "links"]}, "latitude=")),
    Case("no coordinates at all", "id,name,postcode\n1,Palace,SW1A 1AA\n", fault=Fault("columns-not-found", _SEEN)),
    Case("the latitude is missing", "id,longitude\n1,-0.1\n",
         fault=Fault("columns-not-found", {"columns_seen": ["id", "longitude"]}, "latitude")),
    Case("the longitude is missing", "id,latitude\n1,51.5\n",
         fault=Fault("columns-not-found", {"columns_seen": ["id", "latitude"]}, "longitude")),
    Case("words that only contain the names", "plateau,flatness,belong\n51.5,-0.1,x\n",
         fault=Fault("columns-not-found")),
    Case("a text about latitude is not the latitude", "latitude,longitude,latitude notes\n51.5,-0.1,measured twice\n",
         [At(2, 51.5, -0.1)]),
    Case("a header of years beside names", "id,2021,2022,Site lat,Site long\n1,5,6,51.501,-0.141\n",
         [At(2, 51.501, -0.141)], dialect={"has_header": True}),
    Case("a header of years beside X and Y", "station,X,Y,2019,2020\nEuston,529500.5,182600.25,44,20\n",
         [At(2, 51.52747, -0.13459, within=5)], dialect={"has_header": True, "coordinates": "osgb36"}),
    Case("a title above the header", "Stations of the network\n\nid,lat,lon\n1,51.5,-0.1\n", [At(4, 51.5, -0.1)],
         dialect={"preamble": 1, "latitude": "lat"}),
    Case("a title that is as wide as the table",
         "Lat and long of stations,,\nMay 2024,,\n,,\nid,lat,lon\n1,51.5,-0.1\n",
         [At(5, 51.5, -0.1)], dialect={"preamble": 3}),
    Case("a title, and the columns declared by number", "Stations,,\nid,lat,lon\n1,51.5,-0.1\n", [At(3, 51.5, -0.1)],
         declared={"latitude": "2", "longitude": "3"}, dialect={"latitude": "lat"}),
    Case("a title, and the columns declared by name", "Stations,,\nid,nord,west\n1,51.5,-0.1\n", [At(3, 51.5, -0.1)],
         declared={"latitude": "nord", "longitude": "west"}, dialect={"preamble": 1}),
    Case("a title above a header that is not clear", "Stations\nlat,lon,lat\n51.5,-0.1,52.5\n",
         fault=Fault("columns-not-found", {"columns_seen": ["lat", "lon", "lat"], "candidates": [1, 3]})),
    Case("comments above the header", "# exported, by x\n# y\nlat,lon\n51.5,-0.1\n", [At(4, 51.5, -0.1)]),
    Case("comments above rows without a header", "# exported\n51.501,-0.142\n55.953,-3.188\n",
         [At(2, 51.501, -0.142), At(3, 55.953, -3.188)],
         dialect={"has_header": False, "delimiter": ",", "preamble": 1}),
    Case("a header behind a number sign", "#lat,lon\n51.5,-0.1\n", [At(2, 51.5, -0.1)], dialect={"preamble": 0}),
    Case("rows that begin with a number sign are rows", "#1,51.501,-0.142\n#2,55.953,-3.188\nx3,53.481,-2.242\n",
         [At(1, 51.501, -0.142), At(2, 55.953, -3.188), At(3, 53.481, -2.242)]),
    *(
        Case(f"{what} above a header", above + "\nlat,lon\n52.5,-1.1\n53.5,-2.1\n",
             fault=Fault("unreadable-file", mentions="what stands above it looks like rows"))
        for what, above in (("rows", "51.5,-0.1"), ("a title of numbers", "2024,12"))
    ),
    Case("rows above a header, no header declared", "51.5,-0.1\nlat,lon\n52.5,-1.1\n53.5,-2.1\n",
         [At(1, 51.5, -0.1), No(2, "not_a_number"), At(3, 52.5, -1.1), At(4, 53.5, -2.1)],
         declared={"has_header": False}),
    *(
        Case(f"two lines of names: {above}", f"{above}\nName,Latitude,Longitude\nx,51.5,-0.1\n", [At(3, 51.5, -0.1)],
             dialect={"preamble": 1})
        for above in ("Site,Position,Position", "Site,Position,", ",Position,")
    ),
    Case("a title, and no header declared", "Stations,,\nid,lat,lon\n" + "x,51.5,-0.1\n" * 3,
         [No(1, "coordinates_missing"), No(2, "not_a_number"), *(At(line, 51.5, -0.1) for line in (3, 4, 5))],
         declared={"has_header": False}),
    Case("units below the header", "lat,lon\ndegrees_north,degrees_east\n51.5,-0.1\n",
         [No(2, "not_a_number"), At(3, 51.5, -0.1)]),
    Case("the header again in the middle", "lat,lon\n51.5,-0.1\nlat,lon\n52.5,-1.1\n",
         [At(2, 51.5, -0.1), No(3, "not_a_number"), At(4, 52.5, -1.1)]),
    # --- rows that are wider or narrower than the header
    Case("a delimiter behind some rows", "lat,lon\n51.5,-0.1,\n52.5,-1.1,\n53.5,-2.1\n",
         [No(2, "too_many_fields"), No(3, "too_many_fields"), At(4, 53.5, -2.1)]),
    Case("two delimiters behind every row", "lat,lon\n51.5,-0.1,,\n52.5,-1.1,, \n",
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1)],
         dialect={"surplus": 2}),
    Case("a delimiter behind the header", "lat,lon,\n51.5,-0.1\n52.5,-1.1\n", [At(2, 51.5, -0.1), At(3, 52.5, -1.1)],
         dialect={"surplus": -1}),
    Case("a delimiter behind most rows, far down not", "lat,lon\n" + "51.5,-0.1,\n" * 300 + "52.5,-1.1\nx\n1,2,,\n",
         [*(At(line, 51.5, -0.1) for line in range(2, 302)), At(302, 52.5, -1.1), No(303, "too_few_fields"),
          No(304, "too_many_fields")]),
    Case("a delimiter behind the header, and far down behind rows", "lat,lon,\n" + "51.5,-0.1\n" * 300 + "52.5,-1.1,\n",
         [*(At(line, 51.5, -0.1) for line in range(2, 302)), At(302, 52.5, -1.1)]),
    Case("declared columns that no row has", "a,,\n1\n2\n", declared={"latitude": "2", "longitude": "3",
         "delimiter": ","}, fault=Fault("columns-not-found", mentions="3 fields")),
    Case("a name behind the last field of every row", "lat,lon,note\n51.5,-0.1\n52.5,-1.1\n",
         fault=Fault("columns-not-found", mentions="3 fields")),
    Case("row names without a header of their own", "lat\tlon\n1\t51.5\t-0.1\n2\t52.5\t-1.1\n",
         fault=Fault("columns-not-found", {"columns_seen": ["lat", "lon"]}, "most have 3")),
    Case("one row that is too long", "lat,lon\n51.5,-0.1,x\n", [No(2, "too_many_fields")]),
    Case("blank lines above the header", "\n\r\n  \nlat,lon\n51.5,-0.1\n", [At(5, 51.5, -0.1)]),
    Case("the same name twice for others", "note,lat,note,lon,note\na,51.5,b,-0.1,c\n", [At(2, 51.5, -0.1)]),
    Case("columns without a name", "id,,lat,,lon,\n1,2,51.5,3,-0.1,\n", [At(2, 51.5, -0.1)]),
    Case("the 13th column without a name", "a,b,c,d,e,f,lat,long,i,j,k,l,\n1,2,3,4,5,6,51.542104,-0.143262,9,,,,\n",
         [At(2, 51.542104, -0.143262)], dialect={"latitude_column": 6}),
    Case("a declared name, in any case", "Nord,West\n51.5,-0.1\n", [At(2, 51.5, -0.1)],
         declared={"latitude": "NORD ", "longitude": "west"}, dialect={"latitude": "Nord", "longitude": "West"}),
    Case("declared numbers of a file with a header", "a,b,c\n9,51.5,-0.1\n", [At(2, 51.5, -0.1)],
         declared={"latitude": "2", "longitude": "3"}, dialect={"latitude": "b", "longitude": "c"}),
    Case("a declared name beats a known one", "lat,lon,real\n1.0,-0.1,51.5\n", [At(2, 51.5, -0.1)],
         declared={"latitude": "real"}),
    Case("a declared name that is not there", "lat,lon\n51.5,-0.1\n", declared={"latitude": "north"},
         fault=Fault("columns-not-found", {"columns_seen": ["lat", "lon"]}, "north")),
    Case("a declared number that is not there", "lat,lon\n51.5,-0.1\n", declared={"longitude": "3"},
         fault=Fault("columns-not-found", {"columns_seen": ["lat", "lon"]}, "3")),
    Case("a column that is called by a number", "1,2,3\n51.5,-0.1,x\n", [At(2, 51.5, -0.1)],
         declared={"latitude": "1", "longitude": "2", "has_header": True}, dialect={"latitude": "1"}),
    Case("a header declared", "51,0\n52.5,-1.1\n", [At(2, 52.5, -1.1)],
         declared={"has_header": True, "latitude": "1", "longitude": "2"}),
    Case("no header declared", "51.5,-0.1\n52.5,-1.1\n", [At(1, 51.5, -0.1), At(2, 52.5, -1.1)],
         declared={"has_header": False}),
    Case("the header is a wide one", ",".join(f"column {n}" for n in range(156)) + ",Latitude,Longitude\n"
         + "x," * 156 + "51.5,-0.1\n", [At(2, 51.5, -0.1)], dialect={"latitude_column": 156}),
    Case("10,000 columns", ",".join(["lat", "lon", *("c" + str(n) for n in range(9_998))]) + "\n51.5,-0.1"
         + ",0" * 9_998 + "\n",
         [At(2, 51.5, -0.1)]),
    Case("10,001 columns", ",".join(["lat", "lon", *("c" + str(n) for n in range(9_999))]) + "\n51.5,-0.1"
         + ",0" * 9_999 + "\n",
         fault=Fault("unreadable-file", mentions="10,000")),
    Case("a header longer than the sample", ",".join(["lat", "lon", *("column " * 3 + str(n) for n in range(8_000))])
         + "\n51.5,-0.1"
         + "," * 8_000 + "\n", [At(2, 51.5, -0.1)]),
]  # fmt: skip
