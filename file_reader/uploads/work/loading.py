"""Records to rows and chunks: each step reads some chunks' worth and commits it together with the cursor."""

import logging
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, cast

from django.db import transaction

from uploads.files.stored import open_upload
from uploads.models import Chunk, Upload
from uploads.problems import body_of
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.errors import ReadingError, UnreadableError
from uploads.reading.records import ReadRow, read_rows
from uploads.row_ids import MAX_ROWS, row_id
from uploads.rows.bulk import LocatedRow, RejectedRow, bulk_create_rows
from uploads.work.bell import ring_bells
from uploads.work.leases import LeaseLostError, LoadLease, advance_upload, fail_upload, finish_upload

logger = logging.getLogger(__name__)

#: Chunks that one step loads: enough to keep every worker busy while the next step waits for its turn.
CHUNKS_PER_STEP = 4
#: How much of a rejected row's text is kept, in characters; the whole of it stays in the file.
RAW_CHARS = 1_000


class Loader:
    """Loads one upload, step by step, under a lease.

    The file stays open between the steps, so that nothing is read twice; a loader that takes over from a dead one
    skips the records that the cursor says are there.
    """

    def __init__(self, lease: LoadLease) -> None:
        self.lease = lease
        upload = Upload.objects.filter(pk=lease.upload_id).first()
        if upload is None:
            raise LeaseLostError(f"upload {lease.upload_id} was deleted")
        self.rows_loaded = upload.rows_loaded
        self._to_skip = upload.rows_loaded
        self._file: BinaryIO = open_upload(upload.public_id)
        self._rows: Iterator[ReadRow] = read_rows(self._file, Dialect.from_json(upload.dialect))

    def close(self) -> None:
        self._file.close()

    def step(self, chunk_rows: int) -> bool:
        """Loads the next rows, in chunks of that many, and commits them; True when there may be more.

        Raises LeaseLostError when another worker has taken over. A file that cannot be read any further has its
        `error` from then on, and ends as `failed` when the rows before the fault have their answers.
        """
        error: ReadingError | None = None
        wanted = chunk_rows * CHUNKS_PER_STEP
        rows: list[ReadRow] = []
        try:
            for _ in islice(self._rows, self._to_skip):
                pass
            self._to_skip = 0
            # Not list(): what was read before an error counts.
            rows.extend(islice(self._rows, wanted))
        except ReadingError as caught:
            error = caught
        if self.rows_loaded + len(rows) > MAX_ROWS:
            first_too_many = rows[MAX_ROWS - self.rows_loaded]
            error = UnreadableError(f"The file has more than {MAX_ROWS:,} rows.", line=first_too_many.line)
            del rows[MAX_ROWS - self.rows_loaded :]
        complete = error is None and len(rows) < wanted
        located, rejected = self._new_rows(rows)
        with transaction.atomic():
            advance_upload(
                self.lease,
                rows_loaded=self.rows_loaded + len(rows),
                bytes_loaded=self._file.tell(),
                swapped=sum(row.reason == "coordinates_swapped" for row in rejected),
                complete=complete,
            )
            bulk_create_rows(located, rejected)
            Chunk.objects.bulk_create(self._chunks(rows, chunk_rows))
        self.rows_loaded += len(rows)
        if len(rows) > chunk_rows:  # one chunk we take ourselves
            ring_bells()
        if error is not None:
            fail_upload(self.lease, error=body_of(error))
            return False
        if complete:
            logger.info("upload loaded upload=%s rows=%s", self.lease.upload_id, self.rows_loaded)
            finish_upload(self.lease.upload_id)  # a file without rows has no chunk that would do it
        return not complete

    def _new_rows(self, rows: list[ReadRow]) -> tuple[list[LocatedRow], list[RejectedRow]]:
        upload_id = self.lease.upload_id
        numbered = list(enumerate(rows, row_id(upload_id, self.rows_loaded + 1)))
        located = [(id_, upload_id, row.latitude, row.longitude) for id_, row in numbered if row.reason is None]
        rejected = [
            RejectedRow(id_, upload_id, row.reason, row.line, _shown(row.raw or ""))
            for id_, row in numbered
            if row.reason is not None
        ]
        return cast(list[LocatedRow], located), rejected

    def _chunks(self, rows: list[ReadRow], chunk_rows: int) -> list[Chunk]:
        return [
            Chunk(
                upload_id=self.lease.upload_id,
                first_row=self.rows_loaded + start + 1,
                row_count=len(part),
                rejected=sum([row.reason is not None for row in part]),
            )
            for start in range(0, len(rows), chunk_rows)
            if (part := rows[start : start + chunk_rows])
        ]


def _shown(text: str) -> str:
    # PostgreSQL's text cannot hold NUL: its picture stands for it.
    return text.rstrip("\r\n")[:RAW_CHARS].replace("\0", "\N{SYMBOL FOR NULL}")
