"""`result.parquet`: GeoParquet 1.1, for who has installed pyarrow. Locations are points, longitude first."""

import json
import struct
from collections.abc import Iterator
from typing import Any

from uploads.models import Upload
from uploads.results.pieces import Choice
from uploads.results.table import Output, open_table, unique

#: A row group has about so many rows, or bytes in memory.
_GROUP_ROWS, _GROUP_BYTES = 100_000, 1 << 26
#: A point as WKB: the byte order (little), the type (1), longitude and latitude.
_POINT = struct.Struct("<BIdd")


def result_parquet(upload: Upload, choice: Choice) -> Iterator[bytes]:
    """Yields the file: the columns as texts, the distance as a number, and the column `geometry`.

    Raises UploadGoneError, and ImportError without pyarrow.
    """
    import pyarrow as pa
    from pyarrow import parquet

    out = Output()
    with open_table(upload, choice, located=True) as table:
        *_, geometry = unique([*table.names, "geometry"], set(table.names))
        fields = [pa.field(name, pa.float64() if name == table.distance else pa.string()) for name in table.names]
        schema = pa.schema([*fields, pa.field(geometry, pa.binary())], {"geo": _description(geometry)})
        group: list[Any] = []
        with parquet.ParquetWriter(pa.PythonFile(out, "w"), schema, compression="zstd") as writer:
            for columns, answers in table.parts:
                places = [
                    None if latitude is None else _POINT.pack(1, 1, longitude, latitude)
                    for latitude, longitude in zip(answers.latitudes, answers.longitudes, strict=True)
                ]
                group.append(pa.record_batch([*columns, places], schema=schema))
                if sum(map(len, group)) >= _GROUP_ROWS or sum(batch.nbytes for batch in group) >= _GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(group))
                    group = []
                    yield out.taken()
            if group:
                writer.write_table(pa.Table.from_batches(group))
    yield out.taken()


def _description(geometry: str) -> str:
    """What GeoParquet says of the column with the points."""
    columns = {geometry: {"encoding": "WKB", "geometry_types": ["Point"]}}
    return json.dumps({"version": "1.1.0", "primary_column": geometry, "columns": columns})
