"""The interfaces: a provider gives the answers, an upstream is a source that is asked as little as possible."""

from collections.abc import Generator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from lookups.answers import Answer, Location, PostcodeDetails
from lookups.columns import Columns, Floats
from lookups.deadline import Deadline
from lookups.findings import Finding


class Provider(Protocol):
    """A source of postcodes. One instance serves all threads of a process."""

    #: As `PROVIDER` has it, and as every answer names it.
    name: str

    def reverse_geocode(self, locations: Sequence[Location], max_distance: float, deadline: Deadline) -> list[Answer]:
        """The final answer to each of these distinct locations, in order: the nearest postcode within `max_distance`
        metres, or none.

        Raises `ProviderUnavailableError` when any of them cannot be answered before the deadline.
        """

    def details_of(self, postcode: str, *, remembered: bool) -> PostcodeDetails | None:
        """What is known here about a postcode, written as in `SW1A 1AA`; None when it is not known. Nobody else is
        asked. Without `remembered` it follows from what the provider has, never from what anybody has asked it.

        Raises `ProviderUnavailableError` when the provider is not set up.
        """


@runtime_checkable
class ColumnProvider(Provider, Protocol):
    """A provider that answers many locations without an object for each."""

    def columns(self, latitudes: Floats, longitudes: Floats, max_distance: float, deadline: Deadline) -> Columns:
        """The answers that `reverse_geocode` gives, to locations that need not be distinct.

        Raises `ProviderUnavailableError` as that does.
        """


class Upstream(Protocol):
    """A source that is slow, or not ours. `Remembering` makes a provider of it, and remembers its findings."""

    name: str

    def search(
        self, searched: Mapping[Location, int], max_distance: float, deadline: Deadline
    ) -> Generator[dict[Location, Finding], None, None]:
        """Yields findings as they come, and every few seconds an empty piece when there are none.

        `searched` has the locations, each with the metres within which it is known to have no postcode, or 0: only
        what lies further away is asked for. At the end every location has a finding that is final for `max_distance`
        metres; before that it may have others. Raises `ProviderUnavailableError` when it cannot come to that end before
        the deadline; the findings that it yielded until then are true nevertheless.
        """

    def close(self) -> None:
        """Give back connections and threads."""
