"""Bytes to text."""

from tests.corpus.case import At, Case, Fault, No

_GERMAN = "Ort;Straße;lat;lon\nMünchen;Gärtnerplatz;51.5;-0.1\nDüsseldorf;Königsallee;52.5;-1.1\n"
_FRENCH = "nom,lat,lon\nCafé de l’Été – à côté,51.5,-0.1\n«Œuvre»…,52.5,-1.1\n"
_BOTH = [At(2, 51.5, -0.1), At(3, 52.5, -1.1)]
_ONE = [At(2, 51.5, -0.1)]
_MANY = "Ærøskøbing,51.5,-0.1\n" * 10_000

CASES = [
    Case("UTF-8", _FRENCH, _BOTH, dialect={"encoding": "utf-8"}),
    Case("UTF-8 with a mark", b"\xef\xbb\xbf" + _FRENCH.encode(), _BOTH, dialect={"encoding": "utf-8-sig"}),
    Case("a mark before a quoted header", b'\xef\xbb\xbf"lat","lon"\n"51.5","-0.1"\n', _ONE,
         dialect={"latitude": "lat"}),
    Case("a mark before a file without header", b"\xef\xbb\xbf51.5,-0.1\n52.5,-1.1\n",
         [At(1, 51.5, -0.1), At(2, 52.5, -1.1)]),
    Case("a mark twice", b"\xef\xbb\xbf\xef\xbb\xbflat,lon\n51.5,-0.1\n", _ONE),
    Case("a mark, UTF-8 declared", b"\xef\xbb\xbflat,lon\n51.5,-0.1\n", _ONE, declared={"encoding": "utf-8"},
         dialect={"latitude": "lat"}),
    Case("UTF-16 with a mark, declared without its end", b"\xfe\xff" + _FRENCH.encode("utf-16-be"), _BOTH,
         declared={"encoding": "utf-16"}),
    Case("UTF-16 with a mark, declared with its end", b"\xff\xfelat,lon\n51.5,-0.1\n".replace(b"lat,lon\n51.5,-0.1\n",
         "lat,lon\n51.5,-0.1\n".encode("utf-16-le")), _ONE, declared={"encoding": "utf-16-le"},
         dialect={"latitude": "lat"}),
    Case("UTF-16 without a mark, big end first", _GERMAN.encode("utf-16-be"), _BOTH),
    Case("UTF-16 without a mark, little end first", _GERMAN.encode("utf-16-le"), _BOTH),
    Case("UTF-16 in Cyrillic letters", "город;широта;долгота\nЛондон;51,5;-0,1\n".encode("utf-16"), _ONE),
    Case("UTF-16 that ends in the middle of a character", "lat,lon\n51.5,-0.1\n52.5,-1.1\n".encode("utf-16") + b"5",
         _BOTH, Fault("unreadable-file", {"line": 4})),
    Case("Windows-1252", _FRENCH.encode("cp1252"), _BOTH, dialect={"encoding": "cp1252"}),
    Case("Windows-1252 in one cell of many", "name,lat,lon\nx,51.5,-0.1\né,52.5,-1.1\n".encode("cp1252"), _BOTH,
         dialect={"encoding": "cp1252"}),
    Case("Windows-1252 far down in a large file", b"lat,lon,n\n" + b"51.5,-0.1,plain\n" * 20_000
         + b"52.5,-1.1,caf\xe9\n" * 2_000,
         [*(At(line, 51.5, -0.1) for line in range(2, 20_002)), *(At(line, 52.5, -1.1) for line in range(20_002,
         22_002))],
         dialect={"encoding": "cp1252"}),
    Case("Windows-1252 declared", "lat,lon,n\n51.5,-0.1,„x‰\n".encode("cp1252"), _ONE,
         declared={"encoding": "windows-1252"}),
    Case("a German header in Windows-1252", "Breitengrad;Längengrad\n51,5;-0,1\n".encode("cp1252"), _ONE,
         dialect={"longitude": "Längengrad"}),
    Case("cp850 is asked back", _GERMAN.encode("cp850"), fault=Fault("unreadable-file", mentions="encoding")),
    Case("cp850 with a single word is asked back", "Ort,lat,lon\nKöln,51.5,-0.1\n".encode("cp850"),
         fault=Fault("unreadable-file", mentions="encoding")),
    Case("cp850 declared", _GERMAN.encode("cp850"), _BOTH, declared={"encoding": "cp850"},
         dialect={"encoding": "cp850"}),
    Case("Latin-1 declared", _GERMAN.encode("latin-1"), _BOTH, declared={"encoding": "iso-8859-1"}),
    Case("Cyrillic in KOI8-R declared", "город;широта;долгота\nЛондон;51,5;-0,1\n".encode("koi8-r"), _ONE,
         declared={"encoding": "koi8-r"}),
    Case("an encoding that nobody knows", "lat,lon\n", fault=Fault("unreadable-file", mentions="utf-9"),
         declared={"encoding": "utf-9"}),
    Case("one byte that is not UTF-8 among much that is", ("n,lat,lon\n" + "é,51.5,-0.1\n" * 30).encode()
         + b"\xe9,52.5,-1.1\n",
         fault=Fault("unreadable-file", {"line": 32}, mentions="utf-8")),
    Case("bytes that are not UTF-8, declared", b"n,lat,lon\nx,51.5,-0.1\ncaf\xe9,52.5,-1.1\n",
         fault=Fault("unreadable-file", {"line": 3}, mentions="utf-8"), declared={"encoding": "utf-8"}),
    Case("a byte that is not UTF-8 behind the sample", ("n,lat,lon\n" + _MANY).encode() + b"caf\xe9,52.5,-1.1\nx,1,1\n",
         [At(line, 51.5, -0.1) for line in range(2, 10_002)], Fault("unreadable-file", {"line": 10_002})),
    Case("UTF-8 that ends in the middle of a character", b"n,lat,lon\nx,51.5,-0.1\ny,52.5,-1.1\ncaf\xc3",
         _BOTH, Fault("unreadable-file", {"line": 4})),
    Case("a character that the sample cuts in two", ("n,lat,lon\n" + "é€,51.5,-0.1\n" * 20_000).encode(),
         [At(line, 51.5, -0.1) for line in range(2, 20_002)], dialect={"encoding": "utf-8"}),
    Case("emoji", "🏠,lat,lon\n👩‍👩‍👧‍👦,51.5,-0.1\n", _ONE),
    Case("overlong UTF-8 is none", b"n,lat,lon\n\xc0\xaf,51.5,-0.1\n", fault=Fault("unreadable-file", {"line": 2}),
         declared={"encoding": "utf-8"}),
    Case("a surrogate in UTF-8 is none", b"n,lat,lon\n\xed\xa0\x80,51.5,-0.1\n", fault=Fault("unreadable-file",
         {"line": 2}),
         declared={"encoding": "utf-8"}),
    Case("a tail of zeros, as a crash leaves it", b"lat,lon\n51.5,-0.1\n52.5,-1.1\n" + bytes(4096),
         [*_BOTH, No(4, "too_few_fields")]),
]  # fmt: skip
