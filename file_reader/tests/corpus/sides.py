"""What is said beside the coordinates: sides, units, minutes, second headers. Rows further down must keep to it."""

from tests.corpus.case import At, Case, Fault, No

_NOT_FOUND = Fault("columns-not-found")
_MINUTES = Fault("columns-not-found", mentions="minutes / 60")
_SIGN = Fault("columns-not-found", mentions="west is negative")
#: E 529057 N 179680
_PALACE = (51.50133, -0.14204)
_OF_MINUTES = "\n51,30,-1,8\n53,28,-2,14\n"

CASES = [
    Case(
        "signs and sides, then a minus is missing",
        "lat,lon,ew\n" + "51.5,-0.14,W\n" * 12 + "51.5,0.14,W\n51.5,-0.14,E\n51.5,0.14,O\n51.5,0.14,\n",
        [
            *(At(line, 51.5, -0.14) for line in range(2, 14)),
            *(No(line, "side_unclear") for line in (14, 15, 16)),
            At(17, 51.5, 0.14),
        ],
    ),
    *(
        Case(
            f"a column of sides that is empty at first: {header}",
            f"{header}\n" + "x,52.62863,1.29235,,x\n" * 250 + f"x,51.501,0.142,{cell},x\nx,52.62863,1.29235,E,x\n",
            [
                *(At(line, 52.62863, 1.29235) for line in range(2, 252)),
                No(252, "side_unclear"),
                At(253, 52.62863, 1.29235),
            ],
            dialect={"silent_sides": [3]},
        )
        for header, cell in (("id,lat,lon,E/W,note", "W"), ("id,lat,lon,,note", "West"), ("id,lat,lon,sign,note", "-"))
    ),
    Case(
        "a column of sides that says NULL at first",
        "lat,lon,ew\n" + "52.62863,1.29235,NULL\n" * 250 + "51.501,0.142,W\n",
        [*(At(line, 52.62863, 1.29235) for line in range(2, 252)), No(252, "side_unclear")],
    ),
    Case(
        "a column of sides that is empty at first, far from the longitude",
        "hemisphere,note,lat,lon\n" + ",x,51.501,-0.142\n" * 250 + "w,x,51.501,0.142\nW,x,51.501,-0.142\n",
        [*(At(line, 51.501, -0.142) for line in range(2, 252)), No(252, "side_unclear"), At(253, 51.501, -0.142)],
    ),
    Case(
        "notes that are empty at first",
        "lat,lon,note,way\n" + "52.62863,1.29235,,\n" * 250 + "52.62863,1.29235,see gate,W\n",
        [At(line, 52.62863, 1.29235) for line in range(2, 253)],
    ),
    Case(
        "letters beside longitudes that have their signs",
        "lat,lon,part\n" + "51.501,-0.142,\n" * 250 + "52.62863,1.29235,W\n",
        [*(At(line, 51.501, -0.142) for line in range(2, 252)), At(252, 52.62863, 1.29235)],
    ),
    Case("watts are no west", "lat,lon,P1 [kW]\n52.62863,1.29235,22\n", [At(2, 52.62863, 1.29235)]),
    Case(
        "the side of a town is no side of Greenwich",
        "lat,lon,part\n53.4,-1.5,East\n53.4,-1.6,West\n53.4,-1.5,East\n",
        [At(2, 53.4, -1.5), At(3, 53.4, -1.6), At(4, 53.4, -1.5)],
    ),
    Case(
        "letters, then one is missing",
        "lat,lon\n" + "51.5N,0.14W\n" * 40 + "51.5N,0.14\n51.5,0.14\n51.5N,-0.14\n",
        [
            *(At(line, 51.5, -0.14) for line in range(2, 42)),
            No(42, "side_unclear"),
            No(43, "side_unclear"),
            At(44, 51.5, -0.14),
        ],
    ),
    Case(
        "letters, then a thousand rows without",
        "lat,lon\n" + "51.5N,0.14W\n" * 300 + "51.5,0.14\n" * 5_000,
        [*(At(line, 51.5, -0.14) for line in range(2, 302)), *(No(line, "side_unclear") for line in range(302, 5_302))],
    ),
    *(
        Case(f"degrees and minutes in columns of their own: {header}", header + _OF_MINUTES, fault=_MINUTES)
        for header in (
            "Lat,Min,Long,Min",
            "latitude,mins,longitude,mins",
            "lat_deg,m,lon_deg,m",
            "latitude,,longitude,",
        )
    ),
    Case(
        "whole degrees in one row only",
        "lat_d,lat_m,lon_d,lon_m" + _OF_MINUTES * 3 + "51.5,30.1,-0.14,8.5\n",
        fault=_MINUTES,
    ),
    *(
        Case(f"another unit or datum by name: {lat}", f"{lat},{lon}\n55.7,-6.2\n", fault=_NOT_FOUND)
        for lat, lon in (
            ("lat_gon", "lon_gon"),
            ("lat (gradians)", "lon (gradians)"),
            ("lat_osgb36", "lon_osgb36"),
            ("lat_ed50", "lon_ed50"),
            ("lat (dd.mmss)", "lon (dd.mmss)"),
            ("lat_error", "lon_error"),
        )
    ),
    *(
        Case(f"west in a column called {name}", f"lat,lon,{name}\n51.501,0.142,{value}\n", fault=_SIGN)
        for name, value in (("is_west", "true"), ("W?", "Y"), ("meridian", "west of Greenwich"))
    ),
    *(
        Case(
            f"sides in other words: {header}: {sides}",
            f"id,lat,{header}\n" + "".join(f"1,51.523103,0.652682,{side}\n" for side in sides.split("|")),
            fault=Fault("columns-not-found", mentions="Which longitudes are west seems to stand in column 4"),
        )
        for header, sides in (
            ("lon,ew", "O|E"),
            ("longitud,EO", "E|O|O"),
            ("longitude,LO", "O|L"),
            ("lon,\N{CYRILLIC SMALL LETTER VE}", "\N{CYRILLIC SMALL LETTER ZE}"),
            ("lon,方向", "西|东"),
            ("lon,lon_sign", "1|-1"),
            ("lon,negative", "Y|N"),
            ("lon,side", "West of Greenwich"),
        )
    ),
    Case(
        "a column of sides, and a minus in some rows only",
        "id,lat,lon,ew\n0,51.523103,0.652682,W\n1,51.548768,-0.249609,W\n2,51.575945,0.695292,W\n",
        fault=Fault("columns-not-found", {"candidates": [3, 4]}, "Which longitudes are west"),
    ),
    *(
        Case(
            f"a column called {name} says {yes} of rows with a minus and of rows without",
            f"id,lat,lon,note,{name}\n0,51.548768,-0.249609,x,{yes}\n1,51.575945,0.695292,x,{yes}\n"
            f"2,52.62863,1.29235,x,{no}\n",
            fault=Fault("columns-not-found", {"candidates": [3, 5]}, "Which longitudes are west"),
        )
        for name, yes, no in (("is_west", "Y", "N"), ("west", "1", "0"), ("West?", "true", "false"))
    ),
    Case(
        "a column called west agrees with the signs, and one row does not",
        "id,lat,lon,note,is_west\n"
        + "0,51.548768,-0.249609,x,1\n1,52.62863,1.29235,x,0\n" * 150
        + "2,51.548768,0.249609,x,1\n3,51.548768,-0.249609,x,0\n",
        [
            *(At(line, *((52.62863, 1.29235) if line % 2 else (51.548768, -0.249609))) for line in range(2, 302)),
            No(302, "side_unclear"),
            At(303, 51.548768, -0.249609),
        ],
        dialect={"west_flags": [4]},
    ),
    Case(
        "a longitude's name says west, and few numbers have a minus",
        "lat,Longitude (W)\n51.501,0.142\n51.502,0.143\n51.503,0.144\n52.62863,-1.29235\n",
        fault=Fault("columns-not-found", {"candidates": [2]}, "most of its numbers have no minus"),
    ),
    *(
        Case(
            f"a second header in other words: {header}",
            f"name,lat,lon,alt\nA,51.5,-0.14,1.5\n{header}\nC,51.5,0.14,-0.14\n",
            [At(2, 51.5, -0.14)],
            fault=Fault("unreadable-file", {"line": 3}, "once more"),
        )
        for header in ("ort,breite,höhe,länge", "nazwa,szerokość,x,długość")
    ),
    Case(
        "sides in the rows that have no minus only",
        "id,lat,lon,ew\n" + "0,51.548768,-0.249609,\n" * 3 + "1,51.575945,0.695292,W\n" * 2,
        fault=Fault("columns-not-found", {"candidates": [3, 4]}, "Which longitudes are west"),
    ),
    Case(
        "a line of units that says west",
        "name,lat,lon\n,°N,°W\nx,51.523103,0.652682\n",
        fault=Fault("columns-not-found", {"candidates": [3]}, "says west, and its numbers have no minus: '°W'"),
    ),
    Case(
        "a blood group beside eastern longitudes",
        "lat,lon,group\n52.62863,1.29235,A\n52.62863,1.29235,O\n",
        [At(2, 52.62863, 1.29235), At(3, 52.62863, 1.29235)],
    ),
    *(
        Case(
            f"labels below the header: {labels}",
            f"name,lat,lon\n{labels}\nx,51.501,-0.142\n{labels}\ny,51.501,-0.142\n",
            [No(2, "not_a_number"), At(3, 51.501, -0.142), No(4, "not_a_number"), At(5, 51.501, -0.142)],
        )
        for labels in (",Latitude of home,Longitude of home", "station,latitude (deg),longitude (deg)", "text,Y,X")
    ),
    Case(
        "a second header in another order below the first",
        "name,lat,lon\nName,Lon,Lat\nx,51.501,-0.142\n",
        fault=Fault("unreadable-file", {"line": 2}, "once more"),
    ),
    Case(
        "a second header in another order",
        "name,lat,lon,alt\nA,51.5,-0.14,0.1\nname,lat,alt,lon\nC,51.5,0.14,-0.14\n",
        [At(2, 51.5, -0.14)],
        fault=Fault("unreadable-file", {"line": 3}, "once more"),
    ),
    Case(
        "the same header again",
        "name,lat,lon\nA,51.5,-0.14\nname,lat,lon\nC,51.5,0.14\n",
        [At(2, 51.5, -0.14), No(3, "not_a_number"), At(4, 51.5, 0.14)],
    ),
    Case(
        "eastings that a spreadsheet has shortened",
        "easting,northing\n529057,179680\n4E+05,4E+05\n5.30E+05,1.80E+05\n",
        [At(2, *_PALACE, within=5), No(3, "precision_lost"), No(4, "precision_lost")],
    ),
]
