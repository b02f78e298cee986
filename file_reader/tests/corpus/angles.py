"""Degrees, minutes and seconds in every spelling, letters and signs, and degrees without their point."""

import random

from tests.corpus.case import At, Case, Fault, No

#: 51°30'36" N, 0°9'0" W
_LATITUDE, _LONGITUDE = 51.51, -0.15
_DECLARED = {"latitude": "lat", "longitude": "lon"}


def _quoted(*cells: str) -> str:
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)


def _two(latitude: str, longitude: str) -> Case:
    """The two cells are read as the same place, detected as degrees."""
    return Case(f"two cells: {latitude} and {longitude}", f"name,lat,lon\nx,{_quoted(latitude, longitude)}\n",
                [At(2, _LATITUDE, _LONGITUDE, 0.01)], dialect={"coordinates": "degrees"})  # fmt: skip


def _one(cell: str, notation: str = "lat_lon") -> Case:
    return Case(f"one cell: {cell}", f"name,place\nx,{_quoted(cell)}\n", [At(2, _LATITUDE, _LONGITUDE, 0.01)],
                dialect={"coordinates": notation})  # fmt: skip


def _refused(latitude: str, longitude: str, reason: str, words: str) -> list[Case]:
    """The row is rejected among others; a file of such rows is asked back in words that say why."""
    row, good = f"x,{_quoted(latitude, longitude)}\n", "y,51.51,-0.15\n"
    return [
        Case(f"a row is refused: {latitude}, {longitude}", f"name,lat,lon\n{good}{row}{good}",
             [At(2, 51.51, -0.15), No(3, reason), At(4, 51.51, -0.15)]),
        Case(f"a file is refused: {latitude}, {longitude}", f"name,lat,lon\n{row}{row}",
             fault=Fault("columns-not-found", mentions=words)),
    ]  # fmt: skip


def _packed(notation: str, latitude: str, longitude: str) -> list[Case]:
    """Read where it is declared; else it is asked back, with the option."""
    data = f"name,lat,lon\nx,{latitude},{longitude}\n"
    place = [At(2, _LATITUDE, _LONGITUDE, 0.01)]
    return [
        Case(f"declared as {notation}: {latitude}, {longitude}", data, place, declared={"coordinates": notation}),
        Case(f"declared as {notation}, the columns too: {latitude}, {longitude}", data, place,
             declared={"coordinates": notation, **_DECLARED}),
    ]  # fmt: skip


def _of_minutes(rows: int, limit: int) -> str:
    """Coordinates whose two digits behind the point, and the next two, are below a limit."""
    chance = random.Random(17)
    parts = [[chance.randrange(limit) for _ in range(4)] for _ in range(rows)]
    return "lat,lon\n" + "".join(
        f"{50 + a % 8}.{a:02}{b:02}41,-{c % 4}.{c:02}{d:02}77\n" for a, b, c, d in parts
    )  # fmt: skip


#: Which reading is doubted, by a second look.
_DOUBTED = Fault("reading-doubtful", {"doubt": "minutes_packed"}, "coordinates=dd.mmss")
_NMEA = "lat,lon\n5130.6,-9.0\n5557.18,-311.28\n"

CASES = [
    *(
        _two(latitude, longitude)
        for latitude, longitude in (
            ("51-30-36N", "0-9-0W"),
            ("51–30–36.0 N", "000–09–00 W"),
            ("N 51-30-36", "W 0-9-0"),
            ("51.51 North", "0.15 West"),
            ("North 51.51", "West 0.15"),
            ("51.51n", "0.15w"),
            ("n51.51", "w 0.15"),
            ("51 30 36 n", "0 9 0 w"),
            ("51°30'36\" Nord", "0°9'0\" Ouest"),
            ("51°30'36\" Norte", "0°9'0\" Oeste"),
            ("51 deg 30 min 36 sec N", "0 deg 9 min W"),
            ("51 degrees 30 minutes 36 seconds north", "0 degrees 9 minutes 0 seconds west"),
            ("51d30m36s", "-0d9m0s"),
            ("51D30M36SN", "0D9M0SW"),
            ("51° 30.6'", "-0° 9.0'"),
            ("N 51° 30.600'", "W 000° 09.000'"),
            ("51 30.6N", "0 9W"),
            ("51:30:36N", "0:09:00W"),
            ("51:30.6", "-0:9.0"),
            ("51º30´36˝N", "0º9´0˝W"),
            ("51.51°N", "0.15°W"),
            ("51.51", "0.15-"),
            ("51.51", "- 0.15"),
            ("51.51", "−0.15"),
        )
    ),
    Case("east in other languages", "lat,lon\n51.5 Nord,0.1 Ost\n51.5 Nord,0.1 Est\n51.5 Norte,0.1 Este\n51.5N,0.1 E\n",
         [At(line, 51.5, 0.1) for line in range(2, 6)]),
    Case("south, with seconds and without", "lat,lon\n51 30 36S,0.1E\n51d30m36sS,0.1E\n51.51 Süd,0.1E\n",
         [At(line, -51.51, 0.1) for line in range(2, 5)]),
    *_refused("51.51", "-0.15W", "sign_and_letter", "say it twice"),
    *_refused("51.51N", "+0.15W", "sign_and_letter", "say it twice"),
    *_refused("51.51", "0.15O", "letter_unclear", "Ouest"),
    *_refused("51.51N", "O 0.15", "letter_unclear", "Ouest"),
    *_refused("51.51N", "0.15e", "letter_unclear", "exponent"),
    *_refused("51.51", "(0.15)", "sign_unclear", "brackets"),
    *_refused("51.51N", "0.15", "side_unclear", "letter"),
    *_refused("0.15W", "51.51N", "letter_of_other_axis", "the longitude has N or S"),
    *_refused("51°75'N", "0.15W", "minutes_out_of_range", "60 or more"),
    *_refused("51 30 36", "-0 9 0", "not_a_number", "coordinates=dms"),
    *_refused("51-30-36", "0-9-0", "not_a_number", "coordinates=dms"),
    *(
        _one(cell)
        for cell in (
            "51°30'36\"N 0°9'0\"W",
            "51°30'36\"N, 0°9'0\"W",
            "51° 30' 36\" N 0° 9' 0\" W",
            "51°30′36″N 0°9′0″W",
            "N51°30'36\" W0°9'0\"",
            "N 51 30 36 W 0 9 0",
            "N51.51W0.15",
            "51.51N 0.15W",
            "51.51 N, 0.15 W",
            "51.51 North 0.15 West",
            "51-30-36N 0-9-0W",
            "51 30.6N 0 9W",
            "51d30m36sN 0d9m0sW",
            "51.51°, -0.15°",
            "51.51N/0.15W",
        )
    ),
    _one("0.15W 51.51N", "lon_lat"),
    Case("one cell of angles, some of which are unclear",
         'place\n"51.51N 0.15W"\n"51.51N -0.15W"\n"51.51N 0.15"\n"51.51N"\n"51 30 36 0 9 0"\n' + '"51.51N 0.15W"\n' * 8,
         [At(2, 51.51, -0.15), No(3, "sign_and_letter"), No(4, "side_unclear"), No(5, "not_coordinates"),
          No(6, "not_coordinates"), *(At(line, 51.51, -0.15) for line in range(7, 15))]),
    # --- packed
    *_packed("dms", "51 30 36", "-0 9 0"),
    *_packed("dms", "51-30-36", "0-9-0W"),
    *_packed("ddmmss", "513036", "-900"),
    *_packed("ddmmss", "513036.0N", "0000900W"),
    *_packed("ddmm", "5130.6", "-9.0"),
    *_packed("ddmm", "5130.6000N", "00009.0000W"),
    *_packed("dd.mmss", "51.3036", "-0.09"),
    *_packed("dd.mmss", "51.303600", "-0.090000"),
    Case("minutes that are none",
         "lat,lon\n51.3036,-0.09\n51.6036,-0.09\n51.3060,-0.09\n51.3036,0.09O\n51.3036W,0.09\n",
         [At(2, 51.51, -0.15, 0.01), No(3, "minutes_out_of_range"), No(4, "minutes_out_of_range"),
          No(5, "letter_unclear"), No(6, "letter_of_other_axis")], declared={"coordinates": "dd.mmss"}),
    Case("an NMEA log is asked back", _NMEA, fault=Fault("columns-not-found", mentions="coordinates=ddmm.")),
    Case("an NMEA log, declared", _NMEA, [At(2, 51.51, -0.15, 0.01), At(3, 55.953, -3.188, 1)],
         declared={"coordinates": "ddmm"}),
    Case("an NMEA log with its sides in columns", "lat,ns,lon,ew\n5130.6,N,9.0,W\n",
         declared={"coordinates": "ddmm"}, fault=Fault("columns-not-found", mentions="west is negative")),
    Case("degrees, minutes and seconds in one whole number", "lat,lon\n513036,-900\n555711,-31117\n",
         fault=Fault("columns-not-found", mentions="coordinates=ddmmss.")),
    Case("angles under a name of packed ones", "lat_dms,lon_dms\n51°30'36\"N,0°9'0\"W\n",
         [At(2, _LATITUDE, _LONGITUDE, 0.01)]),
    Case("a name of packed ones, with the option", "lat_dms,lon_dms\n51.3036,-0.0900\n",
         fault=Fault("columns-not-found", mentions="coordinates=dd.mmss.")),
    Case("30 rows without a minute above 59", _of_minutes(30, 60),
         fault=_DOUBTED),
    Case("30 rows without a minute above 60, but for the same town", "lat,lon\n" + "51.303636,-0.090841\n" * 30,
         [At(line, 51.303636, -0.090841) for line in range(2, 32)]),
    # --- without their point
    *(
        Case(f"whole numbers of 10^-{digits} degrees",
             f"lat,lon\n{round(51.51 * 10**digits)},-{round(0.15 * 10**digits)}\n{53 * 10**digits}.0,0\n",
             [At(2, 51.51, -0.15), At(3, 53, 0)], dialect={"coordinates": f"degrees_e{digits}"})
        for digits in (5, 6, 7)
    ),
    Case("whole numbers of another country are asked back", "lat,lon\n485100000,22900000\n486100000,23900000\n",
         fault=Fault("columns-not-found", {"candidates": [1]}, "'485100000'")),
    Case("whole numbers of another country, declared", "lat,lon\n485100000,22900000\n", [At(2, 48.51, 2.29)],
         declared={"coordinates": "degrees_e7"}),
    Case("whole numbers, and one with a point", "lat,lon\n515100000,-1500000\n51.51,-0.15\n",
         [At(2, 51.51, -0.15), No(3, "not_a_number")], declared={"coordinates": "degrees_e7"}),
    # --- how exact
    Case("whole degrees", "lat,lon\n51,0\n52.0,-1\n",
         fault=Fault("columns-not-found", {"candidates": [1, 2]}, "whole")),
    Case("whole degrees but for a row", "lat,lon\n51.50133,-0.14204\n"
         + "".join(f"{50 + n % 8},{-n // 8}\n" for n in range(40)),
         fault=Fault("columns-not-found", {"candidates": [1, 2]}, "whole numbers, such as '50'")),
    Case("degrees of one decimal but for a row", "lat,lon\n51.50133,-0.14204\n"
         + "".join(f"{50 + n / 10:.1f},-1.{n % 9 + 1}\n" for n in range(40)),
         [At(2, 51.50133, -0.14204), *(At(n + 3, round(50 + n / 10, 1), float(f"-1.{n % 9 + 1}")) for n in range(40))],
         dialect={"precision_m": 11_132}),
    Case("whole degrees, declared", "lat,lon\n51,0\n52,-1\n", [At(2, 51, 0), At(3, 52, -1)], declared=_DECLARED),
    Case("degrees of one decimal", "lat,lon\n51.5,-0.1\n52.60,-1\n", [At(2, 51.5, -0.1), At(3, 52.6, -1)],
         dialect={"precision_m": 11_132}),
    Case("degrees of two decimals with letters", "lat,lon\n51.30N,0.08W\n", [At(2, 51.3, -0.08)],
         dialect={"precision_m": 1_113}),
    Case("whole minutes", "lat,lon\n51°28'N,3°10'W\n", [At(2, 51.466667, -3.166667, 1)],
         dialect={"precision_m": 1_855}),
    Case("whole seconds", "lat,lon\n51°28'30\"N,3°10'W\n", [At(2, 51.475, -3.166667, 1)],
         dialect={"precision_m": None}),
    Case("degrees of three decimals", "lat,lon\n51.501,-0.1\n", [At(2, 51.501, -0.1)], dialect={"precision_m": None}),
]  # fmt: skip
