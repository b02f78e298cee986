"""What a provider is."""

from collections.abc import Sequence
from typing import Protocol

from lookups.answers import Answer, Location
from lookups.deadline import Deadline


class Provider(Protocol):
    """A source of postcodes. One instance serves all threads of a process."""

    #: As `PROVIDER` has it, and as every answer names it.
    name: str

    def reverse_geocode(self, locations: Sequence[Location], max_distance: float, deadline: Deadline) -> list[Answer]:
        """The final answer to each location, in order: the nearest postcode within `max_distance` metres, or none.

        Raises `ProviderUnavailable` when any of them cannot be answered before the deadline.
        """
