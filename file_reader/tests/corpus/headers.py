"""Names by which the two columns are known. Every file has a column before, between and behind them."""

from tests.corpus.case import At, Case, Fault

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
    ("Широта", "Долгота"),
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
    Case("a title above the header", "Stations of the network\n\nid,lat,lon\n1,51.5,-0.1\n",
         fault=Fault("columns-not-found", {"columns_seen": ["Stations of the network"]})),
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
