"""A file that arrives by HTTP → an upload, or a look into it: for the API and for the pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from rest_framework.exceptions import ValidationError

from service_kit.query_parameters import Values
from uploads.accepting.accept import accept_upload, scoped_key
from uploads.accepting.options import (
    OPTIONS,
    READING_OPTIONS,
    UploadOptions,
    parse_options,
    parse_switch,
)
from uploads.accepting.quotas import check_before
from uploads.accepting.request_body import display_name, least_size, receive
from uploads.accepting.telling import detected_dialect, opened_table, told_dialect
from uploads.files.incoming import Incoming
from uploads.models import Upload
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.preview import preview

#: What a preview takes: the options that say how a file is read, and whether all of it is here.
PREVIEW_OPTIONS = (*READING_OPTIONS, "partial", "size")
_DIGITS_OF_A_SIZE = 16


def upload_from(request: HttpRequest, owner_id: int | None, given: Values | None = None) -> Upload:
    """The upload of the file that the request brings. `given`, if there is one, gets the options as they come.

    Raises Problem, UploadError or ReadingError for everything that can be wrong with it.
    """
    key = _idempotency_key(request, owner_id)
    check_before(owner_id, key, least_size(cast(WSGIRequest, request)))
    given = Values("option", OPTIONS) if given is None else given
    with _received(request, key, given) as (sent, table, options, filename):
        with opened_table(table, options.declared.sheet) as stream:
            dialect = detected_dialect(table, stream, options.declared)
        return accept_upload(
            sent=sent,
            table=table,
            filename=filename,
            dialect=dialect,
            max_distance=options.max_distance,
            owner_id=owner_id,
            idempotency_key=key,
            webhook_url=options.webhook_url,
            base_url=request.build_absolute_uri("/") if options.webhook_url else "",
            options=options.said,
        )


def preview_of(request: HttpRequest) -> tuple[str, Dialect, dict[str, Any]]:
    """The name of the file that the request brings, how it is written, and what would be read of it; nothing is stored.

    With `partial`, the file is here in part, and `size` says how many bytes it has as a whole. Raises as `upload_from`.
    """
    given = Values("option", PREVIEW_OPTIONS)
    with (
        _received(request, None, given) as (_, table, options, filename),
        opened_table(table, options.declared.sheet) as stream,
    ):
        dialect = told_dialect(table, stream, options.declared)
        partial = parse_switch("partial", given.get("partial"))
        shown = preview(stream, dialect, partial=partial)
        shown["estimated_rows"] = _estimated(table, given.get("size", "")) if partial else None
        return filename, dialect, shown


def _estimated(table: Incoming, size: str) -> int | None:
    """How many rows a file of `size` bytes may have, by the lines of its beginning; None without a size."""
    if not (size.isascii() and size.isdecimal() and len(size) < _DIGITS_OF_A_SIZE):
        return None
    lines = sum(sample.count(b"\n") for sample in table.samples())
    return round(lines * int(size) / table.size) if lines else None


@contextmanager
def _received(
    request: HttpRequest, key: str | None, given: Values
) -> Iterator[tuple[Incoming, Incoming, UploadOptions, str]]:
    """What was sent, its table, the options and the file's name, for as long as the context lasts."""
    given.give_query(request)
    with Incoming(key) as sent:
        name_in_form = receive(cast(WSGIRequest, request), sent, given.give)
        options = parse_options(given)
        with sent.table(settings.MAX_UPLOAD_BYTES) as table:
            yield sent, table, options, display_name(given.get("filename") or name_in_form)


def _idempotency_key(request: HttpRequest, owner_id: int | None) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= 255 and key.isprintable()):
        raise ValidationError({"Idempotency-Key": "1 to 255 printable characters."})
    return None if key is None else scoped_key(owner_id, key)
