"""Records → the index: one place for each coordinate, near places near each other, on disk."""

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from lookups.answers import Area
from lookups.index import file
from lookups.index.candidates import cells_with_candidates
from lookups.index.ellipsoid import Floats, earth_centred
from lookups.index.file import DETAILS, Places
from lookups.index.grid import grid_of
from lookups.index.names import CodeNames, name_of
from lookups.index.sources import WITHOUT_POSITION, AreaCells, Source, SourceRefusedError, opened

Progress = Callable[[int], None]
#: Records between two reports of progress.
REPORT_EVERY = 100_000
_POSTCODE_BYTES = 8


@dataclass(frozen=True)
class Summary:
    """The result of a build: `skipped` counts records by reason, `size` is in bytes."""

    postcodes: int
    places: int
    skipped: dict[str, int]
    seconds: float
    size: int


class _Columns:
    """All records while they are read: 28 bytes of each."""

    def __init__(self) -> None:
        self.postcodes = bytearray()
        self.ys = array("d")
        self.xs = array("d")
        self.areas = array("I")
        self.area_numbers: dict[AreaCells, int] = {}

    def read(self, source: Source, progress: Progress) -> None:
        for number, (postcode, y, x, area) in enumerate(source.records, 1):
            self.postcodes += postcode.encode().ljust(_POSTCODE_BYTES, b"\0")
            self.ys.append(y)
            self.xs.append(x)
            self.areas.append(self.area_numbers.setdefault(area, len(self.area_numbers)))
            if number % REPORT_EVERY == 0:
                progress(number)


def build(source_path: Path, folder: Path, progress: Progress = lambda records: None) -> Summary:
    """Replaces the index in `folder` by one of the postcodes in that file, when all of it is done.

    Raises `SourceRefusedError`, `BuildRunningError`, or `OSError` when the index cannot be written.
    """
    started = time.monotonic()
    with file.only_build(folder):
        columns = _Columns()
        with opened(source_path) as source:
            columns.read(source, progress)
        latitudes, longitudes = _degrees(columns, on_grid=source.on_grid)
        located = np.isfinite(latitudes) & np.isfinite(longitudes)
        source.skipped[WITHOUT_POSITION] += int(len(located) - located.sum())
        if not located.any():
            raise SourceRefusedError(f"{source_path} has no live postcode with a position ({_told(source)}).")
        places = replace(
            _places(columns, source.names, latitudes, longitudes, located),
            postcodes=int(located.sum()),
            source=source_path.name,
        )
        size = file.write(folder, places)
    return Summary(
        postcodes=places.postcodes,
        places=len(places.details),
        skipped=dict(+source.skipped),
        seconds=time.monotonic() - started,
        size=size,
    )


def _degrees(columns: _Columns, *, on_grid: bool) -> tuple[Floats, Floats]:
    """Latitudes and longitudes; NaN for what lies outside the national grid."""
    ys, xs = np.frombuffer(columns.ys), np.frombuffer(columns.xs)
    if not on_grid or not len(ys):
        return ys, xs
    # 30 MB of grid, for the files that need it.
    from convertbng.cutil import convert_osgb36_to_ll

    longitudes, latitudes = convert_osgb36_to_ll(xs, ys)
    return np.round(latitudes, 7), np.round(longitudes, 7)


def _places(
    columns: _Columns, names: CodeNames, latitudes: Floats, longitudes: Floats, located: np.typing.NDArray[np.bool_]
) -> Places:
    postcodes = np.frombuffer(columns.postcodes, f"S{_POSTCODE_BYTES}")
    alphabetical = postcodes.view(">u8").astype(np.uint64)
    order = np.lexsort((alphabetical, longitudes, latitudes))
    order = order[located[order]]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (np.diff(latitudes[order]) != 0) | (np.diff(longitudes[order]) != 0)
    distinct = order[is_first]
    # In the order of a tree's leaves: what a search looks at lies side by side, and is in the processor's cache.
    positions = earth_centred(latitudes[distinct], longitudes[distinct])
    leaves = cKDTree(positions).indices
    distinct = distinct[leaves]
    area_names, area_numbers = _areas(columns, names)
    details = np.zeros(len(distinct), DETAILS)
    details["latitude"] = latitudes[distinct]
    details["longitude"] = longitudes[distinct]
    details["postcode"] = postcodes[distinct]
    details["area"] = area_numbers[np.frombuffer(columns.areas, np.uint32)[distinct]]
    has_northern_ireland = bool(np.any(postcodes[located].astype("S2") == b"BT"))
    grid = grid_of(cells_with_candidates(details["latitude"], details["longitude"]))
    return Places(positions[leaves], details, grid, area_names, has_northern_ireland)


def _areas(columns: _Columns, names: CodeNames) -> tuple[list[Area], np.typing.NDArray[np.uint32]]:
    """The distinct names, and for each number of cells the number of its names."""
    numbers: dict[Area, int] = {}
    renumbered = []
    for cells in columns.area_numbers:
        country, region, district, ward = (name_of(cell, names) for cell in cells)
        renumbered.append(numbers.setdefault((country, region, district, ward), len(numbers)))
    return list(numbers), np.array(renumbered, np.uint32)


def _told(source: Source) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in (+source.skipped).items()) or "it is empty"
