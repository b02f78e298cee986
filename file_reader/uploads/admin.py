"""The admin: uploads with their progress, and rows to search; keys and users are in `admin_accounts`.

What only the work engine may write is read-only here: an edit would lie about what happened.
"""

from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

import uploads.admin_accounts  # Django looks for admins in this module only
import uploads.admin_sources
import uploads.admin_webhooks  # noqa: F401
from service_kit.admin import ReadOnlyAdmin, UncountedPaginator
from uploads.errors import RowQueryTimeoutError, UploadError
from uploads.models import STATUS_WORDS, Chunk, Row, Upload
from uploads.progress import Counts, progress_of, waiting_of
from uploads.rows.bulk.per_call import counts_of
from uploads.rows.filters import parse_filters
from uploads.rows.pages import RowPages
from uploads.work.commands import cancel_upload, delete_upload, pause_upload, resume_upload, retry_upload
from uploads.work.inspection import Inspection, Table, inspect_upload, span_of

admin.site.site_header = "Postcodes for coordinate files"
admin.site.site_title = "Postcodes"
admin.site.index_title = "Uploads, rows and keys"
admin.site.site_url = None  # there is no other page to go to

#: The most rows that are shown of a postcode, an outcode or a status.
FOUND_ROWS = 1_000
_STATUS_PARAMETERS = {str(number): word for number, word in STATUS_WORDS.items()}


def _seconds(moment: datetime) -> str:
    return date_format(localtime(moment), "j M H:i:s")


class Paginator(UncountedPaginator):
    counted_rows = 100_000


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    list_display = ["filename", "shown_state", "progress", "read", "matched", "no_match", "failed", "rejected",
                    "pending", "waiting", "with_index", "owner", "created_at"]  # fmt: skip
    list_filter = ["state", "owner", "created_at"]
    search_fields = ["filename", "public_id", "sha256"]
    ordering = ["-id"]
    list_select_related = ["owner"]
    list_per_page = 50
    actions = ["retry", "pause", "resume", "cancel", "delete"]
    fieldsets = [
        ("What happens next", {"fields": ["happens_next"]}),
        ("The work", {"fields": ["facts", "chunks_by_state", "leases", "again", "without_answer"]}),
        (
            "The upload",
            {
                "fields": [
                    "owner",
                    "sha256",
                    "dialect",
                    "max_distance",
                    "rows_swapped",
                    "rows_west",
                    "rows_at_sea",
                    "doubt",
                ]
            },
        ),
    ]
    readonly_fields = ["happens_next", "facts", "chunks_by_state", "leases", "again", "without_answer"]

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Who may act on uploads: those to whom the admin gave "Can change upload"."""
        return request.user.has_perm("uploads.change_upload")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        """Also those that are deleted, until they are gone."""
        return Upload.objects.all()

    @admin.display(description="state", ordering="state")
    def shown_state(self, upload: Upload) -> str:
        if upload.deleted_at:
            return "being removed"
        return f"{upload.get_state_display()}, paused" if upload.paused_at else upload.get_state_display()

    @admin.display(description="progress")
    def progress(self, upload: Upload) -> str:
        share = progress_of(upload, self._counts(upload))
        return format_html(
            '<progress max="1" value="{}" aria-label="progress"></progress> {}&nbsp;%', share, f"{share * 100:.1f}"
        )

    @admin.display(description="waiting for answers", empty_value="")
    def waiting(self, upload: Upload) -> str | None:
        waiting = waiting_of(upload)
        if waiting is None:
            return None
        return f"since {_seconds(waiting['since'])}: {waiting['detail']}"

    @admin.display(description="index", boolean=True)
    def with_index(self, upload: Upload) -> bool:
        """Whether its rows are looked up, and not walked through."""
        return upload.indexed_at is not None

    def _counts(self, upload: Upload) -> Counts:
        # One question a row of the list, not one for each of its columns.
        if not hasattr(upload, "_counts"):
            upload._counts = counts_of([upload])[upload.pk]  # type: ignore[attr-defined]
        return cast(Counts, upload._counts)  # type: ignore[attr-defined]

    def read(self, upload: Upload) -> int:
        return self._counts(upload).read

    def matched(self, upload: Upload) -> int:
        return self._counts(upload).matched

    def no_match(self, upload: Upload) -> int:
        return self._counts(upload).no_match

    def failed(self, upload: Upload) -> int:
        return self._counts(upload).failed

    def rejected(self, upload: Upload) -> int:
        return self._counts(upload).rejected

    def pending(self, upload: Upload) -> int:
        return self._counts(upload).pending

    def _inspection(self, upload: Upload) -> Inspection:
        # Looked at once a page, so that all parts of it are of one moment.
        if not hasattr(upload, "_inspection"):
            upload._inspection = inspect_upload(upload.pk)  # type: ignore[attr-defined]
        return cast(Inspection, upload._inspection)  # type: ignore[attr-defined]

    @admin.display(description="next")
    def happens_next(self, upload: Upload) -> SafeString:
        return format_html_join(mark_safe("<br>"), "{}", ((said,) for said in self._inspection(upload).next))

    def facts(self, upload: Upload) -> SafeString:
        return _as_html(Table("", (), self._inspection(upload).facts))

    def chunks_by_state(self, upload: Upload) -> SafeString:
        path = f"{reverse('admin:uploads_chunk_changelist')}?upload={upload.pk}"
        link = format_html('<p><a href="{}">All chunks of this upload</a></p>', path)
        return _as_html(self._inspection(upload).chunks) + link

    def leases(self, upload: Upload) -> SafeString:
        return _as_html(self._inspection(upload).leases)

    @admin.display(description="to be done again")
    def again(self, upload: Upload) -> SafeString:
        return _as_html(self._inspection(upload).again)

    @admin.display(description="rows without an answer")
    def without_answer(self, upload: Upload) -> SafeString:
        return _as_html(self._inspection(upload).unanswered)

    @admin.action(description="Retry the failed rows", permissions=["operate"])
    def retry(self, request: HttpRequest, uploads: QuerySet[Upload]) -> None:
        self._each(request, uploads, retry_upload, "put back to work")

    @admin.action(description="Pause", permissions=["operate"])
    def pause(self, request: HttpRequest, uploads: QuerySet[Upload]) -> None:
        self._each(request, uploads, pause_upload, "paused")

    @admin.action(description="Resume", permissions=["operate"])
    def resume(self, request: HttpRequest, uploads: QuerySet[Upload]) -> None:
        self._each(request, uploads, resume_upload, "back in the queue")

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, uploads: QuerySet[Upload]) -> None:
        self._each(request, uploads, cancel_upload, "cancelled")

    @admin.action(description="Delete with all rows", permissions=["operate"])
    def delete(self, request: HttpRequest, uploads: QuerySet[Upload]) -> None:
        self._each(request, uploads, delete_upload, "deleted; it is listed until its rows and its file are gone")

    def _each(self, request: HttpRequest, uploads: QuerySet[Upload], what: Any, done: str) -> None:
        for upload in uploads.filter(deleted_at=None):
            try:
                what(upload)
            except UploadError as error:
                self.message_user(request, f"{upload.filename}: {error}", messages.WARNING)
            else:
                self.message_user(request, f"{upload.filename}: {done}.", messages.SUCCESS)


def _as_html(table: Table) -> SafeString:
    if not table.lines:
        return SafeString("none")
    lines = [
        (format_html_join("", f"<{tag}>{{}}</{tag}>", ((cell,) for cell in cells)),)
        for tag, cells in [("th", table.columns)] * bool(table.columns) + [("td", cells) for cells in table.lines]
    ]
    return format_html("<table>{}</table>{}", format_html_join("", "<tr>{}</tr>", lines), table.note)


@admin.register(Chunk)
class ChunkAdmin(ReadOnlyAdmin):
    list_display = ["of_upload", "rows", "state", "attempts", "leased_until", "due", "matched", "no_match",
                    "failed", "rejected"]  # fmt: skip
    list_filter = ["state"]
    ordering = ["id"]
    list_display_links = ["rows"]
    show_facets = admin.ShowFacets.NEVER
    list_select_related = ["upload"]
    show_full_result_count = False
    paginator = Paginator

    @admin.display(description="upload", ordering="upload")
    def of_upload(self, chunk: Chunk) -> SafeString:
        path = reverse("admin:uploads_upload_change", args=[chunk.upload_id])
        return format_html('<a href="{}">{}</a>', path, chunk.upload)

    @admin.display(ordering="id")
    def rows(self, chunk: Chunk) -> str:
        return span_of(chunk)

    @admin.display(description="lease until", empty_value="")
    def leased_until(self, chunk: Chunk) -> str | None:
        return _seconds(chunk.lease_until) if chunk.lease_until else None

    @admin.display(description="due at")
    def due(self, chunk: Chunk) -> str:
        return _seconds(chunk.due_at)


@admin.register(Row)
class RowAdmin(ReadOnlyAdmin):
    list_display = ["number", "upload", "latitude", "longitude", "status", "reason", "postcode", "distance_m"]
    list_filter = ["status"]
    search_fields = ["postcode"]
    search_help_text = "A whole postcode (SW1A 1AA), or an outcode (SW1A)."
    ordering = ["id"]
    list_select_related = ["upload"]
    show_full_result_count = False
    paginator = Paginator
    fields = ["number", "upload", "line", "latitude", "longitude", "status", "reason", "postcode", "distance_m", "raw"]

    @admin.display(description="row", ordering="id")
    def number(self, row: Row) -> int:
        return row.number

    def get_search_results(self, request: HttpRequest, rows: QuerySet[Row], text: str) -> tuple[QuerySet[Row], bool]:
        """What is sought, or has a status, is found as the API finds it: a condition in SQL would look at every row."""
        parameters = {}
        if text := text.strip().upper():
            parameters["outcode" if len(text.replace(" ", "")) <= 4 else "postcode"] = text
        if word := _STATUS_PARAMETERS.get(request.GET.get("status__exact", "")):
            parameters["status"] = word
        if not parameters:
            return rows, False
        try:
            found = RowPages(parse_filters(parameters)).page(None, FOUND_ROWS + 1)
        except RowQueryTimeoutError as error:
            self.message_user(request, str(error), messages.WARNING)
            return rows.none(), False
        if len(found) > FOUND_ROWS:
            self.message_user(request, f"Only the first {FOUND_ROWS:,} of these rows are shown.", messages.INFO)
        return rows.filter(pk__in=[row["id"] for row in found[:FOUND_ROWS]]), False
