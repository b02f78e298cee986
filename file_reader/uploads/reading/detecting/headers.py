"""The names by which columns are known, in the spellings and languages of open data; which record has them."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice


@dataclass(frozen=True)
class Axis:
    """One of the two coordinates of a location, as names have it.

    `words` name it, whatever else is in the name; `alone` do so only when nothing else is. `own` say the axis again:
    what is left of y_lat is nothing.
    """

    words: frozenset[str]
    alone: frozenset[str]
    own: frozenset[str]

    def rest(self, name: str) -> frozenset[str] | None:
        """What else a name says, None if it does not name this axis."""
        parts = _WHOLE.get(name, name).split("_")
        if (numbered := _NUMBERED.fullmatch(parts[0])) and numbered[1] in self.words:
            parts[:1] = numbered.groups()
        if self.words.intersection(parts):
            return frozenset(parts) - self.words
        rest = frozenset(parts) - self.alone
        return rest if len(rest) < len({*parts}) and not self.meaning(rest) else None

    def meaning(self, rest: frozenset[str]) -> frozenset[str]:
        """What of it tells one location from another."""
        return rest - self.own - _NO_MEANING


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LATITUDE = Axis(
    _words("lat lats latitude latitudes lattitude latitute lattitute latt breitengrad latitud latitudine"),
    _words(
        "breite breddegrad breddgrad breedtegraad leveysaste szerokosc szerokość szer enlem широта šířka ylat"
        " decimallatitude lledred domhanleud leud domhanleithead πλάτος πλατος 纬度 緯度 العرض"
    ),
    _words("y n north s south"),
)
LONGITUDE = Axis(
    _words(
        "lon lons long lng longitude longitudes longtitude longitute longtitute longditude longt logitude längengrad"
        " longitud longitudine"
    ),
    _words(
        "laengengrad länge laenge lengdegrad længdegrad længde längdgrad lengtegraad pituusaste dlugosc długość dł"
        " boylam долгота délka xlon decimallongitude hydred domhanfhad fhad μήκος μηκος 经度 經度 経度 الطول"
    ),
    _words("x e east w west"),
)
_GRID_WORDS = _words("m metres meters os osgb osgb36 bng gridref")
EASTING = Axis(_words("easting eastings"), _words("oseast1m oseast dwyreiniad"), _words("x") | _GRID_WORDS)
NORTHING = Axis(_words("northing northings"), _words("osnrth1m osnorth gogleddiad"), _words("y") | _GRID_WORDS)
#: lat2: the second one.
_NUMBERED = re.compile(r"([^\W\d]+)(\d{1,2})")
_WHOLE = {"bng_e": "easting", "bng_n": "northing", "osgb_e": "easting", "osgb_n": "northing", "os_e": "easting",
          "os_n": "northing", "grid_east": "easting", "grid_north": "northing"}  # fmt: skip
#: What says how a coordinate is given, or that it is one, and not of what.
_NO_MEANING = _words(
    "d deg degs degree degrees dd dec decimal wgs wgs84 84 epsg 4326 geo gps location point coord coords coordinate"
    " geografische geographische geografisk geografica geographic geograficzna geogr zeměpisná domhan γεωγραφικό"
    " γεωγραφικο خط دائرة"
)
#: A table with more such columns is asked about in any case.
_MOST_CALLED = 100
#: What stands beside x and y in names that are those of a location.
_BESIDE_XY = _words("coord coords coordinate coordinates geo geom geometry shape point location loc st wgs84 os osgb"
                    " osgb36 bng m metres gps address pos centroid center centre")  # fmt: skip


def _named_by(letter: str, number: int) -> frozenset[str]:
    """The names of one of the two, also as databases number the positions of a GeoJSON point."""
    beside = {name for word in _BESIDE_XY for name in (f"{word}_{letter}", f"{letter}_{word}")}
    joined = {f"{letter}coord", f"coord{letter}", f"geo{letter}", f"point{letter}", f"pos{letter}", f"c{letter}"}
    numbered = {f"{word}coordinates_{number}" for word in ("", "geometry_", "geom_", "location_", "geo_")}
    return frozenset({letter} | beside | joined | numbered)


X, Y = _named_by("x", 0), _named_by("y", 1)

#: What says in a name that its numbers are no degrees, or not all of them.
RADIANS_WORDS = frozenset({"rad", "rads", "radian", "radians"})
GONS_WORDS = frozenset({"gon", "gons", "grad", "grads", "gradian", "gradians"})
#: Other datums than WGS 84: some 100 m away, so that a postcode is often that of the neighbours.
DATUM_WORDS = frozenset({"osgb", "osgb36", "airy", "ed50", "nad27", "4277", "4230"})
#: What is said about a position, and is none.
_NO_POSITION = frozenset({"error", "err", "offset", "accuracy", "uncertainty", "precision", "delta", "std", "stdev"})
MINUTES_WORDS = frozenset({"m", "min", "mins", "minute", "minutes"})
#: What names a column that says which longitudes are west.
WEST_WORDS = frozenset({"west", "meridian", "hemisphere", "negative"})
#: What else its name may say: west_midlands is of something else.
BESIDE_WEST = WEST_WORDS | _words(
    "is of greenwich prime flag lon long longitude lng side sign w y n yes no true false east"
)
#: Degrees and minutes behind each other in one number: 5130.06 or 51.3006.
PACKED_WORDS = frozenset({"mmss", "mmssss", "dms", "ddmmss", "ddmm", "dm", "ddm", "dmm", "dddmm"})
#: Which side a column is of, where its numbers have no sign.
SIDE_WORDS = {"latitude": (frozenset({"s", "south"}), frozenset({"n", "north"})),
              "longitude": (frozenset({"w", "west"}), frozenset({"e", "east"}))}  # fmt: skip
#: Columns that say the side of the longitudes, were they filled.
SIDE_NAMES = _words(
    "ew e_w we w_e east_west side sides hemisphere dir direction ref sign gps_longitude_ref lon_dir lon_direction"
    " lon_ref lon_sign lon_side lon_hemisphere lon_ew long_dir long_ew longitude_dir longitude_direction longitude_ref"
    " longitude_sign longitude_side longitude_hemisphere longitude_ew"
)
#: What a column of both coordinates is called, if it is that of nothing else.
GEOMETRY_WORDS = _words("the geom geometry geo shape wkt geojson json point points location locations loc coord coords"
                        " coordinate coordinates position latlng latlon lat lng lon long latitude longitude wgs84 4326"
                        " gps map centroid x y xy 2d 1 2")  # fmt: skip
#: Names of columns that have grid references.
REFERENCE_WORDS = frozenset("grid gridref gridreference gridrefs ngr osgr osgrid osgridref osref mapref".split())
_REFERENCE_PAIRS = (frozenset({"os", "ref"}), frozenset({"map", "ref"}), frozenset({"map", "reference"}))
#: Which grid metres are of.
BRITISH_WORDS = frozenset({"os", "osgb", "osgb36", "osgr", "bng", "british", "27700", "oseast1m", "osnrth1m"})
OTHER_GRID_WORDS = frozenset(
    "irish ireland ing itm tm65 tm75 29902 29903 2157 utm utm29 utm30 utm31 etrs89 webmercator mercator 3857 3035 nztm"
    " lambert gk".split()
)


#: What names a coordinate alone in its cell, and what is in most names of one.
_ALONE = LATITUDE.alone | LONGITUDE.alone | EASTING.alone | NORTHING.alone
_IN_NAMES = ("lat", "lon", "lng", "easting", "northing", "breite", "länge")


def may_name(record: Sequence[str], text: str) -> bool:
    """Whether a record may name coordinates: quickly, as it is asked of each row that cannot be read."""
    lower = text.lower()
    return any(word in lower for word in _IN_NAMES) or any(cell.strip().lower() in _ALONE for cell in record)


def names_of(record: Sequence[str]) -> list[str]:
    """The names in a header without what differs from file to file: case, camels, spaces, punctuation."""
    return [normal(cell) for cell in record]


def normal(name: str) -> str:
    """One name, as `names_of` has it."""
    name = unicodedata.normalize("NFC", name)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return "_".join(re.findall(r"[^\W_]+", name.lower()))


def names_reference(words: Collection[str]) -> bool:
    """Whether the words of a name say that grid references stand there."""
    return not REFERENCE_WORDS.isdisjoint(words) or any(pair.issubset(words) for pair in _REFERENCE_PAIRS)


def columns_named(names: Sequence[str], known: Collection[str]) -> list[int]:
    """The columns with one of these names."""
    return [column for column, name in enumerate(names) if name in known]


@dataclass(frozen=True)
class Pair:
    """Two columns whose names differ in nothing but the word for the axis: the indexes of northern and eastern one.

    `meaning` is what else their names say, such as of which location they are.
    """

    north: int
    east: int
    meaning: frozenset[str]


@dataclass(frozen=True)
class Named:
    """The columns that are called like coordinates. `single_north` and `single_east` have no partner."""

    pairs: list[Pair]
    single_north: list[int]
    single_east: list[int]


def columns_called(names: Sequence[str], north: Axis, east: Axis) -> Named:
    """The pairs of columns among these names. A column that is called like both, such as "Lat/Lon", is in none.

    Where two pairs could share a column, those count whose names are the same to the letter: `lat_x` belongs to
    `lon_x`, although `lat_y` and `lon_x` alone are a pair.
    """
    norths, easts = _columns_of(names, north, unless=east), _columns_of(names, east, unless=north)
    pairs = [
        Pair(n, e, north.meaning(rest) | east.meaning(rest))
        for n, rest in norths.items()
        for e in easts
        if easts[e] == rest
    ]
    taken = {column for pair in pairs for column in (pair.north, pair.east)}
    pairs += [
        Pair(n, e, north.meaning(norths[n]))
        for n in norths
        for e in easts
        if not {n, e} & taken and north.meaning(norths[n]) == east.meaning(easts[e])
    ]
    taken = {column for pair in pairs for column in (pair.north, pair.east)}
    return Named(pairs, [n for n in norths if n not in taken], [e for e in easts if e not in taken])


def _columns_of(names: Sequence[str], axis: Axis, *, unless: Axis) -> dict[int, frozenset[str]]:
    """The first columns that are called like this axis and not like the other, with what else their names say."""
    called = (
        (column, rest)
        for column, name in enumerate(names)
        if (rest := axis.rest(name)) is not None and not (unless.words | _NO_POSITION).intersection(name.split("_"))
    )
    return dict(islice(called, _MOST_CALLED))


def coordinate_columns(names: Sequence[str]) -> list[int]:
    """The columns that are called like a coordinate of any kind."""
    axes = (LATITUDE, LONGITUDE, EASTING, NORTHING)
    return [
        column
        for column, name in enumerate(names)
        if name in X or name in Y or any(axis.rest(name) is not None for axis in axes)
    ]


def name_both(names: Sequence[str]) -> bool:
    """Whether one column is called like a latitude, a northing or y, and another one like what belongs to it."""
    if columns_named(names, X) and columns_named(names, Y):
        return True
    return any(
        found.pairs or (found.single_north and found.single_east)
        for found in (columns_called(names, LATITUDE, LONGITUDE), columns_called(names, NORTHING, EASTING))
    )


def name_in_order(northern: str, eastern: str) -> bool:
    """Whether the first name is of a latitude, a northing or y, and the second of what belongs to it."""
    if northern in Y and eastern in X:
        return True
    return any(
        north.rest(northern) is not None and east.rest(eastern) is not None
        for north, east in ((LATITUDE, LONGITUDE), (NORTHING, EASTING))
    )


def name_any(names: Sequence[str]) -> bool:
    """Whether they are those of coordinates: one known name is enough, of X and Y it takes both."""
    plain = any(
        (rest := axis.rest(name)) is not None and not axis.meaning(rest)
        for axis in (LATITUDE, LONGITUDE, EASTING, NORTHING)
        for name in names
    )
    return plain or name_both(names)
