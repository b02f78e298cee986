"""Totals of an upload that has ended: how many rows have which postcode, area, status, reason and distance.

They are written once, with the row index: of each segment what is not in the index, and in the end, from these and from
the entries by postcode, the totals themselves, sorted. A page of them is then a look at one or two blocks.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from uploads.models import (
    NO_NAMES,
    STATUS_WORDS,
    Area,
    IndexBlock,
    IndexKind,
    RowStatus,
    TotalBlock,
    TotalKind,
    Upload,
)
from uploads.rows.blocks import keys_of
from uploads.rows.bulk.index import RowColumns
from uploads.rows.keys import Keys, postcode_texts

#: The words of the interface.
KINDS = {kind.label: kind for kind in TotalKind if kind != TotalKind.SEGMENT}
#: The classes of distances, by their upper ends in metres: a row belongs to the first one that is not below it.
DISTANCES = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
#: The totals of a block.
_BLOCK = 1_000
#: Entries that are sorted together, so that memory does not grow with the file.
_SORTED_AT_ONCE = 2_000_000
_SENT_BLOCKS = 10
_SPACE = ord(" ")

#: None stands for all rows that have none.
Value = str | int | None
#: Values, the largest total first, and their totals.
Sorted = tuple[list[Value], list[int]]


class Total(NamedTuple):
    """`rank` is its place, from 1."""

    rank: int
    value: Value
    rows: int


class SegmentTotals(msgspec.Struct):
    """What the totals need of a segment beside its entries by postcode."""

    areas: list[tuple[int, int]]
    #: Status, reason, rows.
    reasons: list[tuple[int, str | None, int]]
    #: Rows by the number of their class; those without a distance are in the last one.
    distances: list[int]


# --- counting ------------------------------------------------------------------------------------------------------
def totals_of_segment(columns: RowColumns) -> str:
    """As JSON, what is kept of a segment until all of them are there."""
    unmatched = columns.statuses != RowStatus.MATCH
    pairs = zip(columns.statuses[unmatched].tolist(), columns.reasons[unmatched].tolist(), strict=True)
    counted = [
        (status, reason.decode("utf-8", "replace") or None, count) for (status, reason), count in Counter(pairs).items()
    ]
    matched = len(unmatched) - int(unmatched.sum())
    areas, rows = np.unique(columns.areas, return_counts=True)
    classes = np.searchsorted(np.array(DISTANCES, float), columns.distances)
    totals = SegmentTotals(
        areas=list(zip(areas.tolist(), rows.tolist(), strict=True)),
        reasons=[(RowStatus.MATCH.value, None, matched), *counted],
        distances=np.bincount(classes, minlength=len(DISTANCES) + 1).tolist(),
    )
    return msgspec.json.encode(totals).decode()


def totals_of_upload(upload_id: int, rows: int) -> tuple[dict[TotalKind, Sorted], dict[str, dict[str, int]]]:
    """The totals of an upload whose segments are all there, and its reasons by status."""
    areas: Counter[int] = Counter()
    reasons: Counter[tuple[int, str | None]] = Counter()
    distances = np.zeros(len(DISTANCES) + 1, np.int64)
    segments = TotalBlock.objects.filter(upload=upload_id, kind=TotalKind.SEGMENT, first__lte=rows).order_by("first")
    for body in segments.values_list("body", flat=True).iterator():
        segment = msgspec.json.decode(body, type=SegmentTotals)
        areas.update(dict(segment.areas))
        reasons.update({(status, reason): count for status, reason, count in segment.reasons})
        distances += segment.distances
    firsts = list(segments.values_list("first", flat=True))
    totals = dict(zip(_AREA_KINDS, _by_names(areas), strict=True))
    totals |= dict(zip((TotalKind.POSTCODE, TotalKind.OUTCODE), _by_postcode(upload_id, firsts, rows), strict=True))
    of_status: Counter[str] = Counter()
    of_reason: Counter[str | None] = Counter()
    by_status: dict[str, dict[str, int]] = {}
    for (status, reason), count in reasons.items():
        of_status[STATUS_WORDS[status]] += count
        of_reason[reason] += count
        if reason is not None:
            by_status.setdefault(STATUS_WORDS[status], {})[reason] = count
    totals[TotalKind.STATUS], totals[TotalKind.REASON] = _sorted(of_status), _sorted(of_reason)
    totals[TotalKind.DISTANCE] = _sorted(Counter(dict(zip((*DISTANCES, None), distances.tolist(), strict=True))))
    return totals, by_status


_AREA_KINDS = TotalKind.COUNTRY, TotalKind.REGION, TotalKind.ADMIN_DISTRICT


def _by_names(areas: "Counter[int]") -> Iterator[Sorted]:
    """By what `_AREA_KINDS` says."""
    names = {area.pk: area.names for area in Area.objects.iterator() if area.pk in areas}
    for kind in range(len(_AREA_KINDS)):
        counts: Counter[str | None] = Counter()
        for area, rows in areas.items():
            counts[names.get(area, NO_NAMES)[kind]] += rows
        yield _sorted(counts)


def _sorted(counts: "Counter[str] | Counter[str | None] | Counter[int | None]") -> Sorted:
    found = sorted(
        ((value, rows) for value, rows in counts.items() if rows),
        key=lambda total: (-total[1], total[0] is None, total[0]),
    )
    return [value for value, _ in found], [rows for _, rows in found]


def _by_postcode(upload_id: int, segments: list[int], rows: int) -> Iterator[Sorted]:
    """By postcode, and by outcode."""
    keys, counts = np.empty(0, np.int64), np.empty(0, np.int64)
    waiting: list[Keys] = []
    for segment in [*segments, None]:
        if segment is not None:
            blocks = IndexBlock.objects.filter(upload=upload_id, kind=IndexKind.POSTCODE, segment=segment)
            columns = blocks.order_by("last_key").values_list("first_key", "rows", "keys")
            waiting += [keys_of(*block) for block in columns]
        if waiting and (segment is None or sum(map(len, waiting)) >= _SORTED_AT_ONCE):
            found = np.concatenate(waiting)
            keys, counts = _summed(np.concatenate([keys, found]), np.concatenate([counts, np.ones_like(found)]))
            waiting = []
    without = rows - int(counts.sum())
    yield _largest_first(keys, counts, without)
    yield _largest_first(*_summed(_outcodes(keys), counts), without)


def _summed(keys: Keys, counts: npt.NDArray[np.int64]) -> tuple[Keys, npt.NDArray[np.int64]]:
    """Each key once, in ascending order, with the sum of its counts."""
    if not len(keys):
        return keys, counts
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(counts[order], starts)


def _outcodes(postcodes: Keys) -> Keys:
    """What stands before the first space, as keys."""
    letters = postcodes.astype(">i8").view(np.uint8).reshape(-1, 8)
    before = np.cumsum(letters == _SPACE, axis=1) == 0
    outcodes: Keys = np.where(before, letters, 0).astype(np.uint8).view(">i8").ravel().astype(np.int64)
    return outcodes


def _largest_first(keys: Keys, counts: npt.NDArray[np.int64], without: int) -> Sorted:
    order = np.argsort(-counts, kind="stable")
    counts = counts[order]
    values: list[Value] = list(postcode_texts(keys[order]))
    totals = counts.tolist()
    if without:
        at = int((counts >= without).sum())
        values.insert(at, None)
        totals.insert(at, without)
    return values, totals


# --- writing -------------------------------------------------------------------------------------------------------
def replace_totals(upload_id: int, totals: dict[TotalKind, Sorted]) -> None:
    """In the caller's transaction: what was kept of the segments goes, and older totals."""
    TotalBlock.objects.filter(upload=upload_id).delete()
    TotalBlock.objects.bulk_create(
        (
            TotalBlock(
                upload_id=upload_id,
                kind=kind,
                first=at + 1,
                body=msgspec.json.encode((values[at : at + _BLOCK], rows[at : at + _BLOCK])).decode(),
            )
            for kind, (values, rows) in totals.items()
            for at in range(0, len(values), _BLOCK)
        ),
        batch_size=50,
    )


# --- reading -------------------------------------------------------------------------------------------------------
class TotalPages:
    """The totals of an upload by one of the words of `KINDS`. A position is a rank."""

    def __init__(self, upload: Upload, by: str) -> None:
        self._upload = upload
        # Of those that are there now: a retry raises the fence, and so does deletion.
        self._blocks = TotalBlock.objects.filter(upload=upload.pk, upload__fence=upload.fence, kind=KINDS[by])

    def page(self, position: int | None, limit: int, *, backwards: bool = False) -> list[Total]:
        """See `web.api.pagination.Source`."""
        if backwards and position is None:
            blocks = self._blocks.order_by("-first")[:2]
            return [total for block in blocks for total in reversed(_totals(block))][:limit]
        first = max(1, (position or 0) - limit) if backwards else (position or 0) + 1
        last = (position or 0) - 1 if backwards else first + limit - 1
        blocks = self._blocks.filter(first__gt=first - _BLOCK, first__lte=last).order_by("first")
        found = [total for block in blocks for total in _totals(block) if first <= total.rank <= last]
        return found[::-1] if backwards else found

    def all(self) -> Iterator[list[tuple[Value, int]]]:
        """All values and their totals, some blocks at once, so that a slow reader holds up nobody. Raises RuntimeError
        when they are not there any more, as during a retry: what breaks off is taken for whole by nobody."""
        behind, rows = 0, 0
        while blocks := list(self._blocks.filter(first__gt=behind).order_by("first")[:_SENT_BLOCKS]):
            totals = [total for block in blocks for total in zip(*_columns(block), strict=True)]
            yield totals
            behind, rows = behind + len(totals), rows + sum(total for _, total in totals)
        if rows != self._upload.rows_loaded:
            raise RuntimeError(f"totals of upload {self._upload.pk} have {rows} rows of {self._upload.rows_loaded}")


def _totals(block: TotalBlock) -> list[Total]:
    return [Total(block.first + place, *total) for place, total in enumerate(zip(*_columns(block), strict=True))]


def _columns(block: TotalBlock) -> Sorted:
    columns: Sorted = msgspec.json.decode(block.body, type=Sorted)
    return columns
