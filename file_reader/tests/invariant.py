"""Invariant I: accepted rows = matched + no match + failed + rejected + pending, each row there exactly once."""

from collections import Counter
from typing import Any

from tests.api import Api
from tests.fake_postcode_consumer import postcode_at

from uploads.models import Chunk, ChunkState, Row, RowStatus, Upload, UploadState
from uploads.row_ids import row_number, row_range

Json = dict[str, Any]
#: 200 rows, each at a location of its own that has a postcode.
ROWS = 200
LOCATIONS = [(50 + number / 1_000, -0.1) for number in range(ROWS)]
FILE = "lat,lon\n" + "".join(f"{latitude},{longitude}\n" for latitude, longitude in LOCATIONS)


def state_of(api: Api, upload: Json) -> str:
    return str(api.show(upload)["state"])


def assert_invariant() -> None:
    """Holds at every moment, for every upload, whoever died just now. Look while nobody writes."""
    for upload in Upload.objects.all():
        statuses = dict(Row.objects.filter(**row_range(upload.pk, 1, 1 << 31)).values_list("id", "status"))
        numbers = sorted(row_number(id_) for id_ in statuses)
        assert numbers == list(range(1, upload.rows_loaded + 1))
        next_row = 1
        for chunk in Chunk.objects.filter(upload=upload).exclude(state=ChunkState.SPLIT).order_by("first_row"):
            assert chunk.first_row == next_row
            next_row += chunk.row_count
            of_chunk = row_range(upload.pk, chunk.first_row, chunk.row_count)["id__range"]
            count = Counter(status for id_, status in statuses.items() if of_chunk[0] <= id_ <= of_chunk[1])
            written = [count[status] for status in (RowStatus.MATCH, RowStatus.NO_MATCH, RowStatus.FAILED)]
            assert [chunk.matched, chunk.no_match, chunk.failed] == written
            assert chunk.rejected == count[RowStatus.REJECTED]
            # An answered chunk has nothing pending: else those rows would be pending for ever.
            assert chunk.state in (ChunkState.READY, ChunkState.LEASED) or not count[RowStatus.PENDING]
        assert next_row == upload.rows_loaded + 1
        assert upload.state != UploadState.DONE or RowStatus.PENDING not in statuses.values()


def assert_every_row_has_its_answer(api: Api, upload: Json) -> None:
    """FILE is done, and every row has the postcode of its own location."""
    assert_invariant()
    shown = api.show(upload)
    assert (shown["state"], shown["rows"]["read"], shown["rows"]["matched"]) == ("done", ROWS, ROWS)
    rows = api.rows(upload)
    assert [row["row"] for row in rows] == list(range(1, ROWS + 1))
    assert [row["postcode"] for row in rows] == [postcode_at(*location) for location in LOCATIONS]


def everything() -> dict[str, list[Json]]:
    """All that the work writes, to compare before with after."""
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in (Upload, Chunk, Row)}
