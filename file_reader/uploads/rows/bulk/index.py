"""The row index in the database: the columns that it is made of, and its blocks, in bulk."""

from collections.abc import Iterable
from types import ModuleType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from django.db import connection

from uploads.row_ids import row_id
from uploads.rows.blocks import Block
from uploads.rows.bulk import index_postgresql, index_sqlite


class RowColumns(NamedTuple):
    """Rows that follow each other, as columns."""

    statuses: npt.NDArray[np.int64]
    #: In UTF-8, cut after eight bytes; empty where there is none.
    postcodes: npt.NDArray[np.bytes_]
    #: -1 where there is none.
    areas: npt.NDArray[np.int64]
    #: Degrees; NaN where there is no location.
    latitudes: npt.NDArray[np.float64]
    longitudes: npt.NDArray[np.float64]
    #: Metres; NaN where there is no postcode.
    distances: npt.NDArray[np.float64]
    #: In UTF-8; empty where there is none.
    reasons: npt.NDArray[np.bytes_]


def database() -> ModuleType:
    return index_postgresql if connection.vendor == "postgresql" else index_sqlite


def row_columns(upload_id: int, first_row: int, last_row: int) -> RowColumns:
    """The rows with these numbers, as far as they are there."""
    return RowColumns(*database().read_columns(row_id(upload_id, first_row), row_id(upload_id, last_row)))


def bulk_create_blocks(upload_id: int, segment: int, blocks: Iterable[tuple[int, Block]]) -> None:
    """Inserts the blocks of a segment, each with its kind."""
    database().insert_blocks([(upload_id, int(kind), segment, *block) for kind, block in blocks])
