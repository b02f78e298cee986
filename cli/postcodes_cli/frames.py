"""Frames of pandas and polars: two of their columns go to the server as CSV, and its answers come back beside the rest.

Neither library is imported here: whoever has one of its frames has imported it.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from postcodes_cli.errors import ResultError

#: What is put behind the columns of the frame. `result_distance_m` (metres) is a number, the others are texts.
RESULT_COLUMNS = (
    "result_status",
    "result_reason",
    "result_postcode",
    "result_distance_m",
    "result_outcode",
    "result_country",
    "result_region",
    "result_admin_district",
    "result_admin_ward",
)
#: The position of each row goes to the server and comes back, so that no answer can end up in another row.
POSITION = "position"


def geocoded(frame: Any, latitude: str, longitude: str, geocode: Callable[[Path, Path], object]) -> Any:
    """The frame with its answers. `geocode` makes a result of a CSV with the columns position, latitude, longitude.

    Raises TypeError for what is no frame, ValueError for a column that is not there just once, and ResultError.
    """
    give = _library_of(frame)
    for name in (latitude, longitude):
        if (count := list(frame.columns).count(name)) != 1:
            raise ValueError(f"The frame has {count or 'no'} columns {name!r}; it has {list(frame.columns)}")
    with tempfile.TemporaryDirectory(prefix="postcodes-") as folder:
        return give(frame, frame[latitude], frame[longitude], _Exchange(Path(folder), geocode))


class _Exchange:
    """The file that is sent, and the one that comes back, in a folder for the time being."""

    def __init__(self, folder: Path, geocode: Callable[[Path, Path], object]) -> None:
        self.points = folder / "points.csv"
        self.result = folder / "result.csv"
        self._geocode = geocode

    def run(self, rows: int) -> None:
        if rows:
            self._geocode(self.points, self.result)
        else:  # there is nothing to ask
            self.result.write_text(",".join((POSITION, *RESULT_COLUMNS)) + "\n")


def _pandas(frame: Any, latitude: Any, longitude: Any, exchange: _Exchange) -> Any:
    pandas = sys.modules["pandas"]
    columns = {POSITION: range(len(frame)), "latitude": latitude.array, "longitude": longitude.array}
    pandas.DataFrame(columns).to_csv(exchange.points, index=False)
    exchange.run(len(frame))
    types = dict.fromkeys(RESULT_COLUMNS, "string") | {POSITION: "int64", "result_distance_m": "float64"}
    answers = pandas.read_csv(exchange.result, dtype=types, keep_default_na=False, na_values=[""])
    _check(answers[POSITION].tolist(), len(frame))
    # Arrays have no index: an index that is not unique is no matter.
    return frame.assign(**{name: answers[name].array for name in RESULT_COLUMNS})


def _polars(frame: Any, latitude: Any, longitude: Any, exchange: _Exchange) -> Any:
    polars = sys.modules["polars"]
    columns = {POSITION: range(len(frame)), "latitude": latitude, "longitude": longitude}
    polars.DataFrame(columns).write_csv(exchange.points)
    exchange.run(len(frame))
    types = dict.fromkeys(RESULT_COLUMNS, polars.String) | {POSITION: polars.Int64, "result_distance_m": polars.Float64}
    answers = polars.read_csv(exchange.result, schema_overrides=types)
    _check(answers[POSITION].to_list(), len(frame))
    return frame.with_columns(answers[name] for name in RESULT_COLUMNS)


def _check(positions: list[int], rows: int) -> None:
    if positions != list(range(rows)):
        raise ResultError(f"The result has not the {rows:,} rows of the frame in their order")


def _library_of(frame: Any) -> Callable[[Any, Any, Any, _Exchange], Any]:
    for name, give in (("pandas", _pandas), ("polars", _polars)):
        library = sys.modules.get(name)
        if library is not None and isinstance(frame, library.DataFrame):
            return give
    raise TypeError(f"A DataFrame of pandas or polars is needed, and this is a {type(frame).__name__}")
