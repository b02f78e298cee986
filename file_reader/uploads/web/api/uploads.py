"""The uploads API. A view translates, calls one domain function and translates back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from operator import attrgetter
from threading import BoundedSemaphore
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.utils.decorators import method_decorator
from rest_framework import status
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from service_kit.query_parameters import Values, query_parameters
from uploads.accepting.accept import accept_upload, scoped_key
from uploads.accepting.options import (
    OPTIONS,
    READING_OPTIONS,
    UploadOptions,
    check_converted,
    check_no_text,
    check_no_workbook,
    parse_options,
)
from uploads.accepting.quotas import check_before
from uploads.accepting.request_body import display_name, least_size, receive
from uploads.files.incoming import Incoming
from uploads.models import ENDED_STATES, Upload
from uploads.reading.containers import SheetCsv, beginning_of
from uploads.reading.detecting.detect import SAMPLE_BYTES, detect_dialect
from uploads.reading.detecting.dialect import Declared, Dialect
from uploads.reading.detecting.sheets import dialect_of_sheet
from uploads.reading.formats.telling import dialect_of_converted
from uploads.reading.preview import preview
from uploads.reading.second_look import check_beginning
from uploads.rows.bulk.per_call import counts_of, uploads_ahead_of
from uploads.web.api.callers import find_upload, owner_id
from uploads.web.api.pagination import PARAMETERS, NewestFirst, Page
from uploads.web.api.presenters import dialect_as_json, links_of, upload_as_json
from uploads.web.plain_views import Call, Unless, plain_view
from uploads.work.commands import cancel_upload, delete_upload, pause_upload, resume_upload, retry_upload

#: Workbooks that one process looks into at once: each may take the memory and the CPU time that `workbook.process` has.
_workbooks = BoundedSemaphore(2)


@contextmanager
def received(
    request: Request, key: str | None, accepted: Sequence[str] = OPTIONS
) -> Iterator[tuple[Incoming, Incoming, UploadOptions, str]]:
    """What was sent, its table, the options and the file's name, for as long as the context lasts.

    Raises Problem, UploadError or ReadingError for everything that can be wrong with them.
    """
    given = Values("option", accepted)
    given.give_query(request)
    with Incoming(key) as sent:
        name_in_form = receive(cast(WSGIRequest, request._request), sent, given.give)
        options = parse_options(given)
        with sent.table(settings.MAX_UPLOAD_BYTES) as table:
            yield sent, table, options, display_name(given.get("filename") or name_in_form)


@contextmanager
def opened(table: Incoming, sheet: str | None) -> Iterator[BinaryIO]:
    """The table, to look into; of a workbook that sheet, when its turn has come."""
    with table.open_table(sheet or "") as stream, _workbooks if isinstance(stream, SheetCsv) else nullcontext():
        yield stream


def detected_dialect(table: Incoming, stream: BinaryIO, options: UploadOptions) -> Dialect:
    """How the table, which is open as `stream`, is written: as declared or told from its beginning."""
    dialect = _told_dialect(table, stream, options.declared)
    check_beginning(beginning_of(stream, SAMPLE_BYTES), dialect)
    return dialect


def _told_dialect(table: Incoming, stream: BinaryIO, declared: Declared) -> Dialect:
    if isinstance(stream, SheetCsv):
        check_no_text(declared, "an Excel workbook")
        return replace(dialect_of_sheet(stream, declared), format="xlsx", left=table.origin.left)
    check_no_workbook(declared)
    if table.origin.format != "csv":
        check_converted(declared, table.origin.format)
        return dialect_of_converted(beginning_of(stream, SAMPLE_BYTES), declared, table.origin)
    dialect = detect_dialect(beginning_of(stream, SAMPLE_BYTES), declared, further=table.samples())
    return replace(dialect, left=table.origin.left)


@api_view(["POST"])
def upload_preview(request: Request) -> Response:
    """What would be read from a file; nothing is stored."""
    took = received(request, None, READING_OPTIONS)
    with took as (_, table, options, filename), opened(table, options.declared.sheet) as stream:
        dialect = detected_dialect(table, stream, options)
        shown = preview(stream, dialect)
    return Response({"filename": filename, "dialect": dialect_as_json(dialect.as_json()), **shown})


class UploadList(APIView):
    """`GET`: the caller's uploads, newest first. `POST`: a new one."""

    @method_decorator(query_parameters(*PARAMETERS))
    def get(self, request: Request) -> Response:
        page = Page(request.build_absolute_uri(request.path), request.query_params.dict())
        uploads = page.read(NewestFirst(Upload.objects.visible_to(owner_id(request))), id_of=attrgetter("pk"))
        counts, ahead = counts_of(uploads), uploads_ahead_of(uploads)
        shown = [upload_as_json(upload, counts[upload.pk], ahead.get(upload.pk), request) for upload in uploads]
        return Response(page.as_json(shown))

    def post(self, request: Request) -> Response:
        key = _idempotency_key(request)
        check_before(owner_id(request), key, least_size(cast(WSGIRequest, request._request)))
        with received(request, key) as (sent, table, options, filename):
            with opened(table, options.declared.sheet) as stream:
                dialect = detected_dialect(table, stream, options)
            upload = accept_upload(
                sent=sent,
                table=table,
                filename=filename,
                dialect=dialect,
                max_distance=options.max_distance,
                owner_id=owner_id(request),
                idempotency_key=key,
                webhook_url=options.webhook_url,
                base_url=request.build_absolute_uri("/") if options.webhook_url else "",
            )
        return Response(
            _as_json(upload, request),
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": links_of(upload, request)["self"]},
        )


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= 255 and key.isprintable()):
        raise ValidationError({"Idempotency-Key": "1 to 255 printable characters."})
    return None if key is None else scoped_key(owner_id(request), key)


def _show(call: Call, public_id: UUID) -> Any:
    """How far an upload is. While it goes on, `Retry-After` says when to look again."""
    upload = find_upload(call.owner_id, public_id)
    if upload.state in ENDED_STATES:  # its rows do not change: there is nothing to count
        values = [getattr(upload, field.attname) for field in Upload._meta.concrete_fields]
        return Unless(
            (*values, settings.UPLOAD_KEEP_DAYS, links_of(upload, call.request)), lambda: _as_json(upload, call.request)
        )
    shown = _as_json(upload, call.request)
    call.headers["Retry-After"] = str(min(30, max(1, round((shown["eta_seconds"] or 0) / 10))))
    return shown


def _delete(call: Call, public_id: UUID) -> None:
    """Away with an upload."""
    delete_upload(find_upload(call.owner_id, public_id))


upload_detail = plain_view(GET=_show, DELETE=_delete)


def _as_json(upload: Upload, request: HttpRequest) -> dict[str, Any]:
    return upload_as_json(upload, counts_of([upload])[upload.pk], uploads_ahead_of([upload]).get(upload.pk), request)


@api_view(["POST"])
@query_parameters()
def cancel(request: Request, public_id: UUID) -> Response:
    """Ends the work on an upload; answers that are there stay."""
    upload = find_upload(owner_id(request), public_id)
    cancel_upload(upload)
    return Response(_as_json(upload, request))


@api_view(["POST"])
@query_parameters()
def pause(request: Request, public_id: UUID) -> Response:
    """Has nothing more of an upload begun."""
    upload = find_upload(owner_id(request), public_id)
    pause_upload(upload)
    return Response(_as_json(upload, request))


@api_view(["POST"])
@query_parameters()
def resume(request: Request, public_id: UUID) -> Response:
    """Goes on with a paused upload."""
    upload = find_upload(owner_id(request), public_id)
    resume_upload(upload)
    return Response(_as_json(upload, request))


@api_view(["POST"])
@query_parameters()
def retry(request: Request, public_id: UUID) -> Response:
    """Looks the failed rows of an upload up again."""
    upload = find_upload(owner_id(request), public_id)
    retry_upload(upload)
    return Response(_as_json(upload, request))
