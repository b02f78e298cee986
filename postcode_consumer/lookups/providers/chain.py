"""Several providers, one after the other: each is asked what those before it do not know."""

from collections.abc import Sequence

from lookups.answers import Answer, Location, PostcodeDetails
from lookups.deadline import Deadline
from lookups.provider import Provider


class Chain:
    """A location that a provider has no match for is asked of the next one; the last one's answer stands.

    An outage of any that must be asked is an outage: what it would have answered is not known. That also keeps a
    million questions from an external API when the provider before it is not set up.
    """

    def __init__(self, providers: Sequence[Provider]) -> None:
        self.providers = providers
        self.name = ",".join(provider.name for provider in providers)

    def reverse_geocode(self, locations: Sequence[Location], max_distance: float, deadline: Deadline) -> list[Answer]:
        """See `Provider`."""
        first, *others = self.providers
        answers = first.reverse_geocode(locations, max_distance, deadline)
        for provider in others:
            unknown = [index for index, answer in enumerate(answers) if answer.status != "match"]
            if not unknown:
                break
            found = provider.reverse_geocode([locations[index] for index in unknown], max_distance, deadline)
            for index, answer in zip(unknown, found, strict=True):
                answers[index] = answer
        return answers

    def details_of(self, postcode: str, *, remembered: bool) -> PostcodeDetails | None:
        """See `Provider`: what the first that knows it says."""
        return next(
            filter(None, (provider.details_of(postcode, remembered=remembered) for provider in self.providers)), None
        )
