"""The formats of results, by the suffix of their address."""

from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

from uploads.models import Upload
from uploads.results.csv_file import result_csv
from uploads.results.json_lines import result_geojson, result_ndjson
from uploads.results.parquet_file import result_parquet
from uploads.results.pieces import Choice
from uploads.results.xlsx_file import result_xlsx


class Format(NamedTuple):
    """What a result is called, and who writes it."""

    media_type: str
    write: Callable[[Upload, Choice], Iterator[bytes]]
    #: A text, of which gzip leaves a third to an eighth.
    is_text: bool = False


FORMATS = {
    "csv": Format("text/csv", result_csv, is_text=True),
    "ndjson": Format("application/x-ndjson", result_ndjson, is_text=True),
    "geojson": Format("application/geo+json", result_geojson, is_text=True),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", result_xlsx),
    "parquet": Format("application/vnd.apache.parquet", result_parquet),
}


@cache
def formats_here() -> list[str]:
    """The suffixes of the formats that this installation can write."""
    return [suffix for suffix in FORMATS if suffix != "parquet" or find_spec("pyarrow")]
