"""From a file that arrived whole to an upload, in one short transaction."""

import logging
import uuid

from django.db import Error, IntegrityError, transaction

from service_kit.database_errors import database_is_full
from service_kit.logs import request_id
from uploads import audit
from uploads.accepting.quotas import check_again
from uploads.errors import KeyReusedError, QuotaExceededError
from uploads.files.incoming import Incoming
from uploads.files.stored import remove_file
from uploads.models import AuditAction, Upload
from uploads.reading.detecting.dialect import Dialect
from uploads.work.wake import wake_workers

logger = logging.getLogger(__name__)


def accept_upload(
    *,
    sent: Incoming,
    table: Incoming,
    filename: str,
    dialect: Dialect,
    max_distance: float,
    owner_id: int | None,
    idempotency_key: str | None,
    webhook_url: str = "",
    base_url: str = "",
    options: dict[str, str] | None = None,
) -> Upload:
    """Keeps a file that arrived whole, and its upload; when this returns, both are on disk.

    `sent` is what came, `table` what is kept: the same, or its content without gzip or zip. `base_url` is where the
    links of a webhook lead. `options` are those that were said.

    The same Idempotency-Key (with its owner, see `scoped_key`) with the same file and options gives the upload that is
    already there; with others it raises KeyReusedError. Raises QuotaExceededError when other requests have used up the
    owner's quota meanwhile.
    """
    new = Upload(
        public_id=uuid.uuid4(),
        owner_id=owner_id,
        idempotency_key=idempotency_key,
        filename=filename,
        size=sent.size,
        table_size=table.size,
        sha256=sent.sha256,
        dialect=dialect.as_json(),
        max_distance=max_distance,
        webhook_url=webhook_url,
        base_url=base_url,
        options=options or {},
        request_id=request_id.get(),
    )
    if known := _known_upload(new):
        return known
    table.keep(new.public_id)
    inserted = False
    try:
        with transaction.atomic():
            check_again(new)
            new.save(force_insert=True)
            audit.record(AuditAction.UPLOAD_ACCEPTED, str(new.public_id))
            inserted = True
    except QuotaExceededError:
        remove_file(new.public_id)
        raise
    except Error as error:
        # After other errors of the commit it may have happened. A file without an upload is waste, and is collected;
        # an upload without its file would be a loss.
        if not inserted or isinstance(error, IntegrityError) or database_is_full(error):
            remove_file(new.public_id)
        if isinstance(error, IntegrityError) and (known := _known_upload(new)):
            return known
        raise
    transaction.on_commit(wake_workers, robust=True)
    new.refresh_from_db()
    logger.info("upload accepted upload=%s public_id=%s size=%s", new.pk, new.public_id, new.size)
    return new


def scoped_key(owner_id: int | None, key: str) -> str:
    """An Idempotency-Key together with whose it is: one unique index serves callers with and without an owner."""
    return f"{owner_id or 0}:{key}"


def _known_upload(new: Upload) -> Upload | None:
    """The upload that came with the same Idempotency-Key before, if any. Raises KeyReusedError for another request."""
    if new.idempotency_key is None:
        return None
    known = Upload.objects.filter(idempotency_key=new.idempotency_key).first()
    asked = (new.sha256, new.dialect, new.max_distance, new.webhook_url)
    if known is not None and (known.sha256, known.dialect, known.max_distance, known.webhook_url) != asked:
        raise KeyReusedError
    return known
