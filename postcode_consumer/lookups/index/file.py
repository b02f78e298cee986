"""The index file: a small header, then plain arrays that all processes map into memory and share.

    8 bytes   MAGIC
    4         the version of the format       \
    4         the length of the header         } little-endian
    4         the CRC-32 of all that follows  /
    header    JSON (`_Header`), padded with spaces so that the arrays begin at a multiple of 64
    arrays    `Places.details` and `Places.positions`, then those of `Places.grid`

It is written under another name and then renamed: a process that opens it sees all of it, and a process that has the
old one open keeps that. A build that dies leaves the old file.
"""

import fcntl
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from lookups.answers import Area
from lookups.index.ellipsoid import Floats
from lookups.index.grid import COLUMNS, ROWS, Grid

NAME = "postcodes.index"
VERSION = 2
HOW_TO_BUILD = "Build it with `make index FILE=…` or `manage.py build_index FILE`."
_MAGIC = b"UKPCINDX"
_PREFIX = struct.Struct("<8sIII")
_ALIGNMENT = 64

PlaceNumbers = NDArray[np.intp]


class IndexUnusableError(Exception):
    """There is no index, or not one that this version reads. The message says why, and what helps."""


class BuildRunningError(Exception):
    """Another process is building an index in this folder."""


#: The details of a place: one row, so that reading it takes one access to memory and not four. Degrees; the postcode
#: with its space; `area` is a number of `Places.area_names`.
DETAILS = np.dtype([("latitude", "<f8"), ("longitude", "<f8"), ("postcode", "S8"), ("area", "<u4")], align=True)


@dataclass(frozen=True)
class Places:
    """All distinct places, each with the first of its postcodes in the alphabet.

    Places that are near each other are near each other in the arrays.
    """

    #: Metres from the earth's centre, (n, 3).
    positions: Floats
    #: `DETAILS`, (n,).
    details: NDArray[np.void]
    #: The way to the places that are near a location.
    grid: Grid
    area_names: list[Area]
    #: Whether postcodes of Northern Ireland are among them: Code-Point Open has none.
    has_northern_ireland: bool
    #: How many postcodes there are, and the name of the file that they are from; 0 and empty in indexes from before.
    postcodes: int = 0
    source: str = ""

    @cached_property
    def names(self) -> tuple[list[str | None], ...]:
        """`area_names` by columns: those of countries, of regions, of districts, of wards."""
        return tuple([area[column] for area in self.area_names] for column in range(4))


class _Header(msgspec.Struct):
    places: int
    cells: int
    lists: int
    area_names: list[Area]
    has_northern_ireland: bool
    postcodes: int = 0
    source: str = ""


def write(folder: Path, places: Places) -> int:
    """Replaces the folder's index in one step; the size in bytes."""
    grid = places.grid
    header = msgspec.json.encode(
        _Header(
            len(places.details),
            len(grid.cells),
            len(grid.lists),
            places.area_names,
            places.has_northern_ireland,
            places.postcodes,
            places.source,
        )
    )
    header += b" " * (-(_PREFIX.size + len(header)) % _ALIGNMENT)
    arrays = (places.details, places.positions, grid.tops, grid.cells, grid.lists)
    parts: list[Any] = [header, *(np.ascontiguousarray(array).data for array in arrays)]
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    new = folder / f"{NAME}.new"
    with new.open("wb") as file:
        file.write(_PREFIX.pack(_MAGIC, VERSION, len(header), checksum))
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    new.replace(folder / NAME)
    _sync(folder)
    return size


@contextmanager
def only_build(folder: Path) -> Iterator[None]:
    """Makes the folder, and keeps other builds out of it. Raises `BuildRunningError`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "build.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildRunningError(f"Another process is building an index in {folder}.") from None
        yield


def remove_unfinished(folder: Path, *, dry_run: bool) -> int:
    """Removes what builds that died left in the folder, unless one is under way; returns how many files."""
    new = folder / f"{NAME}.new"
    if not new.exists():
        return 0
    try:
        with only_build(folder):
            if not dry_run:
                new.unlink(missing_ok=True)
            return 1
    except BuildRunningError:
        return 0


def load(folder: Path) -> Places:
    """The folder's index, mapped into memory. Raises `IndexUnusableError`."""
    path = folder / NAME
    try:
        with path.open("rb") as file:
            return _load(file, path)
    except FileNotFoundError:
        raise IndexUnusableError(f"There is no index of postcodes in {folder}. {HOW_TO_BUILD}") from None
    except OSError as error:
        raise IndexUnusableError(f"The index {path} cannot be read: {error.strerror}. {HOW_TO_BUILD}") from None


def _load(file: BinaryIO, path: Path) -> Places:
    damaged = IndexUnusableError(f"The index {path} is damaged. {HOW_TO_BUILD}")
    prefix = file.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size or not prefix.startswith(_MAGIC):
        raise damaged
    _, version, header_size, checksum = _PREFIX.unpack(prefix)
    if version != VERSION:
        raise IndexUnusableError(
            f"The index {path} has version {version} of the format, and version {VERSION} is read here. {HOW_TO_BUILD}"
        )
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if zlib.crc32(memoryview(mapped)[_PREFIX.size :]) != checksum:
        raise damaged
    header = msgspec.json.decode(mapped[_PREFIX.size : _PREFIX.size + header_size], type=_Header)
    position = _PREFIX.size + header_size

    def array(shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
        nonlocal position
        found: NDArray[Any] = np.ndarray(shape, kind, mapped, position)
        position += found.nbytes
        return found

    return Places(
        details=array((header.places,), DETAILS),
        positions=array((header.places, 3), "<f8"),
        grid=Grid(*(array((size,), "<u4") for size in (ROWS * COLUMNS, header.cells, header.lists))),
        area_names=header.area_names,
        has_northern_ireland=header.has_northern_ireland,
        postcodes=header.postcodes,
        source=header.source,
    )


def _sync(folder: Path) -> None:
    """The rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
