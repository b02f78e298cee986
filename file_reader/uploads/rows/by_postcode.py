"""Which rows have a postcode: for each postcode area, such as SW, short lists of the rows that got one of its own.

The rows that are answered together are sorted by the areas of their postcodes, and each area gets one list. An index of
rows by postcode would do the same for several times the cost of the rows themselves (docs/decisions/0016).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uploads.rows.by_place import Ids

#: A postcode in one number: its area, district and incode, of 16 bits each, read as numbers with the digits 0…Z.
_PART = 16
#: Of whatever does not look like a postcode. Those share a list, and whoever looks there has to look at the rows.
IRREGULAR = 0
#: One row of a list: how far its id is from the list's first id, and the district and incode of its postcode.
_ENTRY = np.dtype([("offset", "<u4"), ("code", "<u4")])

#: The list of a postcode area as it is stored: the id of its first row, the area's number, entries.
PostcodeEntries = tuple[int, int, bytes]


class _Numbers(dict[str, int]):
    """The numbers of the first or the last parts of postcodes. Each is made out once: there are some thousands."""

    def __init__(self, pattern: str, number_of: Callable[..., int]) -> None:
        super().__init__()
        self._pattern = re.compile(pattern, re.ASCII)
        self._number_of = number_of

    def __missing__(self, text: str) -> int:
        parts = self._pattern.fullmatch(text)
        if parts is None:
            return _UNLIKE
        return self.setdefault(text, self._number_of(*parts.groups()))


#: What looks like no part of a postcode; also after `|` with any number.
_UNLIKE = -1
# A digit before the district, so that "1" and "01" differ.
_OUTCODES = _Numbers(
    r"([A-Z]{1,2})(\d[A-Z\d]?)", lambda area, district: (int(area, 36) << _PART | int(f"1{district}", 36)) << _PART
)
_INCODES = _Numbers(r" (\d[A-Z]{2})", lambda incode: int(incode, 36))


def postcode_numbers(postcodes: Sequence[str]) -> npt.NDArray[np.int64]:
    """The numbers of postcodes as they are stored (`SW1A 1AA`): each its own. `IRREGULAR` for those that have none."""
    numbers = np.array([_OUTCODES[text[:-4]] | _INCODES[text[-4:]] for text in postcodes], np.int64)
    return np.where(numbers == _UNLIKE, IRREGULAR, numbers)


@dataclass(frozen=True)
class SoughtPostcodes:
    """Some postcodes, or all of an outcode, that rows are wanted of."""

    #: Sorted: their numbers, without the last `shift` bits, which may be any.
    _numbers: npt.NDArray[np.int64]
    _shift: int = 0

    @classmethod
    def of(cls, postcodes: Iterable[str]) -> "SoughtPostcodes":
        return cls(np.unique(postcode_numbers(list(postcodes))))

    @classmethod
    def of_outcode(cls, outcode: str) -> "SoughtPostcodes":
        # What follows it may look like nothing else: "SW1A".
        number = _OUTCODES[outcode]
        return cls(np.unique([IRREGULAR, IRREGULAR if number == _UNLIKE else number >> _PART]), _PART)

    @property
    def areas(self) -> list[int]:
        """The numbers of their areas."""
        found: list[int] = np.unique(self._numbers >> (2 * _PART - self._shift)).tolist()
        return found

    @property
    def are_regular(self) -> bool:
        """Whether every row that a list has for them is one of them."""
        return IRREGULAR not in self._numbers

    def ids_in(self, lists: Iterable[tuple[int, int, bytes | memoryview]]) -> Ids:
        """The ids of their rows in these lists, in order."""
        found = list(lists)
        if not found or not len(self._numbers):
            return np.empty(0, np.int64)
        firsts, areas, texts = zip(*found, strict=True)
        entries = np.frombuffer(b"".join(texts), _ENTRY)
        lengths = [len(text) // _ENTRY.itemsize for text in texts]
        numbers = np.repeat(np.array(areas, np.int64) << (2 * _PART), lengths) | entries["code"]
        numbers >>= self._shift
        nearest = np.searchsorted(self._numbers, numbers).clip(max=len(self._numbers) - 1)
        chosen = np.flatnonzero(self._numbers[nearest] == numbers)
        ids = np.repeat(np.array(firsts, np.int64), lengths)[chosen] + entries["offset"][chosen]
        return np.unique(ids)


def entries_by_postcode_area(ids: Sequence[int], postcodes: Sequence[str]) -> list[PostcodeEntries]:
    """The lists of some rows of one upload: their ids, in ascending order, and the postcode of each."""
    if not ids:
        return []
    numbers = postcode_numbers(postcodes)
    # 16 bits and stable: sorted by radix, and within an area still in the order of the ids.
    areas = (numbers >> (2 * _PART)).astype(np.uint16)
    order = np.argsort(areas, kind="stable")
    areas, sorted_ids = areas[order], np.array(ids, np.int64)[order]
    starts = np.flatnonzero(np.diff(areas.astype(np.int32), prepend=-1))
    lengths = np.diff(starts, append=len(ids))
    entries = np.empty(len(ids), _ENTRY)
    entries["offset"] = sorted_ids - np.repeat(sorted_ids[starts], lengths)
    entries["code"] = (numbers[order] & 0xFFFFFFFF).astype(np.uint32)
    together = entries.tobytes()
    edges = [*(starts * _ENTRY.itemsize).tolist(), len(together)]
    return [
        (first_id, area, together[start:end])
        for first_id, area, start, end in zip(
            sorted_ids[starts].tolist(), areas[starts].tolist(), edges, edges[1:], strict=False
        )
    ]
