"""The knowledge about a location, for all callers and all distances: every answer follows from it."""

import msgspec

from lookups.answers import Answer, Location, NoMatchReason, PostcodeDetails, day_of, failed, match, no_match

#: Metres. Beyond them, the wide search of postcodes.io finds nothing where there are fewer than ten postcodes within
#: 19.5 km, though the nearest of them may be at 4 km (58.263804, -3.869627, observed): "none" is said up to here only.
CERTAIN = 2_000


class Nearest(msgspec.Struct, frozen=True):
    """The postcode that is nearest to a location; `distance` in metres."""

    postcode: str
    distance: float
    details: PostcodeDetails


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The nearest postcode, or that there is none within `searched` metres, or that the provider refuses the location.

    `looked_up_at` is when the provider was asked, in Unix seconds.
    """

    looked_up_at: int
    searched: int
    nearest: Nearest | None = None
    is_refused: bool = False

    def is_final(self, max_distance: float) -> bool:
        """Whether it answers a question that goes as far as `max_distance` metres."""
        # Nothing is nearer than the nearest, however far one looks.
        return self.nearest is not None or self.is_refused or self.searched >= max_distance

    def is_as_new_as(self, other: "Finding") -> bool:
        """Whether it takes the other one's place."""
        return self.looked_up_at >= other.looked_up_at or self.searched > other.searched

    def answer(self, location: Location, max_distance: float, *, provider: str) -> Answer:
        """The answer within `max_distance` metres, of a finding that is final for it."""
        day = day_of(self.looked_up_at)
        if self.is_refused:
            return failed(location, provider=provider, looked_up_at=day)
        if self.nearest is None or self.nearest.distance > max_distance:
            certain = self.nearest is not None or max_distance <= CERTAIN
            reason: NoMatchReason = "none_within_max_distance" if certain else "searched_to_2000_m"
            return no_match(location, reason, provider=provider, looked_up_at=day)
        return match(
            location,
            postcode=self.nearest.postcode,
            distance=self.nearest.distance,
            details=self.nearest.details,
            provider=provider,
            looked_up_at=day,
        )
