"""Records to rows and chunks: each step reads some chunks' worth and commits it together with the cursor."""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from django.conf import settings
from django.db import transaction

from uploads import counters
from uploads.files.stored import open_upload
from uploads.models import Chunk, Upload
from uploads.problems import body_of
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.errors import ReadingError, UnreadableError
from uploads.reading.other_readings import Located
from uploads.reading.own_postcodes import spread
from uploads.reading.records import Part, read_parts
from uploads.reading.second_look import Seen, second_look
from uploads.row_ids import MAX_ROWS, row_id
from uploads.rows.bulk import PendingRows, RejectedRow, bulk_create_rows
from uploads.work.bell import ring_bells
from uploads.work.leases import LeaseLostError, LoadLease, advance_upload, fail_upload, finish_upload, renew_upload
from uploads.work.minutes import count_rows
from uploads.work.own_postcodes import keep_own_rows, own_rows
from uploads.work.turns import next_turn, price_of_a_row

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
        #: That of the chunk that is made next, unless others are further by then.
        self.turn = upload.turn
        self._owner_id = upload.owner_id
        self._renewed_at = time.monotonic()
        self._to_skip = upload.rows_loaded
        self._dialect = Dialect.from_json(upload.dialect)
        self._file: BinaryIO = open_upload(upload.public_id, self._dialect.sheet)
        self._parts: Iterator[Part] = read_parts(self._file, self._dialect)
        self._rest: Part | None = None
        self._before: Located | None = None
        self._doubt = upload.doubt
        self._own = own_rows(upload.pk) if self._dialect.postcode_columns else []

    def close(self) -> None:
        self._file.close()

    def hold(self) -> None:
        """Renews the lease now and then, so that a loader may wait for its turn. Raises LeaseLostError."""
        now = time.monotonic()
        if now >= self._renewed_at + settings.LEASE.total_seconds() / 10:
            renew_upload(self.lease)
            self._renewed_at = now

    def step(self, chunk_rows: int) -> bool:
        """Loads the next rows, in chunks of that many, and commits them; True when there may be more.

        Raises LeaseLostError when another worker has taken over. A file that cannot be read any further, or whose rows
        are doubtful from there on, has its `error` from then on, and ends as `failed` when the rows before have their
        answers.
        """
        parts, error = self._read(chunk_rows * CHUNKS_PER_STEP)
        seen = second_look(parts, self._dialect, self._before, from_first=not self.rows_loaded)
        self._before = seen.located
        self._doubt = (seen.doubt and seen.doubt.code) or self._doubt or seen.note
        error = seen.error or error
        count = sum(map(len, seen.parts))
        complete = error is None and count < chunk_rows * CHUNKS_PER_STEP
        pending, rejected = self._rows(seen)
        turn, price = max(self.turn, next_turn()), price_of_a_row(self._owner_id)
        self._renewed_at = time.monotonic()
        with transaction.atomic():
            advance_upload(
                self.lease,
                rows_loaded=self.rows_loaded + count,
                bytes_loaded=self._file.tell(),
                turn=turn + count * price,
                swapped=sum(row.reason == "coordinates_swapped" for row in rejected),
                west=int((pending.longitudes < 0).sum()),
                at_sea=seen.at_sea,
                doubt=self._doubt,
                complete=complete,
            )
            bulk_create_rows(self.lease.upload_id, pending, rejected)
            Chunk.objects.bulk_create(self._chunks(count, chunk_rows, rejected, turn, price))
            self._keep_own(seen)
        count_rows(rejected=len(rejected))
        counters.ROWS_READ.inc(count)
        self.rows_loaded += count
        self.turn = turn + count * price
        if count > chunk_rows:  # one chunk we take ourselves
            ring_bells()
        if error is not None:
            fail_upload(self.lease, error=body_of(error))
            return False
        if complete:
            logger.info("upload loaded upload=%s rows=%s", self.lease.upload_id, self.rows_loaded)
            finish_upload(self.lease.upload_id)  # a file without rows has no chunk that would do it
        return not complete

    def _read(self, wanted: int) -> tuple[list[Part], ReadingError | None]:
        """The next records, and why there are not more of them, unless the file is at its end."""
        parts: list[Part] = []
        room = MAX_ROWS - self.rows_loaded
        try:
            for _ in self._take(self._to_skip):
                pass
            self._to_skip = 0
            for part in self._take(min(wanted, room + 1)):
                parts.append(part)  # noqa: PERF402 - what was read before an error counts
        except ReadingError as error:
            return parts, error
        if sum(map(len, parts)) > room:
            first_too_many = parts[-1].lines[-1]
            parts[-1], _ = parts[-1].split(len(parts[-1]) - 1)
            return parts, UnreadableError(f"The file has more than {MAX_ROWS:,} rows.", line=first_too_many)
        return parts, None

    def _take(self, wanted: int) -> Iterator[Part]:
        """The next records, that many unless the file ends before."""
        while wanted and (part := self._rest or next(self._parts, None)) is not None:
            part, self._rest = part.split(wanted)
            wanted -= len(part)
            yield part

    def _rows(self, seen: Seen) -> tuple[PendingRows, list[RejectedRow]]:
        upload_id = self.lease.upload_id
        first = row_id(upload_id, self.rows_loaded + 1)
        rejected, at = [], first
        for part in seen.parts:
            rejected += [
                RejectedRow(at + place, upload_id, row.reason, row.line, _shown(row.raw or ""))
                for place, row in part.rejected
            ]
            at += len(part)
        return PendingRows(seen.places + first, seen.located.latitudes, seen.located.longitudes), rejected

    def _keep_own(self, seen: Seen) -> None:
        found, before = [], self.rows_loaded
        for part in seen.parts:
            found += [(before + place + 1, codes) for place, codes in part.own]
            before += len(part)
        own = spread(self._own + found)
        if own != self._own:
            keep_own_rows(self.lease.upload_id, own)
            self._own = own

    def _chunks(self, count: int, chunk_rows: int, rejected: list[RejectedRow], turn: int, price: int) -> list[Chunk]:
        before = row_id(self.lease.upload_id, self.rows_loaded + 1)
        rejected_in = Counter((row.id - before) // chunk_rows for row in rejected)
        return [
            Chunk(
                upload_id=self.lease.upload_id,
                first_row=self.rows_loaded + start + 1,
                row_count=min(chunk_rows, count - start),
                turn=turn + start * price,
                rejected=rejected_in[number],
            )
            for number, start in enumerate(range(0, count, chunk_rows))
        ]


def _shown(text: str) -> str:
    # PostgreSQL's text cannot hold NUL: its picture stands for it.
    return text.rstrip("\r\n")[:RAW_CHARS].replace("\0", "\N{SYMBOL FOR NULL}")
