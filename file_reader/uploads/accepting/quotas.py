"""Whether one more upload is taken: quotas for each owner, and a limit of the rows that wait for all of them.

With AUTH=off uploads have no owner, and there are no quotas.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth import get_user_model

from uploads.errors import BacklogFullError, QuotaExceededError
from uploads.models import SpentRows, Upload
from uploads.rows.bulk.usage import DAY, used_by, waiting_rows


def check_before(owner_id: int | None, idempotency_key: str | None, size: int) -> None:
    """Raises QuotaExceededError or BacklogFullError before the body, of at least `size` bytes, is read.

    What was accepted before under the same key is no new upload.
    """
    try:
        if owner_id is not None:
            quotas = _quotas()
            used = used_by(owner_id, quotas)
            for quota, limit in quotas.items():
                if used[quota] >= limit or (quota == "stored_bytes" and used[quota] + size > limit):
                    raise QuotaExceededError(quota, limit, used[quota], _free_at(owner_id, quota, limit))
        if settings.MAX_BACKLOG_ROWS and (waiting := waiting_rows()) >= settings.MAX_BACKLOG_ROWS:
            raise BacklogFullError(waiting, settings.MAX_BACKLOG_ROWS)
    except (QuotaExceededError, BacklogFullError):
        if idempotency_key is None or not Upload.objects.filter(idempotency_key=idempotency_key).exists():
            raise


def check_again(new: Upload) -> None:
    """Raises QuotaExceededError, in the transaction that accepts an upload: of many at once, each sees the others."""
    quotas = _quotas()
    if new.owner_id is None or not quotas:
        return
    # SQLite has one writer at a time anyway. `no_key`: it must not wait for those who only refer to the user.
    get_user_model().objects.select_for_update(no_key=True).values_list("pk").get(pk=new.owner_id)
    used = used_by(new.owner_id, quotas)
    wanted = {"open_uploads": 1, "stored_bytes": new.table_size or 0, "rows_per_day": 1}
    for quota, limit in quotas.items():
        if used[quota] + wanted[quota] > limit:
            raise QuotaExceededError(quota, limit, used[quota], _free_at(new.owner_id, quota, limit))


def _quotas() -> dict[str, int]:
    """Those that are set, by name."""
    quotas = {
        "open_uploads": settings.QUOTA_OPEN_UPLOADS,
        "stored_bytes": settings.QUOTA_STORED_BYTES,
        "rows_per_day": settings.QUOTA_ROWS_PER_DAY,
    }
    return {name: limit for name, limit in quotas.items() if limit}


def _free_at(owner_id: int, quota: str, limit: int) -> datetime | None:
    """When a quota that is used up is free again; None when that is up to what the owner, or the workers, do."""
    if quota != "rows_per_day":
        return None
    day = datetime.now(UTC) - DAY
    uploads = Upload.objects.filter(owner=owner_id, created_at__gt=day).values_list("created_at", "rows_loaded")
    deleted = SpentRows.objects.filter(owner=owner_id, accepted_at__gt=day).values_list("accepted_at", "rows")
    newer = 0
    for accepted_at, rows in sorted([*uploads, *deleted], reverse=True):
        newer += rows
        if newer >= limit:  # as soon as these rows are a day old, those after them are fewer than the limit
            return accepted_at + DAY
    return None
