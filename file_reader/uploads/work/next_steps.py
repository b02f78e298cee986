"""What happens next to an upload, in sentences: for people who look at one that seems stuck."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from uploads.models import OPEN_STATES, Chunk, ChunkState, Upload, UploadState
from uploads.progress import waiting_of
from uploads.rows.filters import rows_of
from uploads.work.in_words import moment_in_words, rows_in_words
from uploads.work.indexing import claimable_indexes
from uploads.work.leases import LOADED_OF_AN_OWNER, claimable_chunks, claimable_uploads
from uploads.work.pauses import IDLE_POLL_SECONDS, MAX_OUTAGE_PAUSE

#: The most uploads that are counted.
COUNTED_UPLOADS = 1_000
_AT_ONCE = f" at its next look, within {IDLE_POLL_SECONDS:.0f} s"
_AFTER_OUTAGE = f" within {MAX_OUTAGE_PAUSE:.0f} s, as workers do after an outage"
_RUNNING = ": is a worker running?"


class NextSteps:
    """Of one upload at one moment, as `inspection.with_the_time` has read it. `failed` are rows; `leased` the first of
    its chunks that are, in the order in which their leases end."""

    def __init__(
        self, upload: Upload, now: datetime, *, failed: int, leased: Sequence[Chunk], is_any_open: bool
    ) -> None:
        self._upload = upload
        self._now = now
        self._failed = failed
        self._leased = leased
        self._is_any_open = is_any_open

    def foretell(self) -> list[str]:
        """The sentences."""
        upload, failed = self._upload, self._failed
        if upload.deleted_at:
            return [self._next_of_deleted()]
        if upload.state in OPEN_STATES:
            return self._next_of_open()
        index = self._next_of_index()
        again = [f"A retry would ask again for {failed:,} failed {'row' if failed == 1 else 'rows'}."] if failed else []
        if upload.state == UploadState.DONE:
            return ["Nothing: it is done.", *index, *again]
        if upload.state == UploadState.FAILED:
            read = "Nothing: the file could not be read to its end. The rows before the fault have been asked for."
            return [read, *index, *again]
        return ["Nothing: it was cancelled. The rows that had their answer keep it.", *index]

    def _next_of_open(self) -> list[str]:
        upload = self._upload
        if upload.paused_at:
            return [
                f"Nothing: it was paused {moment_in_words(upload.paused_at, self._now)}."
                " What workers have in hand is finished."
            ]
        said = self._next_of_loading() if upload.state != UploadState.GEOCODING else []
        if self._is_any_open:
            said += self._next_of_chunks()
        elif upload.state == UploadState.GEOCODING:
            said.append("Nothing is left to look up; a worker ends it within seconds: is a worker running?")
        return said

    def _next_of_deleted(self) -> str:
        upload = self._upload
        first = next(iter(rows_of(upload).order_by("id").only("id")[:1]), None)
        left = 0 if first is None else upload.rows_loaded + 1 - first.number  # they are removed in order
        return (
            f"It was deleted {moment_in_words(upload.deleted_at, self._now)}. Workers remove it, beside other work:"
            f" {left:,} rows are left, then its file. The log says when it is gone: is a worker running?"
        )

    def _next_of_index(self) -> list[str]:
        """Of what has ended."""
        upload = self._upload
        if upload.indexed_at:
            return []
        if not claimable_indexes().filter(pk=upload.pk).exists():
            return [f"A worker writes its row index; {self._leased_until(upload.lease_until)}"]
        when = f"{_AT_ONCE}{_RUNNING}"
        return [f"Its rows are walked through until they have an index; a worker writes that{when}"]

    def _next_of_loading(self) -> list[str]:
        upload = self._upload
        if upload.state == UploadState.LOADING and not upload.lease_is_over:  # type: ignore[attr-defined]
            return [f"A worker loads the file; {self._leased_until(upload.lease_until)}"]
        queue = list(claimable_uploads().values_list("pk", flat=True)[:COUNTED_UPLOADS])
        if upload.pk in queue:
            before = queue.index(upload.pk)
            when = f" after {before:,} other{'s' if before > 1 else ''}" if before else _AT_ONCE
        elif len(queue) == COUNTED_UPLOADS:
            when = f" after more than {COUNTED_UPLOADS:,} others"
        else:
            when = f" when one of the {LOADED_OF_AN_OWNER} that are being loaded for its owner is loaded"
        when += _RUNNING
        if upload.attempts >= settings.MAX_ATTEMPTS:
            return [f"Loading ended without a word in every attempt; a worker will end it as failed{when}"]
        if upload.state == UploadState.RECEIVED:
            return [f"A worker will load the file{when}"]
        return [f"Nobody loads the file; a worker will go on from row {upload.rows_loaded + 1:,}{when}"]

    def _next_of_chunks(self) -> list[str]:
        said = []
        waiting = waiting_of(self._upload)
        if waiting:
            said.append(
                f"Nobody could answer since {moment_in_words(waiting['since'], self._now)}: {waiting['detail']}"
            )
        held = next((chunk for chunk in self._leased if chunk.lease_until and chunk.lease_until > self._now), None)
        if held is not None:
            said.append(f"A worker looks up {rows_in_words(held)}; {self._leased_until(held.lease_until)}")
        first = claimable_chunks().first()
        is_ours = first is not None and first.upload_id == self._upload.pk
        due = first if is_ours else claimable_chunks().filter(upload=self._upload).first()
        if due is not None:
            soon = _AFTER_OUTAGE if waiting else _AT_ONCE
            when = soon if is_ours or first is None else f" after those of upload {first.upload_id}"
            said.append(self._next_of_due(due, when))
        elif held is None:
            resting = Chunk.objects.filter(upload=self._upload, state=ChunkState.READY).order_by("due_at").first()
            if resting is not None:
                said.append(f"Workers take {rows_in_words(resting)} at {moment_in_words(resting.due_at, self._now)}.")
        return said

    def _next_of_due(self, chunk: Chunk, when: str) -> str:
        when += _RUNNING
        if chunk.attempts < settings.MAX_ATTEMPTS:
            return f"A worker will take {rows_in_words(chunk)}{when}"
        if chunk.row_count == 1:
            return f"The attempts are used up: a worker will mark {rows_in_words(chunk)} as failed{when}"
        return f"The attempts are used up: a worker will split {rows_in_words(chunk)} in two{when}"

    def _leased_until(self, moment: datetime | None) -> str:
        return f"leased until {moment_in_words(moment, self._now)}; if the worker died, another takes over then."
