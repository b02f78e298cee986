"""What a backup of this service has, and what becomes of uploads that are restored (docs/operating.md)."""

from pathlib import Path
from uuid import UUID

from service_kit.maintenance.backup import Content
from uploads.files.stored import path_of
from uploads.models import Upload, UploadState

#: Made of the files, by working on them again. Of uploads as they are when they are accepted:
_AS_RECEIVED = {
    "started_at": None,
    "finished_at": None,
    "error": None,
    "waiting_since": None,
    "attempts": 0,
    "turn": 0,
    "doubt": "",
}
_WITHOUT_ROWS = {
    "own_postcodes": None,
    "rows_loaded": 0,
    "bytes_loaded": 0,
    "rows_swapped": 0,
    "rows_west": 0,
    "rows_at_sea": 0,
    "rows_indexed": 0,
    "indexed_at": None,
    "reasons": None,
    "lease_until": None,
}


def _files() -> list[tuple[str, Path]]:
    ids = Upload.objects.filter(deleted_at=None).order_by("id").values_list("public_id", flat=True)
    return [(public_id.hex, path_of(public_id)) for public_id in ids]


def _work_again(names: set[str]) -> None:
    """Uploads whose file is there are `received` again, but for those that were cancelled. The others are gone: they
    were deleted, or about to be, when the backup was made."""
    ids = Upload.objects.values_list("pk", "public_id", "deleted_at")
    Upload.objects.filter(
        pk__in=[pk for pk, public_id, deleted_at in ids if deleted_at or public_id.hex not in names]
    ).delete()
    Upload.objects.update(**_WITHOUT_ROWS)
    Upload.objects.exclude(state=UploadState.CANCELLED).update(state=UploadState.RECEIVED, **_AS_RECEIVED)


CONTENT = Content(
    service="file_reader",
    left_out=frozenset(
        f"uploads.{name}"
        for name in ("Chunk", "Row", "Area", "OwnPostcodes", "IndexBlock", "TotalBlock", "MapPart", "WorkMinute")
    ),
    files=_files,
    path_of=lambda name: path_of(UUID(name)),
    finish=_work_again,
)
