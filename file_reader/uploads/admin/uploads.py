"""The admin of uploads: the list, the page of one, and what may be done to them."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from service_kit.admin import ReadOnlyAdmin
from uploads.admin import upload_page as page
from uploads.admin.filters import FailedRowsFilter, StuckFilter
from uploads.admin.operations import Operation, OperationsMixin
from uploads.models import OPEN_STATES, Upload, UploadState
from uploads.progress import Counts, progress_of, rows_per_second_of, waiting_of
from uploads.rows.bulk.per_call import counts_of
from uploads.work.commands import cancel_upload, delete_upload, pause_upload, resume_upload, retry_upload
from uploads.work.in_words import span_in_words
from uploads.work.inspection import Inspection, Table, inspect, with_the_time

#: A mark beside the word, so that a state is seen at a glance, also without colours.
_MARKS = {
    UploadState.RECEIVED: "…",
    UploadState.LOADING: "⇣",
    UploadState.GEOCODING: "▸",
    UploadState.DONE: "✓",
    UploadState.FAILED: "✗",
    UploadState.CANCELLED: "⊘",
}


def _counts(upload: Upload) -> Counts:
    return cast(Counts, page.once(upload, "_counts", lambda: counts_of([upload])[upload.pk]))


def _with_counts(uploads: Sequence[Upload]) -> None:
    for upload, counts in ((one, found[one.pk]) for found in [counts_of(uploads)] for one in uploads):
        upload._counts = counts  # type: ignore[attr-defined]


def _is_open(upload: Upload) -> bool:
    return upload.state in OPEN_STATES and upload.deleted_at is None


def _totals(uploads: Sequence[Upload], which: str, words: str) -> str:
    _with_counts(uploads)
    rows = sum(getattr(_counts(upload), which) for upload in uploads)
    return (
        f"{len(uploads):,} {'upload' if len(uploads) == 1 else 'uploads'} with {rows:,}"
        f" {words} {'row' if rows == 1 else 'rows'}"
    ).replace("  ", " ")


def _can_retry(upload: Upload) -> bool:
    states = (UploadState.DONE, UploadState.FAILED, UploadState.GEOCODING)
    return upload.deleted_at is None and upload.state in states and _counts(upload).failed > 0


OPERATIONS = (
    Operation(
        "pause", "Pause", "Paused", "pause_upload", pause_upload,
        lambda upload: _is_open(upload) and upload.paused_at is None,
        lambda uploads: _totals(uploads, "pending", "unanswered"),
        "Nothing more of them is begun until somebody continues them. What workers have in hand is finished.",
    ),
    Operation(
        "resume", "Continue", "Back in the queue", "resume_upload", resume_upload,
        lambda upload: _is_open(upload) and upload.paused_at is not None,
        lambda uploads: _totals(uploads, "pending", "unanswered"),
        "They take their place in the queue again.",
    ),
    Operation(
        "cancel", "Cancel", "Cancelled", "cancel_upload", cancel_upload, _is_open,
        lambda uploads: _totals(uploads, "pending", "unanswered"),
        "The work on them ends for good. Rows that have their answer keep it.",
    ),
    Operation(
        "retry", "Retry failed rows of", "Put back to work", "retry_upload", retry_upload, _can_retry,
        lambda uploads: _totals(uploads, "failed", "failed"),
        "Their failed rows are asked again. Rows that have an answer keep it.",
    ),
    Operation(
        "delete", "Delete", "Deleted, and listed until workers have removed them", "delete_upload", delete_upload,
        lambda upload: upload.deleted_at is None,
        lambda uploads: _totals(uploads, "read", ""),
        "They are hidden at once and for good. Workers remove their rows and files.",
        deletes=True,
    ),
)  # fmt: skip


class UploadList(ChangeList):
    """Asks for the counts of all uploads of a page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        _with_counts(self.result_list)


@admin.register(Upload)
class UploadAdmin(OperationsMixin, ReadOnlyAdmin):
    list_display = ["filename", "owner", "shown_state", "progress", "read", "matched", "no_match", "failed",
                    "rejected", "pending", "speed", "created_at"]  # fmt: skip
    list_filter = ["state", StuckFilter, FailedRowsFilter, ("owner", admin.RelatedOnlyFieldListFilter)]
    date_hierarchy = "created_at"
    search_fields = ["filename", "public_id", "sha256"]
    search_help_text = "The id, a part of the file's name, the SHA-256 of what was sent."
    ordering = ["-id"]
    list_select_related = ["owner"]
    list_per_page = 50
    list_max_show_all = 0
    operations = OPERATIONS
    fieldsets = [
        ("What happens next", {"fields": ["happens_next", "links"]}),
        ("Rows", {"fields": ["progress", "counts", "why"]}),
        ("The work", {"fields": ["facts", "chunks_by_state", "leases", "again", "broken"]}),
        ("The file", {"fields": ["filename", "owner", "size", "sha256", "dialect", "max_distance",
                                 "rows_swapped", "rows_west", "rows_at_sea", "doubt", "own_postcodes"]}),
        ("History", {"fields": ["history"]}),
    ]  # fmt: skip
    readonly_fields = ["happens_next", "links", "progress", "counts", "why", "facts", "chunks_by_state", "leases",
                       "again", "broken", "history"]  # fmt: skip

    class Media:
        css = {"all": ["operator/admin.css"]}
        js = ["operator/refresh.js"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        """Also those that are deleted, until they are gone."""
        return with_the_time(Upload.objects.select_related("owner"))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UploadList

    # --- the list --------------------------------------------------------------------------------------------------
    @admin.display(description="state", ordering="state")
    def shown_state(self, upload: Upload) -> SafeString:
        mark, words = _MARKS[UploadState(upload.state)], upload.get_state_display()
        if upload.deleted_at:
            mark, words = "✗", "being removed"
        elif upload.paused_at:
            mark, words = "‖", f"{words}, paused"
        elif waiting_of(upload):
            mark, words = "!", f"{words}, waiting"
        elif upload.finished_at and upload.indexed_at is None:
            words = f"{words}, index to come"
        title = "" if upload.waiting_since is None else upload.waiting_detail
        return format_html(
            '<span class="state state-{}" title="{}"><span aria-hidden="true">{}</span> {}</span>',
            upload.state, title, mark, words,
        )  # fmt: skip

    @admin.display(description="progress")
    def progress(self, upload: Upload) -> str:
        share = progress_of(upload, _counts(upload))
        return format_html(
            '<progress max="1" value="{}" aria-label="progress"></progress> {}&nbsp;%', share, f"{share * 100:.1f}"
        )

    @admin.display(description="speed", empty_value="")
    def speed(self, upload: Upload) -> str | None:
        """Rows a second; of what has ended, how long it took."""
        if upload.finished_at and upload.started_at:
            return f"took {span_in_words((upload.finished_at - upload.started_at).total_seconds())}"
        rate = rows_per_second_of(upload, _counts(upload))
        return None if rate is None else f"{rate:,.0f} rows/s"

    @admin.display(description="rows")
    def read(self, upload: Upload) -> str:
        return f"{_counts(upload).read:,}"

    @admin.display(description="match")
    def matched(self, upload: Upload) -> str:
        return f"{_counts(upload).matched:,}"

    @admin.display(description="no match")
    def no_match(self, upload: Upload) -> str:
        return f"{_counts(upload).no_match:,}"

    def failed(self, upload: Upload) -> str:
        return f"{_counts(upload).failed:,}"

    def rejected(self, upload: Upload) -> str:
        return f"{_counts(upload).rejected:,}"

    def pending(self, upload: Upload) -> str:
        return f"{_counts(upload).pending:,}"

    # --- the page of one -------------------------------------------------------------------------------------------
    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        obj._viewer = request.user
        obj._counts = self._inspection(obj).counts
        context["operations"] = [one for one in self.operations_for(request) if one.fits(obj)]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _inspection(self, upload: Upload) -> Inspection:
        return cast(
            Inspection, page.once(upload, "_inspection", lambda: inspect(upload, with_rows=upload.reasons is None))
        )

    @admin.display(description="next")
    def happens_next(self, upload: Upload) -> SafeString:
        return page.happens_next(self._inspection(upload))

    def links(self, upload: Upload) -> SafeString:
        return page.links(upload, _counts(upload), upload._viewer)  # type: ignore[attr-defined]

    def counts(self, upload: Upload) -> SafeString:
        return page.counts_chart(_counts(upload))

    @admin.display(description="reasons")
    def why(self, upload: Upload) -> SafeString:
        return page.reasons_chart(upload, self._inspection(upload))

    def facts(self, upload: Upload) -> SafeString:
        return page.as_html(Table("", (), self._inspection(upload).facts))

    def chunks_by_state(self, upload: Upload) -> SafeString:
        return page.as_html(self._inspection(upload).chunks)

    def leases(self, upload: Upload) -> SafeString:
        return page.as_html(self._inspection(upload).leases)

    @admin.display(description="to be done again")
    def again(self, upload: Upload) -> SafeString:
        return page.as_html(self._inspection(upload).again)

    @admin.display(description="dead and split")
    def broken(self, upload: Upload) -> SafeString:
        return page.as_html(self._inspection(upload).broken)

    def history(self, upload: Upload) -> SafeString:
        return page.history(upload)

    # --- deleting --------------------------------------------------------------------------------------------------
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_there = obj is None or obj.deleted_at is None
        return is_there and request.user.has_perm("uploads.delete_upload")

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        """What goes, in numbers: Django would list every chunk and row."""
        uploads = list(objs)
        _with_counts(uploads)
        counts = {"uploads": len(uploads), "rows": sum(_counts(upload).read for upload in uploads)}
        return [str(upload) for upload in uploads], counts, set(), []

    def delete_model(self, request: HttpRequest, obj: Upload) -> None:
        delete_upload(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        for upload in queryset.filter(deleted_at=None):
            delete_upload(upload)
