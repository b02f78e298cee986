"""The words of this service for many locations at once: an array for each member, not an object for each answer.

Neither locations nor positions are among them: who asks knows the ones, and does not need the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookups.answers import Answer, Area, Reason, Status

Floats = NDArray[np.float64]

#: What the numbers of `Columns.status` and `Columns.reason` mean.
STATUSES: tuple[Status, ...] = ("match", "no_match", "failed")
REASONS: tuple[Reason | None, ...] = (
    None,
    "none_within_max_distance",
    "outside_uk",
    "upstream_rejected",
    "searched_to_2000_m",
    "not_covered",
)
NO_MATCH = STATUSES.index("no_match")
NONE_WITHIN_MAX_DISTANCE, OUTSIDE_UK = map(REASONS.index, REASONS[1:3])
NOT_COVERED = REASONS.index("not_covered")
#: Every UK postcode fits, with its space.
_POSTCODE_BYTES = 8


@dataclass(frozen=True)
class Columns:
    """The final answers to locations, in their order, and the places that these have as the nearest ones.

    A place is a postcode and its area. One postcode may be at two places.
    """

    #: Of each location, a number of `STATUSES`.
    status: NDArray[np.uint8]
    #: Of each location, a number of `REASONS`.
    reason: NDArray[np.uint8]
    #: Of each location, in metres with two digits; NaN without a match.
    distance: Floats
    #: Of each location, the number of its place; -1 without a match.
    place: NDArray[np.int32]
    #: Of each place, eight bytes of ASCII, with its space.
    postcodes: NDArray[np.bytes_]
    #: Of each place, a number of `areas`.
    area: NDArray[np.uint32]
    #: Each once.
    areas: list[Area]

    def among(self, asked: NDArray[np.bool_]) -> "Columns":
        """The answers to more locations: these where `asked` is true, and outside the UK where it is not."""

        def spread(answers: NDArray[Any], otherwise: float) -> NDArray[Any]:
            column = np.full(len(asked), otherwise, answers.dtype)
            column[asked] = answers
            return column

        return replace(
            self,
            status=spread(self.status, NO_MATCH),
            reason=spread(self.reason, OUTSIDE_UK),
            distance=spread(self.distance, np.nan),
            place=spread(self.place, -1),
        )


def columns_of(answers: Sequence[Answer]) -> Columns:
    """The same answers. Raises ValueError for a postcode that cannot be one of the UK: cut off, it might be another."""
    found = [_place_of(answer) for answer in answers]
    places = {place: number for number, place in enumerate(dict.fromkeys(filter(None, found)))}
    areas = {area: number for number, area in enumerate(dict.fromkeys(area for _, area in places))}
    return Columns(
        status=np.array([STATUSES.index(answer.status) for answer in answers], "u1"),
        reason=np.array([REASONS.index(answer.reason) for answer in answers], "u1"),
        distance=np.array([np.nan if answer.distance_m is None else answer.distance_m for answer in answers]),
        place=np.array([-1 if place is None else places[place] for place in found], "i4"),
        postcodes=np.array([_in_bytes(postcode) for postcode, _ in places], f"S{_POSTCODE_BYTES}"),
        area=np.array([areas[area] for _, area in places], "u4"),
        areas=list(areas),
    )


def _place_of(answer: Answer) -> tuple[str, Area] | None:
    details = answer.postcode_details
    if answer.postcode is None or details is None:
        return None
    return answer.postcode, (details.country, details.region, details.admin_district, details.admin_ward)


def _in_bytes(postcode: str) -> bytes:
    if len(postcode) > _POSTCODE_BYTES or not postcode.isascii() or not postcode.isprintable():
        raise ValueError(f"The provider's {postcode!r} is not a UK postcode.")
    return postcode.encode()
