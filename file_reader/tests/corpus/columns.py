"""Which columns are taken, where several could be, none is named, or the names lie."""

from tests.corpus.case import At, Case, Fault, No

_NOT_FOUND = Fault("columns-not-found")
_IRISH = Fault("columns-not-found", {"candidates": [1, 2]}, "Irish Grid")
_OTHER = Fault("columns-not-found", mentions="coordinates=osgb36")
_RADIANS = Fault("columns-not-found", mentions="radians")
_WEST = Fault("columns-not-found", mentions="says W")
_SIGN = Fault("columns-not-found", mentions="west is negative")
_MINUTES = Fault("columns-not-found", mentions="minutes / 60")
_DECLARED = {"latitude": "1", "longitude": "2"}
#: E 529057 N 179680; the figures of all grid references here are those of pyproj's EPSG:27700.
_PALACE = (51.50133, -0.14204)
_STATIONS = (
    "7\tEuston\t52\t1\t0\t2\tNW1\topen\t2.5\t-0.133\t51.528\n8\tLeeds\t60\t0\t1\t1\tLS1\topen\t1.5\t-1.548\t53.795\n"
)

CASES = [
    Case("longitude first", "lon,lat\n-0.1,51.5\n", [At(2, 51.5, -0.1)]),
    Case("x_lon,y_lat", "x_lon,y_lat\n-0.1,51.5\n", [At(2, 51.5, -0.1)], dialect={"latitude": "y_lat"}),
    Case("degrees beside eastings and northings", "easting,northing,latitude,longitude\n"
         "529057,179680,51.5014,-0.1421\n",
         [At(2, 51.5014, -0.1421)], dialect={"coordinates": "degrees"}),
    Case("degrees beside X and Y in metres", "X,Y,lat,lon\n529057,179680,51.5014,-0.1421\n", [At(2, 51.5014, -0.1421)]),
    Case("degrees beside columns a and b in metres", "name,a,b,lat,long\nx,622675,-5527598,,\n"
         "y,528858,184211,51.542104,-0.143262\n",
         [No(2, "coordinates_missing"), At(3, 51.542104, -0.143262)]),
    # --- metres
    Case("eastings and northings", "name,easting,northing\nPalace,529057,179680\nEdinburgh,325897,673996\n",
         [At(2, *_PALACE, within=5), At(3, 55.95325, -3.18830, within=5)],
         dialect={"coordinates": "osgb36", "latitude": "northing", "longitude": "easting"}),
    Case("northings first, capitals", "NORTHINGS;EASTINGS\n179680;529057\n", [At(2, *_PALACE, within=5)]),
    Case("eastings with units", "Easting (m),Northing (m)\n529057,179680\n", [At(2, *_PALACE, within=5)]),
    Case("eastings that are called OS", "OS Easting,OS Northing\n529057,179680\n", [At(2, *_PALACE, within=5)]),
    Case("eastings with decimals", "GridRef_Easting,GridRef_Northing\n651409.804,313177.450\n91492.146,11318.804\n",
         [At(2, 52.65800783, 1.71607397, within=5), At(3, 49.92226394, -6.29977752, within=5)]),
    Case("eastings with decimal commas", "easting;northing\n529057,4;179680,2\n", [At(2, *_PALACE, within=5)]),
    Case("eastings with commas between the thousands are no kilometres", 'easting,northing\n"529,057","179,680"\n',
         fault=Fault("columns-not-found", mentions="'529,057'")),
    Case("eastings with commas between the thousands, declared", 'easting,northing\n"529,057","179,680"\n',
         [No(2, "outside_national_grid")], declared={"latitude": "2", "longitude": "1", "coordinates": "osgb36"}),
    Case("eastings in kilometres", "easting,northing\n529.057,179.680\n",
         fault=Fault("columns-not-found", mentions="metres")),
    Case("eastings of web Mercator", "easting,northing\n-15761.5,6710219.1\n",
         fault=Fault("columns-not-found", mentions="'6710219.1'")),
    Case("eastings and northings of the Office for National Statistics", "pcd,oseast1m,osnrth1m\nx,529057,179680\n",
         [At(2, *_PALACE, within=5)]),
    Case("eastings and northings alone, degrees declared", "easting,northing\n529057,179680\n",
         declared={"coordinates": "degrees"}, fault=_NOT_FOUND),
    Case("empty degrees beside eastings and northings", "lat,lon,easting,northing\n,,529057,179680\n",
         [At(2, *_PALACE, within=5)]),
    Case("empty degrees and empty eastings", "lat,lon,easting,northing\n,,,\n", [No(2, "empty_row")],
         dialect={"coordinates": "degrees"}),
    # --- metres of other grids: on land of the British one, they are somewhere else
    Case("Northern Ireland", "easting,northing\n333900,374000\n322000,358000\n", fault=_IRISH),
    Case("Northern Ireland, X and Y", "X,Y\n333900,374000\n322000,358000\n", fault=_IRISH),
    Case("Northern Ireland, columns declared", "a,b\n333900,374000\n322000,358000\n", fault=_IRISH,
         declared={"latitude": "b", "longitude": "a"}),
    Case("Northern Ireland by its code", "ctry,easting,northing\nE92000001,529057,179680\nN92000002,333900,374000\n",
         fault=Fault("columns-not-found", mentions="Irish Grid")),
    Case("longitudes without decimals", "lat,lon\n51.501,-1\n52.502,-2\n53.503,-3\n54.504,0\n",
         fault=Fault("columns-not-found", {"candidates": [1, 2]}, "All or nearly all degrees in"
                     " column 2 (lon) are whole numbers, such as '-1'")),
    Case("whole degrees below words", "lat,lon\nx,y\n51,0\n52,-1\n",
         fault=Fault("columns-not-found", mentions="All or nearly all degrees are whole numbers, such as '51'")),
    Case("Liverpool is asked for", "easting,northing\n334500,390500\n", fault=_IRISH),
    Case("Dublin", "Easting,Northing\n315900,234700\n", fault=_IRISH),
    Case("Cardiff is asked for", "Easting,Northing\n318000,176500\n", fault=_IRISH),
    Case("Cardiff says that it is in Wales", "country,Easting,Northing\nWales,318000,176500\n",
         [At(2, 51.48149, -3.18225, within=5)]),
    Case("Cardiff says its postcode", "postcode,Easting,Northing\nCF10 1EP,318000,176500\n",
         [At(2, 51.48149, -3.18225, within=5)]),
    *(Case(f"a row in {word}", f"where,Easting,Northing\nx,529057,179680\n{word},333900,374000\n", fault=_OTHER)
      for word in ("NI", "Belfast", "Dublin", "Éire")),
    Case("Liverpool, declared as British", "easting,northing\n334500,390500\n", [At(2, 53.40723, -2.98675, within=5)],
         declared={"coordinates": "osgb36"}),
    Case("Liverpool, named as British", "OS Easting,OS Northing\n334500,390500\n",
         [At(2, 53.40723, -2.98675, within=5)]),
    Case("the Irish Grid by name", "Irish Grid Easting,Irish Grid Northing\n529057,179680\n", fault=_OTHER),
    Case("UTM by name", "utm_easting,utm_northing\n529057,179680\n", fault=_OTHER),
    Case("some rows in Northern Ireland, by grid",
         "GridType,Easting,Northing\nUKOS,529057,179680\nIrishOS,333900,374000\n",
         fault=_OTHER),
    Case("some rows in Northern Ireland, by country", "country,Easting,Northing\nEngland,529057,179680\n"
         "Northern Ireland,333900,374000\n", fault=_OTHER),
    Case("some rows in Northern Ireland, by postcode", "Postcode,Easting,Northing\nSW1A 1AA,529057,179680\n"
         "BT1 5GS,333900,374000\n", fault=_OTHER),
    Case("an office in London is not in Northern Ireland",
         "name,Easting,Northing\nNorthern Ireland Office,529057,179680\n",
         [At(2, *_PALACE, within=5)]),
    Case("eastings of which some are missing or in the sea", "easting,northing\n529057,179680\n,\n529058,179681\n"
         "0,1299999\n529059,179682\n",
         [At(2, *_PALACE, within=5), No(3, "empty_row"), At(4, *_PALACE, within=5),
          No(5, "outside_national_grid"), At(6, *_PALACE, within=5)]),
    Case("eastings declared", "E,N\n529057,179680\n", [At(2, *_PALACE, within=5)],
         declared={"latitude": "N", "longitude": "E", "coordinates": "osgb36"}, dialect={"coordinates": "osgb36"}),
    Case("eastings declared as columns only", "E,N\n529057,179680\n", [At(2, *_PALACE, within=5)],
         declared={"latitude": "N", "longitude": "E"}),
    Case("metres declared, degrees beside them", "easting,northing,lat,lon\n529057,179680,51.5014,-0.1421\n",
         [At(2, *_PALACE, within=5)], declared={"coordinates": "osgb36"}),
    Case("X and Y in metres", "X,Y,name\n529057,179680,Palace\n", [At(2, *_PALACE, within=5)],
         dialect={"coordinates": "osgb36", "latitude": "Y"}),
    Case("X and Y in degrees", "X,Y,name\n-0.141588,51.501009,Palace\n-3.188267,55.953251,x\n",
         [At(2, 51.501009, -0.141588), At(3, 55.953251, -3.188267)], dialect={"coordinates": "degrees",
         "latitude": "Y"}),
    Case("X and Y in degrees, with decimal commas", "x;y\n-0,141588;51,501009\n", [At(2, 51.501009, -0.141588)]),
    Case("X and Y in metres of another projection", "X,Y\n-15761.5,6710219.1\n-354916.2,7548431.8\n", fault=_NOT_FOUND),
    Case("X and Y on a chess-board", "X,Y\n1,2\n3,4\n5,6\n", fault=_NOT_FOUND),
    Case("X and Y on a screen", "X,Y\n640,480\n1024,768\n", fault=_NOT_FOUND),
    # --- two pairs
    Case("two pairs that say the same", "latitude,longitude,name,lng,lat\n51.5,-0.1,x,-0.1,51.5\n"
         "52.5,-1.1,y,-1.1,52.5\n",
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1)]),
    Case("two pairs that say the same, one with more zeros", "latitude,longitude,lat,lng\n51.5,-0.1,51.500,-0.100\n",
         [At(2, 51.5, -0.1)]),
    Case("two pairs that differ", "lat,lon,latitude,longitude\n51.5,-0.1,55.9,-3.1\n52.5,-1.1,56.9,-4.1\n",
         fault=Fault("columns-not-found", {"columns_seen": ["lat", "lon", "latitude", "longitude"], "candidates": [1,
         3]})),
    Case("two pairs that differ, one declared", "lat,lon,latitude,longitude\n51.5,-0.1,55.9,-3.1\n", [At(2, 55.9,
         -3.1)],
         declared={"latitude": "latitude", "longitude": "longitude"}),
    Case("where from and where to", "start_lat,start_lng,end_lat,end_lng\n51.5,-0.1,51.6,-0.2\n51.6,-0.2,51.7,-0.3\n",
         fault=Fault("columns-not-found", {"candidates": [1, 3]})),
    Case("where from and where to, one declared", "start_lat,start_lng,end_lat,end_lng\n51.5,-0.1,51.6,-0.2\n",
         [At(2, 51.6, -0.2)], declared={"latitude": "end_lat", "longitude": "end_lng"}),
    Case("two pairs of which each has a row of its own",
         "lat,lon,latitude,longitude\n51.5,-0.1,,\n,,51.5,-0.1\n52.5,-1.1,52.5,-1.1\n", fault=_NOT_FOUND),
    Case("two pairs of which one is empty", "lat,lon,latitude,longitude\n,,51.5,-0.1\n,,52.5,-1.1\n",
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1)]),
    Case("two columns with the same name", "lat,lon,lat\n51.5,-0.1,52.5\n",
         fault=Fault("columns-not-found", {"candidates": [1, 3]})),
    Case("two columns with the same name, told apart by number", "lat,lon,lat\n51.5,-0.1,52.5\n", [At(2, 52.5, -0.1)],
         declared={"latitude": "3"}),
    Case("the same column for both", "id,lat,lon\n7,51.5,-0.1\n", declared={"latitude": "2", "longitude": "2"},
         fault=_NOT_FOUND),
    Case("two columns of unknown names are two columns", "oben,links\n51.501009,-0.141588\n55.953251,-3.188267\n",
         fault=_NOT_FOUND),
    # --- names that lie
    Case("a latitude of eastings", "latitude,longitude\n529057,179680\n325897,673996\n",
         fault=Fault("columns-not-found", {"candidates": [1], "columns_seen": ["latitude", "longitude"]})),
    Case("a longitude of eastings", "name,longitude,latitude\nx,529057,51.5\ny,325897,55.9\n",
         fault=Fault("columns-not-found", {"candidates": [2]})),
    Case("eastings of degrees", "easting,northing\n-0.141588,51.501009\n", fault=_NOT_FOUND),
    Case("latitude and longitude swapped in the header are never mended", "lat,lon\n-0.1,51.5\n-1.1,52.5\n",
         [No(2, "coordinates_swapped"), No(3, "coordinates_swapped")], dialect={"latitude": "lat"}),
    Case("latitude and longitude swapped in a row", "lat,lon\n51.5,-0.1\n-1.1,52.5\n53.5,-2.1\n",
         [At(2, 51.5, -0.1), No(3, "coordinates_swapped"), At(4, 53.5, -2.1)]),
    Case("Somalia is no swapped Britain where it cannot be one", "lat,lon\n5.15,46.2\n-33.9,151.2\n0,0\n",
         [At(2, 5.15, 46.2), At(3, -33.9, 151.2), At(4, 0, 0)]),
    Case("a latitude of metres", "lat,lon\n179680.5,-141588\n",
         fault=Fault("columns-not-found", mentions="'179680.5'")),
    Case("one name of degrees, one of text", "short,long,lat,lng\nx,a long text,51.5,-0.1\ny,another,52.5,-1.1\n",
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1)], dialect={"longitude": "lng"}),
    # --- degrees that are none, or not all of it
    Case("radians by name", "lat_rad,lon_rad\n51.501,-0.142\n", fault=_RADIANS),
    Case("radians by value", "lat,lon\n0.89886,-0.00247\n0.97656,-0.05564\n", fault=_RADIANS),
    Case("small degrees declared", "lat,lon\n0.89886,-0.00247\n", [At(2, 0.89886, -0.00247)], declared=_DECLARED),
    Case("small round degrees are no radians", "lat,lon\n1,0\n0.9,-0.1\n", [At(2, 1, 0), At(3, 0.9, -0.1)]),
    Case("radians in some rows only are read", "lat,lon\n0.89886,-0.00247\n51.501,-0.142\n",
         [At(2, 0.89886, -0.00247), At(3, 51.501, -0.142)]),
    Case("west in a column of its own", "lat,lon,ew\n51.501,0.142,W\n52.501,0.142,E\n", fault=_SIGN),
    Case("west in a column of its own, no header", "51.501,N,0.142,w\n52.501,N,1.142,west\n", fault=_SIGN),
    Case("west in a column of its own, beside signs", "lat,lon,ew\n51.501,-0.142,W\n52.501,0.142,E\n",
         [At(2, 51.501, -0.142), At(3, 52.501, 0.142)]),
    Case("the side of a street", "lat,lon,side\n51.501,0.142,W\n", [At(2, 51.501, 0.142)], declared=_DECLARED),
    Case("west in words, beside the longitude", "lat,lon,way\n51.501,0.142,East\n52.501,1.142,West\n", fault=_SIGN),
    Case("west in words, far from the longitude, may be a district",
         "district,lat,lon\nWest,51.501,0.142\nEast,52.501,1.142\n", fault=_SIGN),
    Case("west in words, beside signs", "district,lat,lon\nWest,51.501,-0.142\nEast,52.501,1.142\n",
         [At(2, 51.501, -0.142), At(3, 52.501, 1.142)]),
    Case("a quadrant", "quadrant,name,lat,lon\nNW,a,51.501,0.142\nNE,b,52.501,1.142\n", fault=_SIGN),
    Case("the sign in a column of its own", "lat,sign,lon\n51.501,-,0.142\n52.501,+,1.142\n", fault=_SIGN),
    Case("a dash for nothing, beside longitudes with signs", "lat,note,lon\n51.501,-,-0.142\n52.501,-,1.142\n",
         [At(2, 51.501, -0.142), At(3, 52.501, 1.142)]),
    *(Case(f"west in the name: {name}", f"name,lat,{name}\na,51.501009,0.141588\n", fault=_WEST)
      for name in ("LONG_W", "Longitude (W)", "longitude_west", "lon degW")),
    Case("north and west in the names", "name,LAT_N,LONG_W\na,51.501009,0.141588\n", fault=_WEST),
    Case("west in the name, and signs", "name,LAT_N,LONG_W\na,51.501009,-0.141588\n", [At(2, 51.501009, -0.141588)]),
    Case("west in the name, declared", "lat,LONG_W\n51.501009,0.141588\n", [At(2, 51.501009, 0.141588)],
         declared={"latitude": "1", "longitude": "2"}),
    Case("east in the name", "LAT_N,LONG_E\n52.62863,1.29235\n", [At(2, 52.62863, 1.29235)]),
    Case("degrees and minutes in one number", "lat_dms,lon_dms\n51.300363,-0.082972\n",
         fault=Fault("columns-not-found", mentions="in one number")),
    Case("every minus is lost", "lat,lon\n51.501009,0.141588\n52.4796,1.9026\n53.4794,2.2453\n55.9533,3.1883\n",
         fault=Fault("columns-not-found", mentions="west of Greenwich")),
    Case("Norfolk and one place in the North Sea", "lat,lon\n" + "52.62863,1.29235\n" * 5 + "53,3\n",
         [*(At(line, 52.62863, 1.29235) for line in range(2, 7)), At(7, 53, 3)]),
    Case("east in the first 260 rows, then west", "id,lat,lon,ew\n" + "1,52.62863,1.29235,E\n" * 260
         + "1,51.501009,0.141588,W\n1,52.62863,1.29235,\n1,51.501009,-0.141588,W\n",
         [*(At(line, 52.62863, 1.29235) for line in range(2, 262)), No(262, "side_unclear"),
          At(263, 52.62863, 1.29235), At(264, 51.501009, -0.141588)]),
    Case("Great Britain in the first 260 rows, then Northern Ireland", "easting,northing,nation\n"
         + "529057,179680,England\n" * 260 + "333900,374000,Northern Ireland\n",
         [*(At(line, *_PALACE, within=5) for line in range(2, 262)), No(262, "irish_grid")]),
    Case("squares of the grid in a column", "square,easting,northing\nTQ,2909,7964\n",
         fault=Fault("columns-not-found", {"candidates": [2, 3, 1]}, "coordinates=osgb36_square")),
    # --- names of two places
    Case("a table join", "id,lat_x,lon_x,lat_y,lon_y\n1,51.5,-0.1,55.9,-3.1\n",
         fault=Fault("columns-not-found", {"candidates": [2, 4]}, "lat_x) with column 3 (lon_x)")),
    Case("a table join, other order", "id,lat_x,lat_y,lon_x,lon_y\n1,51.5,55.9,-0.1,-3.1\n",
         fault=Fault("columns-not-found", {"candidates": [2, 3]})),
    Case("a table join that says the same twice", "lat_x,lon_x,lat_y,lon_y\n51.5,-0.1,51.5,-0.1\n",
         [At(2, 51.5, -0.1)], dialect={"longitude": "lon_x"}),
    Case("a longitude that is spelt in another way", "Latitude,Longtitude,ward_latitude,ward_longitude\n"
         "51.5,-0.1,55.9,-3.1\n", [At(2, 51.5, -0.1)], dialect={"longitude": "Longtitude"}),
    Case("a longitude that is not known, beside those of the ward", "Latitude,Lnogitude,ward_latitude,ward_longitude\n"
         "51.5,-0.1,55.9,-3.1\n", fault=Fault("columns-not-found", {"candidates": [1, 3, 4]}, "belong together")),
    Case("where from, where to", "start_lat,end_lon\n51.5,-0.1\n",
         fault=Fault("columns-not-found", {"candidates": [1, 2]}, "belong together")),
    Case("one of the pair declared, the other is called like it",
         "lat,lon,ward_lat,ward_lon\n51.5,-0.1,55.9,-3.1\n", [At(2, 55.9, -3.1)], declared={"latitude": "ward_lat"}),
    Case("a pair without a word, beside another", "lat,lon,school_lat,school_lon\n51.5,-0.1,55.9,-3.1\n",
         [At(2, 51.5, -0.1)]),
    Case("eastings and northings of two places", "home_easting,home_northing,work_easting,work_northing\n"
         "529057,179680,325897,673996\n", fault=Fault("columns-not-found", {"candidates": [2, 4]})),
    Case("an easting of one place, a northing of another", "home_easting,work_northing\n529057,179680\n",
         fault=_NOT_FOUND),
    Case("all in the east", "lat,lon,ew\n51.501,0.142,E\n52.501,1.142,E\n",
         [At(2, 51.501, 0.142), At(3, 52.501, 1.142)]),
    Case("west is not the only word in the column", "lat,lon,ward\n51.501,0.142,West\n51.501,0.143,North\n",
         [At(2, 51.501, 0.142), At(3, 51.501, 0.143)]),
    Case("a camera's own names", "GPSLatitude,GPSLatitudeRef,GPSLongitude,GPSLongitudeRef\n51.501,N,0.142,W\n",
         fault=_SIGN),
    Case("minutes in a column of their own", "lat_deg,lat_min,lon_deg,lon_min\n51,30.08,0,8.5\n", fault=_MINUTES),
    Case("minutes behind both degrees", "lat_deg,lon_deg,lat_min,lon_min\n51,-1,30.08,8.5\n53,-2,28.1,14\n",
         fault=_MINUTES),
    Case("minutes and seconds in columns of their own",
         "Latitude Degrees,Latitude Minutes,Latitude Seconds,Longitude Degrees,Longitude Minutes,Longitude Seconds\n"
         "51,30,5,0,8,31\n", fault=_MINUTES),
    Case("the least and the most are no minutes", "lat,lon,lat_min,lat_max\n51.501,-0.142,51,52\n",
         [At(2, 51.501, -0.142)]),
    Case("whole degrees beside minutes, declared", "lat,lon,lat_min\n51,0,7\n", [At(2, 51, 0)], declared=_DECLARED),
    # --- no header
    Case("no header, latitude first", "51.5,-0.1\n55.95,-3.19\n", [At(1, 51.5, -0.1), At(2, 55.95, -3.19)],
         dialect={"has_header": False, "latitude": 1, "longitude": 2}),
    Case("no header, longitude first", "-0.1;51.5\n-3.19;55.95\n", [At(1, 51.5, -0.1), At(2, 55.95, -3.19)],
         dialect={"has_header": False, "latitude": 2, "longitude": 1, "delimiter": ";"}),
    Case("no header, columns 10 and 11 of a file with tabs", _STATIONS, [At(1, 51.528, -0.133), At(2, 53.795, -1.548)],
         dialect={"has_header": False, "latitude": 11, "longitude": 10, "delimiter": "\t"}),
    Case("no header, some missing", "x,\\N,\\N\ny,51.5,-0.1\nz,52.5,-1.1\nw,53.5,-2.1\n",
         [No(1, "coordinates_missing"), At(2, 51.5, -0.1), At(3, 52.5, -1.1), At(4, 53.5, -2.1)],
         dialect={"has_header": False}),
    Case("no header, three candidates", "51.512,52.523,-0.123\n51.634,52.645,-0.256\n",
         fault=Fault("columns-not-found", {"columns_seen": [1, 2, 3], "candidates": [1, 2, 3]})),
    Case("no header, not in Britain", "52.52,13.40\n48.85,2.35\n40.4,-3.7\n-33.9,151.2\n", fault=_NOT_FOUND),
    Case("no header, not in Britain, declared", "-33.9,151.2\n", [At(1, -33.9, 151.2)],
         declared={"latitude": "1", "longitude": "2"}),
    Case("no header, ages and children are no places", "Ann,51,2\nBob,52,1\nEve,60,0\n",
         fault=Fault("columns-not-found", {"candidates": [2, 3]})),
    Case("no header, weights and ratios are no places", "a,55.25,1.5\nb,58.1,2.1\nc,60.5,0.4\n", fault=_NOT_FOUND),
    Case("no header, east of Greenwich, to the metre", "52.62863,1.29235\n52.63012,1.30125\n",
         [At(1, 52.62863, 1.29235), At(2, 52.63012, 1.30125)]),
    Case("no header, and numbers that are no places",
         "".join(f"{n},{49.5 + n * 7 % 11:.1f},{n * 5 % 9 - 7:.1f}\n" for n in range(20)),
         fault=Fault("columns-not-found", {"fix": {"latitude": "2", "longitude": "3"}}, "Columns 2 and 3 could be")),
    *(
        Case(f"names of X and Y: {x}", f"id,{x},{y}\n1,-0.141588,51.501009\n", [At(2, 51.501009, -0.141588)])
        for x, y in (("GEOMETRY_X", "GEOMETRY_Y"), ("st_x", "st_y"), ("geom.coordinates[0]", "geom.coordinates[1]"),
                     ("coords.x", "coords.y"))
    ),
    *(
        Case(f"names of eastings: {x}", f"id,{x},{y}\n1,529090,179645\n", [At(2, 51.501009, -0.141588, within=60)])
        for x, y in (("OSEAST", "OSNORTH"), ("os_x", "os_y"), ("X_BNG", "Y_BNG"), ("X (m)", "Y (m)"),
                     ("osgb_e", "osgb_n"))
    ),
    Case("grid references with an odd number of figures", "id,ngr\n1,TQ29079\n2,SU4829\n3,SU48291\n",
         fault=Fault("columns-not-found", mentions="an odd number of figures")),
    Case("no digit before the point, in London",
         "id,lat,lon\n" + "".join(f"{n},51.5{n}1087,-.1{n}3948\n" for n in range(5)),
         [At(n + 2, float(f"51.5{n}1087"), float(f"-0.1{n}3948")) for n in range(5)], dialect={"precision_m": None}),
    Case("marks of the direction of writing", "lat,lon\n\u200e51.501,\u200e-0.142\n\ufeff51.502,-0.143\u200b\n"
         "51.503\u2009,\u3000-0.144\n",
         [At(2, 51.501, -0.142), At(3, 51.502, -0.143), At(4, 51.503, -0.144)]),
    *(
        Case(f"other names of eastings: {x}", f"id,{x},{y}\n1,529090,179645\n",
             [At(2, 51.501009, -0.141588, within=60)])
        for x, y in (("E", "N"), ("East", "North"), ("Rechtswert", "Hochwert"), ("dwyreiniad", "gogleddiad"))
    ),
    *(
        Case(f"other names of references: {name}", f"id,{name}\n1,TQ290796\n",
             [At(2, 51.50106, -0.14214, within=60)])
        for name in ("Map Ref", "os_ref")
    ),
    Case("metres in Wales that say their grid", "srid,easting,northing\n27700,318234,176345\n",
         [At(2, 51.48033, -3.17867, within=60)]),
    *(
        Case(f"metres among which one row is in Ireland: {what}",
             f'what,srid,easting,northing\nx,27700,529090,179645\n"{what}",{srid},333880,374220\n',
             fault=Fault("columns-not-found", mentions="Some rows are in Ireland"))
        for what, srid in (("Co. Antrim", ""), ("1 High St, Belfast BT1 2AB", ""), ("BT12", ""), ("PSNI", ""),
                           ("x", "29903"))
    ),
    *(
        Case(f"in the east, and {name} says yes", f"lat,lon,{name}\n52.62863,1.29235,yes\n52.63012,1.30125,no\n",
             [At(2, 52.62863, 1.29235), At(3, 52.63012, 1.30125)])
        for name in ("West Midlands", "west_wing")
    ),
    *(
        Case(f"metres among which one row is of another grid: {name} {said}",
             f"{name},easting,northing\nOSGB,529090,179645\n{said},333880,374220\n",
             fault=Fault("columns-not-found", mentions="Some rows are in Ireland"))
        for name, said in (("grid", "IG"), ("projection", "Irish"), ("country", "IE"))
    ),
    *(
        Case(f"a further location that is elsewhere: {name}",
             f'lat,lon,"{name}"\n52.589399,-1.754043,"{there}"\n52.086708,-0.091851,"{there}"\n',
             fault=Fault("columns-not-found", mentions="places more than 1 km apart"))
        for name, there in (("geohash", "gcpuuz94k"), ("osgb", "TQ 290 796"))
    ),
    Case("a further location in cx and cy", "lat,lon,cx,cy\n52.589399,-1.754043,-1.850748,52.454729\n",
         fault=Fault("columns-not-found", mentions="places more than 1 km apart")),
    Case("a column says that the degrees have minutes", "lat,lon,format\n51.300363,-0.082972,DMS\n",
         fault=Fault("columns-not-found", mentions="degrees, minutes and seconds in one number")),
    Case("west above the header", ",°N,°W\nid,lat,lon\n0,51.663128,0.374920\n1,51.471555,-0.108478\n",
         fault=Fault("columns-not-found", mentions="counts to the west")),
    Case("a title that says which way longitudes count", "Longitudes are positive to the west\nlat,lon\n51.5,0.1\n",
         fault=Fault("columns-not-found", mentions="counts to the west")),
    Case("the West in a title", "Sites in the West\nid,lat,lon\n0,51.663128,0.374920\n", [At(3, 51.663128, 0.37492)]),
    Case("won and lost are no sides", "lat,lon,outcome\n51.2712,1.0801,W\n51.1233,1.2101,L\n",
         [At(2, 51.2712, 1.0801), At(3, 51.1233, 1.2101)]),
    Case("whole minutes with seconds of nought", "lat,lon\n" + "".join(
         f"51°{n}'00\"N,0°1{n % 5}'00\"W\n" for n in range(24, 30)),
         [At(n - 22, 51 + n / 60, -(10 + n % 5) / 60, within=1) for n in range(24, 30)], dialect={"precision_m": 1855}),
    Case("within squares, one row has fewer figures",
         "square,easting,northing\nTQ,29090,79645\nTQ,290,796\nTQ,00290,00796\n",
         [At(2, 51.501009, -0.141588, within=60), No(3, "precision_lost"), At(4, 50.7980489, -0.5782749, within=3)]),
    Case("the letter of the side in half of the rows", "lat,lon\n" + "51.501,0.142W\n51.502,0.143\n" * 4,
         [row for line in range(2, 10, 2) for row in (At(line, 51.501, -0.142), No(line + 1, "side_unclear"))]),
    Case("names that have both sides", "Latitude (N/S),Longitude (E/W)\n51.501,-0.142\n", [At(2, 51.501, -0.142)]),
    Case("rows in quotes", '"lat,hdop,lon"\n"51.501,0.9,-0.142"\n"51.502,0.8,-0.143"\n',
         fault=Fault("columns-not-found", mentions="seems to be a row in quotes")),
    Case("the longitude behind another number in a cell", "position\n51.501 0.9 -0.142\n51.502 0.8 -0.143\n",
         fault=Fault("columns-not-found", mentions="not only the first two")),
    Case("no header, a number in words", "x,51.5,-0.1\ny,fifty,zero\nz,52.5,-1.1\nw,53.5,-2.1\n",
         [At(1, 51.5, -0.1), No(2, "not_a_number"), At(3, 52.5, -1.1), At(4, 53.5, -2.1)]),
    Case("columns with nothing to read are not read as something", "lat,lon\nnorth,south\n",
         fault=Fault("columns-not-found", mentions="'north' and 'south'")),
    Case("columns with nothing to read, declared", "lat,lon\nnorth,south\n", [No(2, "not_a_number")],
         declared={"latitude": "1", "longitude": "2"}),
]  # fmt: skip
