"""The first page: a file or one location is sent, uploads are listed."""

from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from service_kit.query_parameters import Values
from uploads.accepting.options import OPTIONS, kept_options
from uploads.models import Upload
from uploads.rows.bulk.per_call import counts_of
from uploads.web.api.pagination import NewestFirst, Page
from uploads.web.api.presenters import upload_as_json
from uploads.web.arriving import preview_of, upload_from
from uploads.web.errors import problem_response
from uploads.web.pages.callers import owner_of, signed_in
from uploads.web.pages.location import look_up
from uploads.web.pages.previewed import previewed
from uploads.web.pages.sent_settings import Settings
from uploads.web.pages.words import duration, seconds_between, state_of

_UPLOADS_ON_A_PAGE = "20"
_EXAMPLE = Path(__file__).with_name("example.csv")


# The gateway has checked that a page of its own sends this. The token in a form would be found only by reading all of
# the body, and the file is in it.
@csrf_exempt
@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def home(request: HttpRequest) -> HttpResponseBase:
    """`POST` takes a file, as the API does, and leads to its page. `?again=` names an upload whose file is to be sent
    again: its settings are filled in, and those beside it, which mend them."""
    if request.method != "POST":
        before = _upload_before(request)
        said = {} if before is None else {**(before.options or {}), **kept_options(request.GET.dict())}
        return _home(request, said, again=before)
    given = Values("option", OPTIONS)
    try:
        upload = upload_from(request, owner_of(request), given)
    except Exception as error:
        if (problem := problem_response(error)) is None:
            raise
        return _home(request, kept_options(given), problem=problem.data, status=problem.status_code)
    return HttpResponseRedirect(reverse("page-upload", args=[upload.public_id]), status=303)


@csrf_exempt  # as above
@gzip_page
@require_POST
@signed_in
def preview(request: HttpRequest) -> HttpResponseBase:
    """How the beginning of a file would be read: the middle of a page, for the script that sends it."""
    try:
        filename, dialect, shown = preview_of(request)
    except Exception as error:
        if (problem := problem_response(error)) is None:
            raise
        context = {"problem": problem.data, "filename": request.GET.get("filename", "")}
        return render(request, "pages/preview.html", context, status=problem.status_code)
    return render(request, "pages/preview.html", previewed(filename, dialect, shown, request.GET.dict()))


@require_safe
def example(request: HttpRequest) -> HttpResponse:
    """A file to try it with."""
    return HttpResponse(_EXAMPLE.read_bytes(), content_type="text/csv; charset=utf-8")


def _upload_before(request: HttpRequest) -> Upload | None:
    try:
        public_id = UUID(request.GET.get("again", ""))
    except ValueError:
        return None
    return Upload.objects.visible_to(owner_of(request)).filter(public_id=public_id).first()


def _home(
    request: HttpRequest,
    said: Mapping[str, str],
    *,
    again: Upload | None = None,
    problem: Any = None,
    status: int = 200,
) -> HttpResponse:
    cursor = {"cursor": request.GET["cursor"]} if "cursor" in request.GET else {}
    page = Page("/", {"page_size": _UPLOADS_ON_A_PAGE, **cursor})
    uploads = page.read(NewestFirst(Upload.objects.visible_to(owner_of(request))), id_of=attrgetter("pk"))
    counts = counts_of(uploads)
    shown = [upload_as_json(upload, counts[upload.pk], None, request) for upload in uploads]
    location = request.GET.get("location", "").strip()
    context = {
        "here": "uploads",
        "uploads": [
            {
                "shown": one,
                "state": state_of(one),
                "took": duration(seconds_between(one["started_at"], one["finished_at"])),
            }
            for one in shown
        ],
        "page": page,
        "problem": problem,
        "again": again,
        "settings": Settings(said),
        "looked": look_up(location) if location else None,
        "max_bytes": settings.MAX_UPLOAD_BYTES,
        "keep_days": settings.UPLOAD_KEEP_DAYS,
    }
    return render(request, "pages/home.html", context, status=status)
