"""Runs of row ids: which rows may be shown, and where in them a question looks."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from uploads.rows.by_place import Ids

#: The first and the last id of a run of rows.
Span = tuple[int, int]


class Spans:
    """Spans in ascending order, for many questions at once."""

    def __init__(self, spans: list[Span]) -> None:
        self._firsts, self._lasts = np.array(spans, np.int64).T

    def meet(self, firsts: Ids, lasts: Ids) -> npt.NDArray[np.bool_]:
        """Which of these runs of ids have some in the spans."""
        nearest = np.searchsorted(self._firsts, lasts, "right") - 1
        met: npt.NDArray[np.bool_] = (nearest >= 0) & (self._lasts[nearest] >= firsts)
        return met


def within(reach: Span, spans: Iterable[Span]) -> list[Span]:
    """What these spans have of that one."""
    both = ((max(first, reach[0]), min(last, reach[1])) for first, last in spans)
    return [span for span in both if span[0] <= span[1]]


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """The same rows in as few spans as possible; `spans` are in order."""
    first, last = -1, -2
    for span in spans:
        if span[0] == last + 1:
            last = span[1]
        else:
            if first >= 0:
                yield first, last
            first, last = span
    if first >= 0:
        yield first, last
