"""Delimiters, quotes, line ends, decimal signs."""

from itertools import cycle, product

from tests.corpus.case import At, Case, Fault, No

CASES = [
    *(Case(f"a quote opens and closes rows later: {delimiter!r}",
           'id,name,lat,lon\n1,x,51.5,-0.1\n2,"mill,52.5,-1.1\n3,y,53.5,-2.1\n4,pond",54.5,-3.1\n'.replace(
               ",", delimiter),
           [At(2, 51.5, -0.1)], fault=Fault("unreadable-file", {"line": 3}, "quoting=none"), declared=declared)
      for delimiter, declared in ((",", {}), ("\t", {"quoting": "quotes"}))),
    *(Case(f"a quote that encloses nothing: {delimiter!r}",
           'id,name,lat,lon\n1,x,51.5,-0.1\n2,"mill,52.5,-1.1\n3,y,53.5,-2.1\n4,pond",54.5,-3.1\n'.replace(
               ",", delimiter),
           [At(2, 51.5, -0.1), At(3, 52.5, -1.1), At(4, 53.5, -2.1), At(5, 54.5, -3.1)], declared=declared,
           dialect={"quoting": "none"})
      for delimiter, declared in ((",", {"quoting": "none"}), ("\t", {}))),
    Case("a quote between tabs that nothing closes", 'name\tlat\tlon\n"x\t51.5\t-0.1\ny\t52.5\t-1.1\n',
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1)]),
    Case("a quote between tabs, far down", "name\tlat\tlon\n" + "y\t52.5\t-1.1\n" * 300 + '"x\t51.5\t-0.1\n',
         [*(At(line, 52.5, -1.1) for line in range(2, 302)), At(302, 51.5, -0.1)]),
    Case("cells in quotes between tabs", 'name\tlat\tlon\n"a\nb"\t51.5\t-0.1\n"c\td"\t52.5\t-1.1\n',
         [At(2, 51.5, -0.1), At(4, 52.5, -1.1)], dialect={"quoting": "quotes"}),
    Case("cells of three lines in quotes between tabs", 'name\tlat\tlon\n' + '"a\n\nb\nc"\t51.5\t-0.1\n' * 4,
         [At(line, 51.5, -0.1) for line in (2, 6, 10, 14)], dialect={"quoting": "quotes"}),
    Case("a lone CR ends lines, and LF is in cells", "a,b,c,Latitude,Longitude\r" + '"\n","\n","\n",49.0,0.0\r' * 2,
         [At(2, 49, 0), At(6, 49, 0)], dialect={"cr_ends": True}),
    Case("colons between the fields", "name:lat:lon\nx:51.5:-0.1\n",
         fault=Fault("columns-not-found", {"fix": {"delimiter": ":"}}, "delimiter=:")),
    Case("spaces between the fields", "name lat lon\nx 51.5 -0.1\n",
         fault=Fault("columns-not-found", {"fix": {"delimiter": "space"}}, "delimiter=space")),
    *(Case(f"the delimiter declared: {delimiter!r}", 'name,lat,lon\n"x, y",51.5,-0.1\n'.replace(",", delimiter),
           [At(2, 51.5, -0.1)], declared={"delimiter": delimiter}) for delimiter in ": ^~/_#]"),
    Case("a quote opens and closes in coordinates", 'id,lat,lon\n1,51.5,-0.1\n2,51.5,"-0.14\n3,52.5,-1\n4,51.5,-1"\n',
         [At(2, 51.5, -0.1)], fault=Fault("unreadable-file", {"line": 3}, "closes on line 5")),
    Case("cells of several lines are no rows", 'id,name,lat,lon\n1,"12, High St\nLondon, UK",51.5,-0.1\n',
         [At(2, 51.5, -0.1)]),
    Case("plain", "lat,lon\n51.5,-0.1\n55.95,-3.19\n", [At(2, 51.5, -0.1), At(3, 55.95, -3.19)],
         dialect={"delimiter": ",", "encoding": "utf-8", "has_header": True, "decimal": ".", "latitude": "lat",
                  "longitude": "lon", "latitude_column": 0, "longitude_column": 1, "coordinates": "degrees"}),
    Case("no line end at the end", "lat,lon\n51.5,-0.1", [At(2, 51.5, -0.1)]),
    Case("header only", "lat,lon\n"),
    Case("header only, no line end", "name;lat;lon", dialect={"delimiter": ";"}),
    Case("header only, eastings and northings", "easting,northing\n"),
    Case("line ends mixed", "lat,lon\r\n51.5,-0.1\n52.5,-1.1\r53.5,-2.1\r\n",
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1), At(4, 53.5, -2.1)]),
    Case("a lone CR in a cell of a file with LF", "id,lat,lon,note\n1,51.5,-0.1,hello\r world\n2,52.5,-1.1,b\n",
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1)], dialect={"cr_ends": False}),
    Case("a lone CR in a cell of a file with CRLF, far down", "id,lat,lon,note\r\n" + "1,51.5,-0.1,a\r\n" * 20_000
         + "1,51.5,-0.1,hello\r world\r\n" + '1,51.5,-0.1,"hello\r world"\r\n1,52.5,-1.1,b\r\n',
         [*(At(line, 51.5, -0.1) for line in range(2, 20_004)), At(20_004, 52.5, -1.1)]),
    Case("LF CR are two line ends", "lat,lon\n\r51.5,-0.1\n\r52.5,-1.1", [At(3, 51.5, -0.1), At(5, 52.5, -1.1)]),
    Case("what other languages take for a line end is part of a cell",
         "lat,lon,note\n51.5,-0.1,a\u2028b\u2029c\x0cd\x0be\x85f\x1cg\x1dh\x1ei\n52.5,-1.1,b\n",
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1)]),
    Case("line breaks of every kind in cells", 'name,lat,lon\n"a\nb",51.5,-0.1\n"a\r\nb\rc",52.5,-1.1\nd,53.5,-2.1\n',
         [At(2, 51.5, -0.1), At(4, 52.5, -1.1), At(7, 53.5, -2.1)]),
    Case("a blank line in a cell", 'name,lat,lon\n"a\n\nb",51.5,-0.1\nc,52.5,-1.1\n',
         [At(2, 51.5, -0.1), At(5, 52.5, -1.1)]),
    Case("delimiters in front of the coordinates, in quotes",
         'name,address,lat,lon\nArms,"1, High Street, Town",51.5,-0.1\n', [At(2, 51.5, -0.1)]),
    Case("more semicolons in the cells than commas between them",
         'name,lat,lon\n"a; b; c; d; e",51.5,-0.1\n"f; g; h; i; j",52.5,-1.1\n',
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1)], dialect={"delimiter": ","}),
    Case("commas in every cell of a file with semicolons",
         "Name, Ort;Breite;Länge\nMüller, Köln;51.5;-0.1\nMaier, Bonn;52.5;-1.1\n",
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1)], dialect={"delimiter": ";"}),
    Case("pipes in the cells of a file with tabs", "a|b\tlat\tlon\nc|d\t51.5\t-0.1\n", [At(2, 51.5, -0.1)],
         dialect={"delimiter": "\t"}),
    Case("inches", 'name,lat,lon\n5" pipe,51.5,-0.1\n6" pipe,52.5,-1.1\n', [At(2, 51.5, -0.1), At(3, 52.5, -1.1)]),
    Case("quotes doubled", 'name,lat,lon\n"the ""Arms"", bar",51.5,-0.1\n""""""\n', [At(2, 51.5, -0.1),
         No(3, "too_few_fields")]),
    Case("quotes around the coordinates only", 'name,lat,lon\nx,"51.5","-0.1"\n', [At(2, 51.5, -0.1)]),
    Case("spaces behind the delimiters", "name, lat, lon\nx, 51.5, -0.1\n", [At(2, 51.5, -0.1)],
         dialect={"latitude": "lat", "longitude": "lon"}),
    Case("spaces behind a closing quote", 'name,lat,lon\n"a\nb" ,51.5,-0.1\n"c" ,52.5,-1.1\n',
         [At(2, 51.5, -0.1), At(4, 52.5, -1.1)]),
    Case("single quotes doubled, pipes, decimal commas, no header",
         "''52,923454''|''-1,474217''\n''nan''|''nan''\n''53,457321''|''-2,262773''\n",
         [At(1, 52.923454, -1.474217), No(2, "coordinates_missing"), At(3, 53.457321, -2.262773)],
         dialect={"delimiter": "|", "decimal": ",", "has_header": False, "latitude": 1, "longitude": 2}),
    Case("single quotes", "name,lat,lon\n'x','51.5','-0.1'\n", [At(2, 51.5, -0.1)]),
    Case("decimal commas, semicolons", "lat;lon\n51,5;-0,1\n", [At(2, 51.5, -0.1)],
         dialect={"delimiter": ";", "decimal": ","}),
    Case("decimal commas, tabs", "lat\tlon\n51,5\t-0,1\n", [At(2, 51.5, -0.1)],
         dialect={"delimiter": "\t", "decimal": ","}),
    Case("decimal commas in quotes among commas", 'lat,lon\n"51,5","-0,1"\n', [At(2, 51.5, -0.1)],
         dialect={"delimiter": ",", "decimal": ","}),
    Case("decimal commas without quotes among commas", "lat,lon\n51,5,-0,1\n52,5,-1,1\n",
         fault=Fault("columns-not-found", {"columns_seen": ["lat", "lon"]}, "most have 4")),
    Case("decimal commas, no header, as short as can be", "51,5;-0,1\n", [At(1, 51.5, -0.1)],
         dialect={"delimiter": ";", "decimal": ","}),
    Case("decimal commas, no header, digits that look like longitudes",
         "1;51,500000;-0,000001\n2;52,500000;-1,000002\n", [At(1, 51.5, -0.000001), At(2, 52.5, -1.000002)],
         dialect={"delimiter": ";", "decimal": ","}),
    Case("decimal commas, mostly missing values", "lat;lon\n51,5;-0,1\nNA;NA\nNA;NA\n",
         [At(2, 51.5, -0.1), No(3, "coordinates_missing"), No(4, "coordinates_missing")], dialect={"decimal": ","}),
    Case("decimal commas, whole longitudes", "lat;lon\n51,5;0\n52,25;-1\n", [At(2, 51.5, 0), At(3, 52.25, -1)],
         dialect={"decimal": ","}),
    Case("decimal points, one decimal comma", "lat;lon\n51.5;-0.1\n52.5;-1.1\n50,937;-0.3\n",
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1), No(4, "not_a_number")], dialect={"decimal": "."}),
    Case("whole degrees", "lat;lon\n51;0\n52;-1\n", [At(2, 51, 0), At(3, 52, -1)], dialect={"decimal": "."}),
    Case("the delimiter declared", "name;x|lat|lon\nA;1|51.5|-0.1\n", [At(2, 51.5, -0.1)], declared={"delimiter": "|"},
         dialect={"delimiter": "|"}),
    Case("the decimal sign declared as a comma", "lat;lon\n51;-1\n", [At(2, 51, -1)], declared={"decimal": ","},
         dialect={"decimal": ","}),
    Case("the decimal sign declared as a point", "lat;lon\n51,5;-0,1\n51.5;-0.1\n",
         [No(2, "not_a_number"), At(3, 51.5, -0.1)], declared={"decimal": "."}),
    Case("two numbers between spaces are no table", "51.5 -0.1 x\n52.5 -1.1 y\n", fault=Fault("columns-not-found")),
    Case("Excel's own first line", "sep=;\r\nlat;lon\r\n51,5;-0,1\r\n", [At(3, 51.5, -0.1)],
         dialect={"delimiter": ";", "decimal": ",", "preamble": 1}),
    Case("Excel's own first line, in quotes", '"sep=,"\nlat,lon\n51.5,-0.1\n', [At(3, 51.5, -0.1)]),
    Case("Excel's own first line, for tabs, no header", "sep=\t\nx\t51.501\t-0.142\n", [At(2, 51.501, -0.142)],
         dialect={"has_header": False, "preamble": 1}),
    Case("spaces between delimiters and quotes",
         'name, "lat", "lon"\n"a, b", "51.5", "-0.1"\n\n"c\nd", "52.5" , "-1.1"\n',
         [At(2, 51.5, -0.1), At(4, 52.5, -1.1)], dialect={"skip_spaces": True, "latitude": "lat"}),
    Case("an unclosed quote behind a space",
         'name, "lat", "lon"\na, "51.5", "-0.1"\nb, "52.5, "-1.1"\nc, "53.5", "-2.1"\n',
         [At(2, 51.5, -0.1), No(3, "too_few_fields"), At(4, 53.5, -2.1)]),
    Case("a cell of two lines in a record that ends before the coordinates",
         b'id,lat,lon\n1,51.5,-0.1\n"x\ny"\n2,52.5,-1.1\n',
         [At(2, 51.5, -0.1), No(3, "too_few_fields"), At(5, 52.5, -1.1)]),
    Case("an unclosed quote behind a space, over two lines",
         'name, "lat", "lon"\na, "51.5", "-0.1"\nb, "52.5, -1.1\nc, "53.5", "-2.1"\n', [At(2, 51.5, -0.1)],
         Fault("unreadable-file", {"line": 3})),
    Case("a quoted cell of delimiters, spaces and quotes",
         'a,b,c,lat,lon\n", ""x"", ",,,51.5,-0.1\n"x, ",y,",z",52.5,-1.1\n',
         [At(2, 51.5, -0.1), At(3, 52.5, -1.1)], dialect={"skip_spaces": False}),
    Case("the header has other delimiters than the rows", "lat,lon\n51.5;-0.1\n52.5;-1.1\n",
         fault=Fault("columns-not-found", {"columns_seen": ["lat", "lon"]}, "delimiter=")),
    # --- decimal commas between commas
    Case("decimal commas among commas, no header, are not whole degrees", "51,501,-0,142\n52,502,-0,243\n",
         fault=Fault("columns-not-found", {"candidates": [1, 3]})),
    Case("decimal commas among commas, no header, further west", "51,501,-3,142\n52,502,-4,243\n",
         fault=Fault("columns-not-found")),
    Case("decimal commas among commas, no header, more columns", "x,51,501,-0,142\ny,52,502,-0,243\n",
         fault=Fault("columns-not-found")),
]  # fmt: skip

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_QUOTES = ("everywhere", "where needed", "nowhere")
_LINE_ENDS = {"LF": ["\n"], "CRLF": ["\r\n"], "CR": ["\r"], "mixed": ["\r\n", "\n", "\r"]}
_ENCODINGS = {
    "UTF-8": ("utf-8", b""),
    "UTF-8 with mark": ("utf-8", b"\xef\xbb\xbf"),
    "UTF-16 LE with mark": ("utf-16-le", b"\xff\xfe"),
    "UTF-16 BE with mark": ("utf-16-be", b"\xfe\xff"),
    "UTF-16 LE": ("utf-16-le", b""),
    "UTF-16 BE": ("utf-16-be", b""),
    "Windows-1252": ("cp1252", b""),
}
_TABLE = [
    ["Café", "Lon", "Notes", "Lat"],
    ["Zoë’s", "-0.141588", "a", "51.501009"],
    ["", "-3.188267", "", "55.953251"],
    ["Ærø – £5", "0.5", "x y", "51"],
]


def _combination(delimiter: str, quotes: str, line_end: str, encoding: str, decimal: str) -> Case:
    sign = _DELIMITERS[delimiter]
    special = {"a": f'one{sign} "two"\nthree'} if quotes != "nowhere" else {}
    lines = []
    for number, record in enumerate(_TABLE):
        cells = [special.get(cell, cell) for cell in record]
        if number:
            cells[1], cells[3] = cells[1].replace(".", decimal), cells[3].replace(".", decimal)
        needed = [
            quotes == "everywhere" or (quotes != "nowhere" and bool({sign, '"', "\n"} & {*cell})) for cell in cells
        ]
        lines.append(sign.join(
            '"' + cell.replace('"', '""') + '"' if quoted else cell
            for cell, quoted in zip(cells, needed, strict=True)
        ))  # fmt: skip
    text = "".join(line + end for line, end in zip(lines, cycle(_LINE_ENDS[line_end]), strict=False))
    after = 3 if special == {} else 4  # the line after the first row
    codec, mark = _ENCODINGS[encoding]
    return Case(
        f"{delimiter}, quotes {quotes}, {line_end}, {encoding}, decimal {decimal}",
        mark + text.encode(codec),
        [At(2, 51.501009, -0.141588), At(after, 55.953251, -3.188267), At(after + 1, 51, 0.5)],
        dialect={"delimiter": sign, "decimal": decimal, "has_header": True, "latitude": "Lat", "longitude": "Lon"},
    )


COMBINATIONS = [
    _combination(*ways)
    for ways in product(_DELIMITERS, _QUOTES, _LINE_ENDS, _ENCODINGS, (".", ","))
    if not (ways[0] == "comma" and ways[1] == "nowhere" and ways[4] == ",")
]
