"""Building an index as `manage.py build_index` does, and asking it."""

from collections.abc import Sequence
from pathlib import Path

from lookups.answers import Answer, Location
from lookups.deadline import Deadline
from lookups.providers.local import Local


def nearest(tmp_path: Path, *places: tuple[float, float], max_distance: float = 2_000) -> Sequence[Answer]:
    locations = [Location(*place) for place in places]
    return Local(tmp_path / "index").reverse_geocode(locations, max_distance, Deadline(5))
