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
        [At(line, *_PALACE) for line in range(2, 6)],
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
        "eastings within squares of the grid beside degrees",
        "lat,lon,easting,northing\n51.501330,-0.142040,29057,79680\n",
        [At(2, *_PALACE)],
    ),
    Case(
        "the Irish Grid beside degrees",
        "lat,lon,easting,northing\n54.597000,-5.930000,333900,374000\n",
        [At(2, 54.597, -5.93)],
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
    Case("northings that are called X", "X,Y\n805000,393000\n846000,266000\n", fault=_EXCHANGED),
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
