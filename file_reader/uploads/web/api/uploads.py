"""The uploads API. A view translates, calls one domain function and translates back."""

from operator import attrgetter
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.decorators import method_decorator
from rest_framework import status
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from service_kit.query_parameters import query_parameters
from uploads.models import ENDED_STATES, Upload
from uploads.rows.bulk.per_call import counts_of, uploads_ahead_of
from uploads.web.api.callers import find_upload, owner_id
from uploads.web.api.pagination import PARAMETERS, NewestFirst, Page
from uploads.web.api.presenters import dialect_as_json, links_of, upload_as_json
from uploads.web.arriving import preview_of, upload_from
from uploads.web.plain_views import Call, Unless, plain_view
from uploads.work.commands import cancel_upload, delete_upload, pause_upload, resume_upload, retry_upload


@api_view(["POST"])
def upload_preview(request: Request) -> Response:
    """What would be read from a file; nothing is stored."""
    filename, dialect, shown = preview_of(request._request)
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
        upload = upload_from(request._request, owner_id(request))
        return Response(
            _as_json(upload, request),
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": links_of(upload, request)["self"]},
        )


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
