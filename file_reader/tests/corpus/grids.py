"""Metres of grids, grid references and geohashes.

Places with published figures:
- Caister Water Tower: Ordnance Survey, "Transformations and OSGM15 User Guide", annexe A.
- the Spire of Dublin: Wikipedia, "Irish grid reference system" and "Irish Transverse Mercator".
- EPSG Guidance Note 7-2, the example of Popular Visualisation Pseudo-Mercator.
- two geohashes: Wikipedia, "Geohash".
- the CN Tower: Wikipedia, "Universal Transverse Mercator"; there in zone 17, here 13 zones of 6° further east.

The other figures are those of pyproj.
"""

from tests.corpus.case import At, Case, Fault, No

_CAISTER = (52.658007833, 1.716073973)
_SPIRE = (53.3498, -6.26025)
_PALACE = (51.50101, -0.14156)
_NOT_FOUND = "columns-not-found"


def _metres(name: str, easting: str, northing: str, notation: str, *place: float, within: float = 1.0) -> Case:
    return Case(f"{name}, declared", f"id,easting,northing\n1,{easting},{northing}\n", [At(2, *place, within)],
                declared={"coordinates": notation}, dialect={"coordinates": notation})  # fmt: skip


def _named(easting: str, northing: str, values: str, notation: str) -> Case:
    return Case(f"the names say the grid: {easting}, {northing}", f"{easting},{northing}\n{values}\n{values}\n",
                [At(line, *(_SPIRE if notation != "utm30" else (51.501726, -0.13992)), 1) for line in (2, 3)],
                dialect={"coordinates": notation})  # fmt: skip


def _references(name: str, cells: str, *rows: At | No, size: float | None, **more: str) -> Case:
    text = f"id,{more.get('header', 'grid_ref')}\n" + "".join(f"1,{cell}\n" for cell in cells.split("|"))
    return Case(name, text, rows, dialect={"precision_m": size})


CASES = [
    # --- the published figures
    _metres("the British National Grid", "651409.804", "313177.450", "osgb36", *_CAISTER, within=0.1),
    _metres("the Irish Grid", "315904", "234671", "irish_grid", *_SPIRE),
    _metres("ITM", "715830", "734697", "itm", *_SPIRE),
    _metres("UTM", "630084", "4833438", "utm30", 43 + 38 / 60 + 33.24 / 3600, 78 - 79 - 23 / 60 - 13.7 / 3600),
    _metres("the same in the zone before", "630084", "4833438", "utm29", 43.642567, 72 - 79.387139),
    _metres("the same in the zone behind", "630084", "4833438", "utm31", 43.642567, 84 - 79.387139),
    _metres("Web Mercator", "-11169055.58", "2800000.00", "web_mercator", 24 + 22 / 60 + 54.433 / 3600, -100 - 20 / 60),
    # --- the names say it
    _named("Irish Grid Easting", "Irish Grid Northing", "315904,234671", "irish_grid"),
    _named("irish_easting", "irish_northing", "315904,234671", "irish_grid"),
    _named("Easting 29903", "Northing 29903", "315904,234671", "irish_grid"),
    _named("ITM Easting", "ITM Northing", "715830,734697", "itm"),
    _named("ITM_E", "ITM_N", "715830,734697", "itm"),
    _named("X_ITM", "Y_ITM", "715830,734697", "itm"),
    _named("UTM30 Easting", "UTM30 Northing", "698500,5709500", "utm30"),
    _named("Easting UTM 30N", "Northing UTM 30N", "698500,5709500", "utm30"),
    Case("the names of declared columns say the grid", "a,ITM Easting,ITM Northing\n1,715830,734697\n",
         [At(2, *_SPIRE, 1)], declared={"latitude": "3", "longitude": "2"}, dialect={"coordinates": "itm"}),
    Case("the names say a grid, the numbers do not", "ITM Easting,ITM Northing\n315904,234671\n",
         fault=Fault(_NOT_FOUND, mentions="another grid")),
    Case("the names say two grids", "Irish ITM Easting,Irish ITM Northing\n315904,234671\n", fault=Fault(_NOT_FOUND)),
    Case("UTM without its zone", "UTM Easting,UTM Northing\n698500,5709500\n",
         fault=Fault(_NOT_FOUND, mentions="coordinates=utm30")),
    Case("rows outside of the grid", "ITM Easting,ITM Northing\n" + "715830,734697\n" * 220 + "0,0\n,\n7E+05,7E+05\n",
         [*(At(line, *_SPIRE, 1) for line in range(2, 222)), No(222, "outside_grid"), No(223, "empty_row"),
          No(224, "precision_lost")]),
    # --- they do not say it
    Case("Dublin without a word", "Easting,Northing\n315904,234671\n",
         fault=Fault(_NOT_FOUND, mentions="coordinates=irish_grid")),
    Case("a nation says where it is", "Easting,Northing,nation\n333900,374000,NI\n",
         fault=Fault(_NOT_FOUND, mentions="coordinates=irish_grid")),
    Case("ITM without a word", "Easting,Northing\n715830,734697\n",
         fault=Fault(_NOT_FOUND, mentions="coordinates=itm")),
    Case("UTM without a word", "Easting,Northing\n698500,5709500\n",
         fault=Fault(_NOT_FOUND, mentions="coordinates=utm30")),
    Case("Web Mercator without a word", "x,y\n-15761.3,6710219.1\n",
         fault=Fault(_NOT_FOUND, mentions="coordinates=web_mercator")),
    Case("Web Mercator in columns of degrees", "lat,lon\n6710219.1,-15761.3\n",
         fault=Fault(_NOT_FOUND, mentions="coordinates=web_mercator")),
    # --- squares in a column
    Case("metres within squares", "square,easting,northing\nTQ,29090,79645\ntq,29090,79645\n",
         [At(2, *_PALACE, 2), At(3, *_PALACE, 2)], dialect={"coordinates": "osgb36_square", "square_column": 0}),
    Case("metres within squares, columns declared", "sq,a,b\nTQ,29090,79645\n", [At(2, *_PALACE, 2)],
         declared={"latitude": "b", "longitude": "a"}),
    Case("metres within squares, zeros in front are lost",
         "square,easting,northing\nTQ,29090,79645\nTQ,90,10045\nTQ,90,45\n",
         [At(2, *_PALACE, 2), At(3, 50.8812314, -0.578588, 3), No(4, "precision_lost")]),
    Case("further down there is no square", "square,easting,northing\n" + "TQ,29090,79645\n" * 220
         + ",29090,79645\nQQ,29090,79645\nTQ,129090,79645\n",
         [*(At(line, *_PALACE, 2) for line in range(2, 222)), No(222, "not_a_reference"), No(223, "not_a_reference"),
          No(224, "outside_national_grid")]),
    Case("squares, and numbers that may be of 10 m", "square,easting,northing\nTQ,2909,7964\n",
         [At(2, 50.862037, -0.539137, 3)],
         declared={"coordinates": "osgb36_square"}),
    Case("no squares", "place,easting,northing\nx,29090,79645\n", declared={"coordinates": "osgb36_square"},
         fault=Fault(_NOT_FOUND, mentions="such as TQ")),
    # --- references
    _references("references of ten to two figures",
                "TQ 29090 79645|TQ2909079645|tq 2909 7964|TQ 290 796|TQ290796|TQ2979|TQ27",
                At(2, *_PALACE, 2), At(3, *_PALACE, 2), At(4, *_PALACE, 10), At(5, 51.50106, -0.14214, 5),
                At(6, 51.50106, -0.14214, 5), At(7, 51.49961, -0.13571, 5), At(8, 51.46018, -0.20210, 5), size=10_000),
    _references("references of the Irish Grid", "O 15904 34671|O1590434671|J 338 743", At(2, *_SPIRE, 2),
                At(3, *_SPIRE, 2), At(4, 54.59965, -5.92965, 5), size=100),
    _references("the blanks say what it is", "TQ 29090 79645|TQ 290 796", At(2, *_PALACE, 2),
                At(3, 51.50106, -0.14214, 5), size=100, header="place"),
    _references("references and what is none",
                "TQ 290 796|" * 220 + "TQ 29 7|TQ290|ZZ1234|NA|TQ2979|TQ27",
                *(At(line, 51.50106, -0.14214, 5) for line in range(2, 222)),
                *(No(line, "not_a_reference") for line in (222, 223, 224)), No(225, "coordinates_missing"),
                At(226, 51.49961, -0.13571, 5), No(227, "square_too_large"), size=100),
    Case("one of the first cells is no reference", "id,grid_ref\n1,TQ 290 796\n2,near the church\n",
         fault=Fault(_NOT_FOUND)),
    Case("references in the latitude, and no longitude", "lat,lon\nTQ 29090 79645,\nTQ 290 796,\n",
         fault=Fault(_NOT_FOUND, {"candidates": [1, 2]}, "coordinates=grid_reference and latitude=1")),
    Case("degrees that are called eastings", "easting,northing\n-3.504849,50.773608\n-3.2,51.642514\n",
         fault=Fault(_NOT_FOUND, {"fix": {"latitude": "northing", "longitude": "easting"}}, "seem to be degrees")),
    Case("eastings beside references", "grid_ref,easting,northing\nTQ27,529090,179645\n", [At(2, *_PALACE, 2)]),
    Case("codes that look like references", "id,serial\n1,SN123456\n2,SN123457\n",
         fault=Fault(_NOT_FOUND, mentions="coordinates=grid_reference")),
    Case("postcode districts that look like references", "id,area\n1,SW11\n2,SE10\n",
         fault=Fault(_NOT_FOUND, mentions="coordinates=grid_reference")),
    Case("codes that are said to be references", "id,serial\n1,SN123456\n", [At(2, 52.077326, -4.739717, 60)],
         declared={"latitude": "serial", "coordinates": "grid_reference"}),
    Case("two columns of references", "grid_ref,grid_ref2\nTQ 290 796,TQ 291 797\n",
         fault=Fault(_NOT_FOUND, {"candidates": [1, 2]})),
    Case("references without a header", "1,TQ 290 796\n2,TQ 290 796\n",
         [At(line, 51.50106, -0.14214, 5) for line in (1, 2)],
         dialect={"has_header": False}),
    # --- geohashes
    _references("geohashes", "gcpuuz94k|GCPUUZ94K|gcpuuz", At(2, 51.501567, -0.141256), At(3, 51.501567, -0.141256),
                At(4, 51.5012, -0.1373), size=1_223, header="geohash"),
    Case("codes that look like geohashes", "id,code\n1,gcpuuz94k\n2,gcpuuz94m\n",
         fault=Fault(_NOT_FOUND, mentions="coordinates=geohash")),
    Case("codes that are said to be geohashes", "id,code\n1,u4pruydqqvj\n2,a\n3,ezs42\n",
         [At(2, 57.64911, 10.40744, 1), No(3, "not_a_reference"), At(4, 42.605, -5.603)],
         declared={"latitude": "code", "coordinates": "geohash"}),
]  # fmt: skip
