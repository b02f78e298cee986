"""The parts of the page of one upload: all of one moment, and all to look at."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from uploads.admin.charts import bars
from uploads.models import AuditEntry, RowStatus, Upload
from uploads.progress import Counts
from uploads.work.inspection import Inspection, Table

#: The most entries of the audit log that a history has, and the most reasons that are drawn.
_ENTRIES = 50
_REASONS = 15
_COUNTED = (
    ("match", "matched", RowStatus.MATCH), ("no match", "no_match", RowStatus.NO_MATCH),
    ("failed", "failed", RowStatus.FAILED), ("rejected", "rejected", RowStatus.REJECTED),
    ("pending", "pending", RowStatus.PENDING),
)  # fmt: skip


def as_html(table: Table) -> SafeString:
    if not table.lines:
        return SafeString("none")
    rows = [
        (format_html_join("", f"<{tag}>{{}}</{tag}>", ((cell,) for cell in cells)),)
        for tag, cells in [("th", table.columns)] * bool(table.columns) + [("td", cells) for cells in table.lines]
    ]
    return format_html("<table>{}</table>{}", format_html_join("", "<tr>{}</tr>", rows), table.note)


def shown_moment(moment: datetime) -> str:
    return date_format(localtime(moment), "j M Y H:i:s")


def happens_next(inspection: Inspection) -> SafeString:
    return format_html_join(mark_safe("<br>"), "{}", ((said,) for said in inspection.next))


def counts_chart(counts: Counts) -> SafeString:
    """How many rows have which result."""
    values = [(label, getattr(counts, field), f"series-{field}") for label, field, _ in _COUNTED]
    return bars("Rows", values) or SafeString("no rows")


def reasons_chart(upload: Upload, inspection: Inspection) -> SafeString:
    """Why rows have no postcode: of all rows once they are indexed, until then of the first ones."""
    if upload.reasons is None:
        return as_html(inspection.unanswered)
    found = [
        (f"{status}: {reason}", rows, f"series-{status}")
        for status, reasons in upload.reasons.items()
        for reason, rows in reasons.items()
    ]
    found.sort(key=lambda one: -one[1])
    drawn = bars("Rows without a postcode, by reason", found[:_REASONS]) or SafeString("none")
    left = f"and {len(found) - _REASONS:,} more reasons" if len(found) > _REASONS else ""
    return format_html("{}{}", drawn, left)


def history(upload: Upload) -> SafeString:
    """What became of it, and who did what to it; the earliest first."""
    moments: list[tuple[datetime | None, str, str]] = [
        (upload.created_at, "accepted", ""),
        (upload.started_at, "loading began", upload.worker and f"loaded by {upload.worker}"),
        (upload.waiting_since, "waiting", upload.waiting_detail),
        (upload.finished_at, f"ended: {upload.state}", ""),
        (upload.indexed_at, "row index written", ""),
        (upload.deleted_at, "deleted", "workers remove its rows and its file"),
    ]
    entries = list(AuditEntry.objects.filter(object=str(upload.public_id)).order_by("-id")[:_ENTRIES])
    names = _names({entry.user_id for entry in entries if entry.user_id})
    for entry in entries:
        who = names.get(entry.user_id, "") if entry.user_id else ""
        moments.append((entry.at, entry.get_action_display(), f"{who or 'somebody'}, by the {entry.get_via_display()}"))
    lines = sorted((moment, what, more) for moment, what, more in moments if moment)
    return as_html(
        Table("", ("when", "what", "more"), [(shown_moment(moment), what, more) for moment, what, more in lines])
    )


def _names(user_ids: set[int]) -> dict[int | None, str]:
    if not user_ids:
        return {}
    return dict(get_user_model().objects.filter(pk__in=user_ids).values_list("pk", "username"))


def links(upload: Upload, counts: Counts, user: Any) -> SafeString:
    """Where to go from here, as far as this user may."""
    rows, chunks = reverse("admin:uploads_row_changelist"), reverse("admin:uploads_chunk_changelist")
    found: list[tuple[str, str]] = []
    if user.has_perm("uploads.view_row"):
        found.append((f"{rows}?upload={upload.pk}", f"Rows ({counts.read:,})"))
        found += [
            (f"{rows}?upload={upload.pk}&status={status.value}", f"{label} ({number:,})")
            for label, field, status in _COUNTED
            if (number := getattr(counts, field))
        ]
    if user.has_perm("uploads.view_chunk"):
        found.append((f"{chunks}?upload={upload.pk}", "Chunks"))
    # Pages and results are their owner's.
    if upload.deleted_at is None and (settings.AUTH == "off" or upload.owner_id == user.pk):
        found.append((f"/uploads/{upload.public_id}/", "Public page"))
        found.append((f"/api/v1/uploads/{upload.public_id}/result.csv", "Result file"))
    return format_html_join(mark_safe(" · "), '<a href="{}">{}</a>', found)


def once(thing: Any, name: str, make: Callable[[], Any]) -> Any:
    """What was made for this object before, or is made now: all parts of a page are of one moment."""
    if not hasattr(thing, name):
        setattr(thing, name, make())
    return getattr(thing, name)
