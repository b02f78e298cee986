"""Several locations in one file, and those of the whole world."""

from tests.corpus.case import At, Case, Fault, No

_APART = Fault("columns-not-found", mentions="1 km apart")
_EXCHANGED = Fault("columns-not-found", mentions="exchanged")
#: E 529057 N 179680, and Edinburgh's E 325897 N 673996.
_PALACE = (51.501330, -0.142040)
_GEOJSON = '"{""type"":""Point"",""coordinates"":[%s]}"'

CASES = [
    # --- a second location that contradicts the first
    *(
        Case(f"another place: {header}", f"name,lat,lon,{header}\nx,51.501330,-0.142040,{cells}\n", fault=_APART)
        for header, cells in (
            ("easting,northing", "325897,673996"),
            ("X,Y", "325897,673996"),
            ("wkt", "POINT (-3.188300 55.953250)"),
            ("geometry", _GEOJSON % "-3.1883,55.95325"),
            ("location", '"(55.953250, -3.188300)"'),
        )
    ),
    Case(
        "another place in degrees that are called X and Y",
        "lat,lon,X,Y\n51.501330,-0.142040,-3.188300,55.953250\n",
        fault=Fault("columns-not-found", {"candidates": [1, 2, 4, 3]}, "1 km apart"),
    ),
    Case(
        "another place, and the columns declared",
        "lat,lon,easting,northing\n51.501330,-0.142040,325897,673996\n",
        [At(2, *_PALACE)],
        declared={"latitude": "lat", "longitude": "lon"},
    ),
    Case(
        "another place in a few rows",
        "lat,lon,easting,northing\n" + "51.501330,-0.142040,529057,179680\n" * 3 + "51.50133,-0.14204,325897,673996\n",
        [*(At(line, *_PALACE) for line in range(2, 5)), No(5, "places_apart")],
        dialect={"others": []},
    ),
    Case(
        "the same degrees twice, and other ones in a row behind the first",
        "name,lat,lon,latitude,longitude\n" + "x,51.501330,-0.142040,51.501330,-0.142040\n" * 250
        + "x,51.501330,-0.142040,55.953250,-3.188300\nx,51.501330,-0.142040,,\nx,51.501330,-0.142040,51.502,-0.143\n",
        [*(At(line, *_PALACE) for line in range(2, 252)), No(252, "places_apart"), At(253, *_PALACE),
         At(254, *_PALACE)],
    ),
    *(
        Case(
            f"the same place once more, and another one in a row behind the first: {header}",
            f"name,lat,lon,{header}\n" + f"x,51.501330,-0.142040,{same}\n" * 250 + f"x,51.501330,-0.142040,{other}\n"
            + "x,54.597000,-5.930000,\n".replace(",\n", "," * (header.count(",") + 1) + "\n"),
            [*(At(line, *_PALACE) for line in range(2, 252)), No(252, "places_apart"), At(253, 54.597, -5.93)],
        )
        for header, same, other in (
            ("easting,northing", "529057,179680", "325897,673996"),
            ("X,Y", "-0.142040,51.501330", "-3.188300,55.953250"),
            ("wkt", "POINT (-0.142040 51.501330)", "POINT (-3.188300 55.953250)"),
            ("grid_ref", "TQ 29057 79680", "NT 25897 73996"),
        )
    ),
    Case(
        "a grid reference of another place",
        "name,lat,lon,NGR\nx,51.501330,-0.142040,NT 25897 73996\n",
        fault=_APART,
    ),
    Case(
        "codes like grid references beside degrees",
        "name,lat,lon,part\nx,51.501330,-0.142040,NT2589\n",
        [At(2, *_PALACE)],
        dialect={"second": None},
    ),
    Case(
        "a second location with a number",
        "name,lat,lon,lat2,lon2\nx,51.501330,-0.142040,51.501330,-0.142040\nx,51.501330,-0.142040,55.953250,-3.188300\n",
        [At(2, *_PALACE), At(3, *_PALACE)],
        dialect={"others": ["column 4 (lat2) with column 5 (lon2)"], "others_fix": {"latitude": "lat2",
                 "longitude": "lon2"}},
    ),
    Case(
        "two locations with numbers",
        "lat1,lon1,lat2,lon2\n51.501330,-0.142040,55.953250,-3.188300\n",
        fault=Fault("columns-not-found", {"candidates": [1, 3]}, "Several columns could be the latitude"),
    ),
    Case(
        "letters of sides are no further location",
        "lat,lat_ref,lon,lon_ref\n51.501330,N,-0.142040,W\n",
        [At(2, *_PALACE)],
        dialect={"others": []},
    ),
    Case(
        "a point in a cell, and eastings of another place",
        "wkt,easting,northing\nPOINT (-0.142040 51.501330),325897,673996\n",
        fault=_APART,
    ),
    *(
        Case(
            f"another thing's place: {header}",
            f"name,lat,lon,{header}\nx,51.501330,-0.142040,{cells}\n",
            [At(2, *_PALACE)],
            dialect={"others": [called], "others_fix": fix},
        )
        for header, cells, called, fix in (
            (
                "ward_easting,ward_northing",
                "325897,673996",
                "column 5 (ward_northing) with column 4 (ward_easting)",
                {"latitude": "ward_northing", "longitude": "ward_easting"},
            ),
            ("ward_geom", "POINT (-3.188300 55.953250)", "column 4 (ward_geom)", {"latitude": "ward_geom"}),
            (
                "school_lat,school_lon",
                "55.9,-3.1",
                "column 4 (school_lat) with column 5 (school_lon)",
                {"latitude": "school_lat", "longitude": "school_lon"},
            ),
        )
    ),
    Case(
        "two further places",
        "lat,lon,a_lat,a_lon,b_lat,b_lon\n51.501330,-0.142040,55.9,-3.1,55.8,-3.2\n",
        [At(2, *_PALACE)],
        dialect={"others_fix": {}},
    ),
    Case(
        "the same place to a hundred metres",
        "lat,lon,easting,northing,wkt\n51.501330,-0.142040,529000,179700,POINT (-0.143 51.502)\n",
        [At(2, *_PALACE)],
        dialect={"others": []},
    ),
    Case(
        "the square of ten kilometres in which a place lies",
        "lat,lon,easting,northing\n51.501330,-0.142040,520000,170000\n",
        [At(2, *_PALACE)],
    ),
    Case(
        "degrees that are rounded",
        "lat,lon,easting,northing\n51.5,-0.1,529057,179680\n",
        [At(2, 51.5, -0.1)],
    ),
    Case(
        "degrees that are rounded, of another place",
        "lat,lon,easting,northing\n51.5,-0.1,325897,673996\n",
        fault=_APART,
    ),
    Case(
        "lengths and widths that are called like longitudes and latitudes",
        "Länge,Breite,easting,northing\n3,4,529057,179680\n",
        fault=_APART,
    ),
    Case(
        "eastings within squares of the grid beside degrees",
        "lat,lon,easting,northing\n51.501330,-0.142040,29057,79680\n",
        [At(2, *_PALACE)],
    ),
    Case(
        "the Irish Grid beside degrees",
        "lat,lon,easting,northing\n54.597000,-5.930000,333900,374000\n",
        [At(2, 54.597, -5.93)],
    ),
    # --- the whole world
    Case(
        "the Seychelles are no swapped Britain in a file of the world",
        "name,lat,lon\n" + "x,48.8566,2.3522\nx,-33.9,151.2\nx,40.7,-74.0\n" * 3 + "x,-4.68,55.49\n",
        [
            *(
                At(line, *((48.8566, 2.3522), (-33.9, 151.2), (40.7, -74.0))[(line - 2) % 3])
                for line in range(2, 11)
            ),
            At(11, -4.68, 55.49),
        ],
        dialect={"is_of_world": True},
    ),
    Case(
        "places of the world with decimal commas",
        "lat;lon\n" + "-33,9;151,2\n" * 3 + "-4,68;55,49\n",
        [*(At(line, -33.9, 151.2) for line in (2, 3, 4)), At(5, -4.68, 55.49)],
    ),
    Case(
        "the Seychelles among places of the United Kingdom",
        "lat,lon\n" + "51.5,-0.1\n" * 3 + "-4.68,55.49\n0,0\n0,0\n0,0\n0,0\n0,0\n0,0\n",
        [
            *(At(line, 51.5, -0.1) for line in (2, 3, 4)),
            No(5, "coordinates_swapped"),
            *(At(line, 0, 0) for line in range(6, 12)),
        ],
    ),
    Case(
        "no header, airports of the world",
        '1,"A Airport","A","X","AAA","AAAA",-6.081690,145.391998,5282,10,"U","X/Y"\n'
        '2,"B Airport","B","Y","BBB","BBBB",65.283300,-14.401400,76,0,"N","X/Z"\n'
        '3,"C Airport","C","Z",\\N,"CCCC",-13.829999,-172.007996,58,13,"U","Z/Z"\n',
        [At(1, -6.08169, 145.391998), At(2, 65.2833, -14.4014), At(3, -13.829999, -172.007996)],
        dialect={"has_header": False, "latitude": 7, "longitude": 8},
    ),
    Case(
        "no header, cities of the world",
        "11\tA\tA\tAa,Ab\t42.57952\t1.65362\tP\tPPL\tAD\t\t02\t\t3292\t\t2411\tX/A\t2019-01-01\n"
        "12\tB\tB\t\t-8.50000\t179.20000\tP\tPPLC\tTV\t\t01\t\t4492\t\t2\tX/B\t2019-01-01\n",
        [At(1, 42.57952, 1.65362), At(2, -8.5, 179.2)],
        dialect={"has_header": False, "latitude": 5, "longitude": 6, "delimiter": "\t"},
    ),
    Case(
        "no header, longitudes first",
        "x,151.20699,-33.86785\ny,13.40495,52.52001\n",
        [At(1, -33.86785, 151.20699), At(2, 52.52001, 13.40495)],
    ),
    *(
        Case(f"no header, {name}", text, fault=Fault("columns-not-found", mentions="no header"))
        for name, text in (
            ("a third column of such numbers", "x,151.20699,-33.86785,1.23456\ny,13.40495,52.52001,2.34567\n"),
            ("columns apart", "151.20699,x,-33.86785\n13.40495,y,52.52001\n"),
            ("none beyond 90", "x,13.40495,52.52001\ny,2.35222,48.85661\n"),
        )
    ),
    # --- eastings and northings that are exchanged
    Case(
        "northings that are called eastings, in the far north",
        "easting,northing\n805000,393000\n846000,266000\n",
        fault=Fault(
            "columns-not-found",
            {"candidates": [1, 2], "fix": {"latitude": "easting", "longitude": "northing"}},
            "exchanged",
        ),
    ),
    Case(
        "northings that are called eastings, some in the far north",
        "easting,northing\n" + "179680,529057\n" * 9 + "805000,393000\n",
        fault=_EXCHANGED,
    ),
    Case(
        "northings that are called X",
        "X,Y\n805000,393000\n846000,266000\n",
        fault=Fault("columns-not-found", {"fix": None}, "exchanged"),
    ),
    Case(
        "northings that are called eastings, declared",
        "easting,northing\n805000,393000\n",
        [At(2, 57.13584, -2.11728, within=100)],
        declared={"latitude": "easting", "longitude": "northing"},
    ),
    Case(
        "one easting beyond the grid, among places in the far north",
        "easting,northing\n" + "393000,805000\n" * 2 + "805000,393000\n",
        [
            *(At(line, 57.13584, -2.11728, within=100) for line in (2, 3)),
            No(4, "outside_national_grid"),
        ],
    ),
]  # fmt: skip
