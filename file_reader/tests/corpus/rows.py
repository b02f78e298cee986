"""Single rows that cannot be read: each keeps its line, and the rest goes on."""

from collections.abc import Sequence

from tests.corpus.case import At, Case, Fault, No

_GOOD = "before,51.5,-0.1\n"


def _each(name: str, reason: str, cells: Sequence[str]) -> list[Case]:
    """Files in which every such cell stands once for the latitude and once for the longitude, among good rows."""
    lines = ["name,lat,lon\n", *[_GOOD] * 3]
    rows: list[At | No] = [At(line, 51.5, -0.1) for line in (2, 3, 4)]
    for cell in cells:
        for latitude, longitude in ((cell, "-0.1"), ("51.5", cell)):
            lines += [f'x,"{latitude}","{longitude}"\n', _GOOD]
            rows += [No(len(lines) - 1, reason), At(len(lines), 51.5, -0.1)]
    return [Case(name, "".join(lines), rows, declared={"decimal": "."})]


def _one(name: str, record: str, reason: str) -> Case:
    rows: list[At | No] = [At(2, 51.5, -0.1), No(3, reason), At(4, 51.5, -0.1)]
    return Case(name, f"name,lat,lon\n{_GOOD}{record}\n{_GOOD}", rows)


def _read(name: str, latitude: str, longitude: str, *expected: float) -> Case:
    text = f'name,lat,lon\n{_GOOD}x,"{latitude}","{longitude}"\n{_GOOD}'
    return Case(name, text, [At(2, 51.5, -0.1), At(3, *expected), At(4, 51.5, -0.1)])


CASES = [
    _one("too short", "x,51.5", "too_few_fields"),
    _one("much too short", "x", "too_few_fields"),
    _one("too long", "x,51.5,-0.1,y", "too_many_fields"),
    _one("one delimiter too many", "x,51.5,-0.1,", "too_many_fields"),
    _one("an address without quotes", "Flat 2, High Street,51.5,-0.1", "too_many_fields"),
    _one("20,000 fields", "x" + ",1" * 20_000, "too_many_fields"),
    _one("a NUL byte", "x\0,51.5,-0.1", "nul_byte"),
    _one("a NUL byte in a coordinate", "x,51\0.5,-0.1", "nul_byte"),
    _one("empty cells", ",,", "empty_row"),
    _one("an empty coordinate in quotes", 'x,"",""', "coordinates_missing"),
    Case("a thousand rows of delimiters, the mark of DOS for the end, comments",
         "name,lat,lon\nx,51.5,-0.1\n" + ",,\n" * 1_000 + "# 1 row\n#source: x\n# a, b\n\x1a",
         [At(2, 51.5, -0.1), *(No(line, "empty_row") for line in range(3, 1_003)),
          *(No(line, "comment") for line in (1_003, 1_004, 1_005)), No(1_006, "empty_row")]),
    Case("a row that begins with a number sign and is cut short is no comment", "name,lat,lon\n#7,51.5\n#8,51.5,-0.1\n",
         [No(2, "too_few_fields"), At(3, 51.5, -0.1)]),
    Case("delimiters only in the first thousand rows", "name;lat;lon\n" + ";;\n" * 1_000 + "x;51,5;-0,1\n",
         [*(No(line, "empty_row") for line in range(2, 1_002)), At(1_002, 51.5, -0.1)], dialect={"decimal": ","}),
    Case("no header, delimiters only in the first thousand rows", "x,51.512,-0.123\n" + ",,\n" * 1_000
         + "y,52.512,-1.123\n",
         [At(1, 51.512, -0.123), *(No(line, "empty_row") for line in range(2, 1_002)), At(1_002, 52.512, -1.123)]),
    Case("eastings of 0 in the first 250 rows", "id,easting,northing\n" + "x,0,0\n" * 250 + "x,529057,179680\n",
         [*(No(line, "outside_national_grid") for line in range(2, 252)), At(252, 51.50133, -0.14204, within=5)]),
    Case("eastings of 0 in the first 250 rows, then those of Ireland",
         "id,easting,northing\n" + "x,0,0\n" * 250 + "x,333900,374000\n",
         fault=Fault("columns-not-found", mentions="Irish Grid")),
    _one("spaces for coordinates", 'x," "," "', "coordinates_missing"),
    _one("a formula is not computed", "x,=51.5,-0.1", "not_a_number"),
    Case("a number of 1,100 digits is none, wherever it stands",
         f"name,lat,lon\nx,51.5,-0.{'1' * 1_100}\n" + _GOOD * 5_000
         + f"x,51.5,-0.{'1' * 1_100}\n",
         [No(2, "not_a_number"), *(At(line, 51.5, -0.1) for line in range(3, 5_003)), No(5_003, "not_a_number")]),
    _one("ten thousand digits", "x,5" + "1" * 10_000 + "x,-0.1", "not_a_number"),
    Case("rows that sum up the others", "name,lat,lon,n\n" + "Max,51.5,-0.1,3\n" * 3
         + "Average:,51.5,-0.1,\nmeans,51.5,-0.1,3\n",
         [*(At(line, 51.5, -0.1) for line in (2, 3, 4)), *(No(line, "sums_up") for line in (5, 6))]),
    Case("a text beside the word for a mean", "name,lat,lon,town\nAverage,51.5,-0.1,Leeds\n", [At(2, 51.5, -0.1)]),
    Case("blank lines are skipped and counted", "name,lat,lon\n\nx,51.5,-0.1\n  \n\t\n\r\n\ny,52.5,-1.1\n\n\n",
         [At(3, 51.5, -0.1), At(8, 52.5, -1.1)]),
    *_each("nothing", "coordinates_missing", ["", " ", "NA", "N/A", "n/a", "#N/A", "<Null>", "(null)", "nan", "NaN",
         "NULL", "null", "None", "\\N",
    "-"]),
    *_each("numbers that only Python takes", "not_a_number",
           ["5_1", "1_000.5", "１２", "٥١", "inf", "-inf", "Infinity", "+Infinity", "0x33", "0b1", "५१.५"]),
    *_each("numbers that only people take", "not_a_number",
           ["51,5", "51 30 36", "513036N", "51.5°30'N", "N51.5N", "1/2", "~51", "51.5?",
            "51.5 -0.1", "fifty", "51.5.1", "--1", "+-1", "5 1", "51\u200b.5", "$1", "1%"]),
    *(_read(f"an angle: {latitude}, {longitude}", *(text.replace('"', '""') for text in (latitude, longitude)), 51.51,
            -0.15)
      for latitude, longitude in (
          ("51°30'36\"N", "0°9'0\"W"), ("51° 30′ 36″ N", "0° 9′ W"), ("N 51 30 36", "W 0 9 0"), ("51.51N", "0.15W"),
          ("N51.51°", "W0.15°"), ("51.51°", "-0.15°"), ("51:30:36", "-0:09:00"), ("51º30.6'N", "-0º9'"),
          ("51d30m36secN", "0d9mW"), ("51°30'36''N", "0°9'0''W"), ("51.51", "\N{MINUS SIGN}0.15"),
          ('="51.51"', '="-0.15"'))),
    _one("an angle of the other side", "x,51.5E,0.1W", "letter_of_other_axis"),
    *_each("spreadsheets' errors", "not_a_number", ["#VALUE!", "#REF!", "=1+1", "@1", "TRUE"]),
    *_each("HTML", "not_a_number", ["<b>1</b>", "<script>alert(1)</script>", "&#53;1"]),
    Case("out of range", "lat,lon\n51.5,-0.1\n90.1,0\n-90.1,0\n1e400,0\n-1e400,0\n12345,0\n0,180.5\n0,-181\n0,1e400\n"
         + "51.5,-0.1\n" * 20,
         [At(2, 51.5, -0.1), *(No(line, "latitude_out_of_range") for line in range(3, 8)),
          *(No(line, "longitude_out_of_range") for line in range(8, 11)),
          *(At(line, 51.5, -0.1) for line in range(11, 31))]),
    Case("the ends of the range", "lat,lon\n90,180\n-90,-180\n0,0\n-0,-0.0\n0.1,0\n",
         [At(2, 90, 180), At(3, -90, -180), At(4, 0, 0), At(5, 0, 0), At(6, 0.1, 0)]),
    _read("a plus sign", "+51.5", "+0.1", 51.5, 0.1),
    _read("no digit before the point", "51.5", "-.1", 51.5, -0.1),
    _read("no digit behind the point", "51.", "0.", 51, 0),
    _read("exponents", "5.15e1", "-1E-1", 51.5, -0.1),
    _read("spaces around", " 51.5\t", "\u00a0-0.1 ", 51.5, -0.1),
    _read("sixteen digits", "51.50100912345678", "-0.1415881234567891", 51.50100912345678, -0.1415881234567891),
    _read("zeros in front", "051.5", "-00.1", 51.5, -0.1),
    Case("duplicates are all read", "lat,lon\n" + "51.5,-0.1\n" * 5, [At(line, 51.5, -0.1) for line in range(2, 7)]),
    Case("cells that a spreadsheet would compute", "note,lat,lon\n=cmd(),51.5,-0.1\n+1,51.5,-0.1\n-1,51.5,-0.1\n"
         "@x,51.5,-0.1\n",
         [At(line, 51.5, -0.1) for line in range(2, 6)]),
    Case("nothing but rejected rows", "lat,lon\nx,y\n1\n", fault=Fault("columns-not-found", mentions="'x' and 'y'")),
    Case("nothing but rejected rows, declared", "lat,lon\nx,y\n1\n", [No(2, "not_a_number"), No(3, "too_few_fields")],
         declared={"latitude": "lat", "longitude": "lon"}),
    Case("empty rows at first", "lat,lon\n,\n,\n51.5,-0.1\n",
         [No(2, "empty_row"), No(3, "empty_row"), At(4, 51.5, -0.1)]),
    Case("the lines of rejected rows count the line breaks in cells",
         'name,lat,lon\n"a\nb\nc",51.5,-0.1\n\n"d\ne",x,y\nf,z,z\n',
         [At(2, 51.5, -0.1), No(6, "not_a_number"), No(8, "not_a_number")]),
    Case("158 columns, mixed line ends, line breaks in cells, ragged rows",
         ",".join(["id", "latitude", "longitude", *(f"c{n}" for n in range(155))]) + "\r\n"
         + '1,51.5,-0.1,"two\nlines"' + "," * 154 + "\r\n" + "2,52.5,-1.1" + "," * 154 + "\n"
         + '3,53.5,-2.1,"three\r\nlines\r\nhere"' + "," * 155 + "\r\n" + "4,54.5,-3.1" + "," * 155 + "\n",
         [At(2, 51.5, -0.1), No(4, "too_few_fields"), No(5, "too_many_fields"), At(8, 54.5, -3.1)]),
    Case("60,000 rows, one bad at the end", "lat,lon\n" + "51.5,-0.1\n" * 60_000 + "51.5,1_0\n",
         [*(At(line, 51.5, -0.1) for line in range(2, 60_002)), No(60_002, "not_a_number")]),
]  # fmt: skip
