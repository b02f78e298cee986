"""A postcode as the JSON text postcodes.io sends for it: all its fields, in its order, null where nothing is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from postcodes_io_data import COUNTRIES, UNKNOWN, PostcodeTable
from postcodes_io_search import Found

AnswerFields = Literal["full", "small"]

# fmt: off
_FIELDS = [
    "postcode", "quality", "eastings", "northings", "country", "nhs_ha", "longitude", "latitude",
    "european_electoral_region", "primary_care_trust", "region", "lsoa", "msoa", "incode", "outcode",
    "parliamentary_constituency", "parliamentary_constituency_2024", "admin_district", "parish", "admin_county",
    "date_of_introduction", "admin_ward", "ced", "ccg", "nuts", "pfa", "nhs_region", "ttwa", "national_park",
    "bua", "icb", "cancer_alliance", "lsoa11", "msoa11", "lsoa21", "msoa21", "oa21", "ruc11", "ruc21", "lep1",
    "lep2", "codes",
]
_CODES = [
    "admin_district", "admin_county", "admin_ward", "parish", "parliamentary_constituency",
    "parliamentary_constituency_2024", "ccg", "ccg_id", "ced", "nuts", "lsoa", "msoa", "lau2", "pfa",
    "nhs_region", "ttwa", "national_park", "bua", "icb", "cancer_alliance", "lsoa11", "msoa11", "lsoa21",
    "msoa21", "oa21", "ruc11", "ruc21", "lep1", "lep2",
]
_SMALL = {
    "postcode", "quality", "eastings", "northings", "country", "longitude", "latitude", "region", "incode",
    "outcode", "admin_district", "admin_ward", "codes",
}
# fmt: on
_SMALL_CODES = {"admin_district", "admin_county", "admin_ward"}

Column = Callable[[NDArray[Any]], Sequence[str]]


class AnswerWriter:
    """Writes postcodes of a table as JSON objects, many at once."""

    def __init__(self, table: PostcodeTable, answer_fields: AnswerFields = "full") -> None:
        self._table = table
        small = answer_fields == "small"
        self._fields = [name for name in _FIELDS if not small or name in _SMALL]
        self._codes = [name for name in _CODES if not small or name in _SMALL_CODES]
        self._columns = self._known_columns()
        self._shapes: dict[frozenset[str], tuple[str, list[Column]]] = {}

    def with_distance(self, found: Sequence[Found]) -> list[str]:
        """The objects of a reverse lookup; `distance` in metres to 8 decimals, as PostGIS rounds it."""
        distances = [repr(round(one.distance, 8)) for one in found]
        return self._objects([one.position for one in found], frozenset(self._fields), distances)

    def filtered(self, positions: Sequence[int], only: Collection[str]) -> list[str]:
        """The objects cut to some fields; `distance` cannot be asked for, and unknown names are passed over."""
        return self._objects(positions, frozenset(self._fields).intersection(only))

    def plain(self, positions: Sequence[int]) -> list[str]:
        """The objects of a lookup by postcode: all fields, and no distance."""
        return self._objects(positions, frozenset(self._fields))

    def _objects(
        self, positions: Sequence[int], wanted: frozenset[str], distances: list[str] | None = None
    ) -> list[str]:
        if not positions:
            return []
        shape, columns = self._shapes.get(wanted) or self._shape(wanted)
        at = np.asarray(positions)
        filling = [column(at) for column in columns]
        if distances is not None:
            shape = f'{shape[:-1]},"distance":%s}}'
            filling.append(distances)
        # The pieces joined: half the time of `shape % row`
        pieces: list[Iterable[str]] = []
        for fixed, varying in zip(shape.split("%s"), [*filling, [""] * len(at)], strict=True):
            pieces += repeat(fixed), varying
        texts = ["".join(row) for row in zip(*pieces, strict=False)]
        return self._with_names(texts, at) if self._table.names else texts

    def _shape(self, wanted: frozenset[str]) -> tuple[str, list[Column]]:
        """A template with a place for each field the data carries, and the columns that fill the places."""
        columns: list[Column] = []

        def member(label: str, key: str) -> str:
            column = self._columns.get(key)
            if column is None:
                return f'"{label}":null'
            columns.append(column)
            return f'"{label}":%s'

        members = []
        for name in self._fields:
            if name not in wanted:
                continue
            if name == "codes":
                codes = ",".join(member(code, f"codes.{code}") for code in self._codes)
                members.append(f'"codes":{{{codes}}}')
            else:
                members.append(member(name, name))
        self._shapes[wanted] = ("{" + ",".join(members) + "}", columns)
        return self._shapes[wanted]

    def _known_columns(self) -> dict[str, Column]:
        table = self._table
        countries = {code.encode(): json.dumps(name) for code, name in COUNTRIES.items()}

        return {
            "postcode": lambda at: [f'"{text.decode()}"' for text in table.postcode[at].tolist()],
            "outcode": lambda at: [f'"{text[:-4].decode()}"' for text in table.postcode[at].tolist()],
            "incode": lambda at: [f'"{text[-3:].decode()}"' for text in table.postcode[at].tolist()],
            "quality": lambda at: [str(number) for number in table.quality[at].tolist()],
            "eastings": lambda at: _metres(table.eastings[at]),
            "northings": lambda at: _metres(table.northings[at]),
            "country": lambda at: [countries.get(code, "null") for code in table.country[at].tolist()],
            "longitude": lambda at: [repr(degrees) for degrees in table.longitude[at].tolist()],
            "latitude": lambda at: [repr(degrees) for degrees in table.latitude[at].tolist()],
            "codes.admin_district": lambda at: _codes(table.district[at]),
            "codes.admin_county": lambda at: _codes(table.county[at]),
            "codes.admin_ward": lambda at: _codes(table.ward[at]),
        }

    def _with_names(self, texts: list[str], at: NDArray[Any]) -> list[str]:
        postcodes = self._table.postcode[at].astype(str).tolist()
        return [
            _named(text, self._table.names[postcode]) if postcode in self._table.names else text
            for text, postcode in zip(texts, postcodes, strict=True)
        ]


def _named(text: str, names: Mapping[str, str]) -> str:
    """The object with its nulls replaced by what a test says the fields are called."""
    members = json.loads(text)
    members.update({name: value for name, value in names.items() if name in members})
    return json.dumps(members, separators=(",", ":"))


def _metres(values: NDArray[Any]) -> list[str]:
    return ["null" if value == UNKNOWN else str(value) for value in values.tolist()]


def _codes(values: NDArray[Any]) -> list[str]:
    return [_code(code) for code in values.tolist()]


@lru_cache(maxsize=20_000)  # as many wards as there are
def _code(code: bytes) -> str:
    return f'"{code.decode()}"' if code else "null"
