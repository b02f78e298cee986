"""The uploads API. A view translates, calls one domain function and translates back."""

from operator import attrgetter
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.decorators import method_decorator
from rest_framework import status
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from service_kit.query_parameters import query_parameters
from uploads.models import Upload
from uploads.rows.bulk.per_call import counts_of
from uploads.web.api.callers import find_upload, owner_id
from uploads.web.api.pagination import PARAMETERS, NewestFirst, Page
from uploads.web.api.presenters import dialect_as_json, links_of, upload_as_json
from uploads.web.arriving import preview_of, upload_from
from uploads.web.plain_views import Call, plain_view
from uploads.work.commands import cancel_upload, delete_upload, retry_upload


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
        uploads = page.read(NewestFirst(owner_id(request)), id_of=attrgetter("pk"))
        counts = counts_of(uploads)
        return Response(page.as_json([upload_as_json(upload, counts[upload.pk], request) for upload in uploads]))

    def post(self, request: Request) -> Response:
        upload = upload_from(request._request, owner_id(request))
        return Response(
            _as_json(upload, request),
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": links_of(upload, request)["self"]},
        )


def _show(call: Call, public_id: UUID) -> dict[str, Any]:
    """How far an upload is."""
    return _as_json(find_upload(call.owner_id, public_id), call.request)


def _delete(call: Call, public_id: UUID) -> None:
    """Away with an upload."""
    delete_upload(find_upload(call.owner_id, public_id))


upload_detail = plain_view(GET=_show, DELETE=_delete)


def _as_json(upload: Upload, request: HttpRequest) -> dict[str, Any]:
    return upload_as_json(upload, counts_of([upload])[upload.pk], request)


@api_view(["POST"])
@query_parameters()
def cancel(request: Request, public_id: UUID) -> Response:
    """Ends the work on an upload; answers that are there stay."""
    upload = find_upload(owner_id(request), public_id)
    cancel_upload(upload)
    return Response(_as_json(upload, request))


@api_view(["POST"])
@query_parameters()
def retry(request: Request, public_id: UUID) -> Response:
    """Looks the failed rows of an upload up again."""
    upload = find_upload(owner_id(request), public_id)
    retry_upload(upload)
    return Response(_as_json(upload, request))
