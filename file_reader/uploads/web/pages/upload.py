"""The page of an upload: how far it is, what became of its rows, and what can be done with it."""

import contextlib
import re
from collections.abc import Callable
from itertools import islice
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from rest_framework.exceptions import APIException

from uploads.errors import UploadError
from uploads.files.stored import open_upload
from uploads.models import Upload
from uploads.reading.detecting.dialect import Dialect
from uploads.reading.errors import ReadingError
from uploads.reading.lines import line_blocks
from uploads.rows.bulk.per_call import counts_of, uploads_ahead_of
from uploads.rows.filters import parse_filters
from uploads.rows.pages import RowPages
from uploads.web.api.callers import find_upload
from uploads.web.api.pagination import Page
from uploads.web.api.presenters import upload_as_json
from uploads.web.api.row_presenters import row_as_json
from uploads.web.pages.callers import owner_of, signed_in
from uploads.web.pages.counts import bar_of, lines_of
from uploads.web.pages.words import STAGE_WORDS, STATUS_WORDS, reason_in_words, sentence_of, state_of
from uploads.work.commands import cancel_upload, delete_upload, pause_upload, resume_upload, retry_upload

#: What the rows on the page may be asked for.
_FILTERS = ("status", "reason", "postcode", "bbox", "cursor")
_STAGES = tuple(STAGE_WORDS)
#: What has a location, and so is on the map.
_LAYERS = ("match", "no_match", "failed", "pending")
#: What a result may be downloaded as besides, by the name of its link.
_DOWNLOADS = {"result_xlsx": "Excel", "result_geojson": "GeoJSON", "result_ndjson": "NDJSON"}
#: Of a file that cannot be read: the lines around the fault, and how much of a line.
_LINES_BEFORE, _LINES_AFTER = 2, 1
_LINE_CHARS = 400
#: A cell in quotes, to its closing quote or the end of the line. Two quotes are one that belongs to the cell.
_QUOTED = re.compile(r'"(?:[^"]|"")*(?P<end>"?)')


@gzip_page
@require_safe
@signed_in
def show(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """An upload, whatever its state."""
    upload = _find(request, public_id)
    shown = _shown(upload, request)
    query = {name: request.GET[name].strip() for name in _FILTERS if request.GET.get(name, "").strip()}
    error, rows, page = "", [], None
    try:
        page = Page(request.path, query)
        filters = parse_filters({name: value for name, value in query.items() if name != "cursor"})
        found = page.read(RowPages(filters, owner_id=owner_of(request), upload=upload), id_of=itemgetter("id"))
        rows = [row_as_json(row) for row in found]
    except (UploadError, APIException) as caught:
        error = str(caught)
    for row in rows:
        row["words"] = STATUS_WORDS[row["status"]]
        row["why"] = row["admin_district"] or reason_in_words(row["reason"], upload.max_distance)
    reason = reason_in_words(query.get("reason"), upload.max_distance)
    around = _lines_around(upload, (shown["error"] or {}).get("line"))
    context = {
        "here": "uploads",
        "shown": shown,
        "state": state_of(shown),
        "sentence": sentence_of(shown),
        "stages": _STAGES[: _STAGES.index(shown["state"]) + 1] if shown["state"] in _STAGES else (),
        "stage_words": STAGE_WORDS.items(),
        "downloads": [(word, shown["links"][name]) for name, word in _DOWNLOADS.items() if name in shown["links"]],
        "layers": [
            (status, STATUS_WORDS[status])
            for status in _LAYERS
            if status in ("match", "no_match") or shown["rows"][status]
        ],
        "notices": [{**warning, "again": _again(upload, warning)} for warning in shown["warnings"]],
        "again": _again(upload, shown["error"] or {}),
        "request_id": upload.request_id,
        "reason": reason,
        "is_open": shown["finished_at"] is None,
        "lines": lines_of(shown),
        "bar": bar_of(shown),
        "rows": rows,
        "rows_error": error,
        "page": page,
        "query": query,
        "filtered": query.get("postcode") or reason or STATUS_WORDS.get(query.get("status", ""), ""),
        "is_unfiltered": not query.keys() - {"cursor"},
        "statuses": [(status, word) for status, word in STATUS_WORDS.items() if status != "pending"],
        "around": around,
        "quote": _open_quote(shown["error"] or {}, dict(around)),
    }
    return render(request, "pages/upload.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Asks, then cancels."""
    return _asked(request, public_id, "pages/cancel.html", cancel_upload)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def delete(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Asks, then deletes."""
    return _asked(request, public_id, "pages/delete.html", delete_upload)


@require_POST
@signed_in
def pause(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Nothing more of it is begun."""
    return _done(request, _find(request, public_id), pause_upload)


@require_POST
@signed_in
def resume(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Goes on with it."""
    return _done(request, _find(request, public_id), resume_upload)


@require_POST
@signed_in
def retry(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Looks the failed rows up again."""
    return _done(request, _find(request, public_id), retry_upload)


def _asked(request: HttpRequest, public_id: UUID, template: str, command: Callable[[Upload], None]) -> HttpResponse:
    upload = _find(request, public_id)
    if request.method == "POST":
        return _done(request, upload, command)
    return render(request, template, {"here": "uploads", "shown": _shown(upload, request)})


def _done(request: HttpRequest, upload: Upload, command: Callable[[Upload], None]) -> HttpResponseRedirect:
    """Where somebody else was quicker, the page shows what is now."""
    with contextlib.suppress(UploadError):
        command(upload)
    target = "/" if command is delete_upload else reverse("page-upload", args=[upload.public_id])
    return HttpResponseRedirect(target, status=303)


def _find(request: HttpRequest, public_id: UUID) -> Upload:
    try:
        return find_upload(owner_of(request), public_id)
    except APIException:
        raise Http404 from None


def _shown(upload: Upload, request: HttpRequest) -> dict[str, Any]:
    ahead = uploads_ahead_of([upload]).get(upload.pk)
    return upload_as_json(upload, counts_of([upload])[upload.pk], ahead, request)


def _again(upload: Upload, said: dict[str, Any]) -> str:
    """Where the file is sent again with its settings, and with those that mend what is said of it."""
    return f"/?{urlencode({'again': upload.public_id, **(said.get('fix') or {})})}"


def _lines_around(upload: Upload, line: int | None) -> list[tuple[int, str]]:
    """The lines of the file around the one that could not be read, with their numbers; none for a workbook."""
    dialect = Dialect.from_json(upload.dialect)
    if line is None or dialect.sheet or not upload.filename:
        return []
    first = max(1, line - _LINES_BEFORE)
    try:
        with open_upload(upload.public_id, "") as table:
            lines = (one for block in line_blocks(table, dialect.encoding, cr_ends=dialect.cr_ends) for one in block)
            chosen = list(islice(lines, first - 1, line + _LINES_AFTER))
    except (OSError, ReadingError):
        return []
    return [(number, text.rstrip("\r\n")[:_LINE_CHARS]) for number, text in enumerate(chosen, first)]


def _open_quote(error: dict[str, Any], around: dict[int, str]) -> tuple[str, str] | None:
    """What stands before and behind the quote that is at fault, if one is: it opens on the line of the error, and does
    not close there."""
    text = around.get(error.get("line", 0), "")
    if '"' not in error.get("detail", ""):
        return None
    starts = (cell.start() for cell in _QUOTED.finditer(text) if not cell["end"])
    return next(((text[:at], text[at + 1 :]) for at in starts), None)
