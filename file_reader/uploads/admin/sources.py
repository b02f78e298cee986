"""The admin of sources: where files are looked for, and what became of them. `uploads.admin` takes it in."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from uploads.accepting.ingest import SourceError, check_source, forget_refused
from uploads.addresses import AddressError, check_address
from uploads.errors import OptionError
from uploads.models import Source, SourceFile, SourceKind


class SourceForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            source = Source(**cleaned)
            try:
                if source.kind == SourceKind.ADDRESS:
                    check_address(source.place, settings.WEBHOOK_ALLOWED_HOSTS)
                check_source(source)
            except (AddressError, OptionError, SourceError) as error:
                raise forms.ValidationError(str(error)) from None
        return cleaned


class SourceFileInline(admin.TabularInline):
    model = SourceFile
    fields = ["path", "state", "upload_id", "detail", "seen_at"]
    readonly_fields = ["path", "state", "upload_id", "detail", "seen_at"]
    ordering = ["-seen_at"]
    extra = 0
    max_num = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SourceFile]:
        """The newest ones: a folder may have many thousands."""
        found = super().get_queryset(request)
        newest = found.order_by("-seen_at").values_list("pk", flat=True)
        source = request.resolver_match and request.resolver_match.kwargs.get("object_id")
        return found.filter(pk__in=list(newest.filter(source=source)[:100])) if source else found.none()


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    form = SourceForm
    list_display = ["name", "kind", "place", "owner", "enabled", "looked_at", "due_at", "error"]
    list_select_related = ["owner"]
    ordering = ["name"]
    readonly_fields = ["looked_at", "due_at", "error"]
    inlines = [SourceFileInline]
    actions = ["look_now"]

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change:
            forget_refused(obj)

    @admin.action(description="Look now", permissions=["change"])
    def look_now(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        sources.update(due_at=Now())
        self.message_user(request, "A worker looks in a few seconds.", messages.SUCCESS)
