"""The admin of people: users, their API keys, and the audit log. `uploads.admin` takes it in."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin as UserAdminOfDjango
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from service_kit.admin import LargeTableAdmin
from uploads import audit
from uploads.api_keys import USUAL_SCOPES, delete_key, make_key
from uploads.audit import named
from uploads.models import ApiKey, AuditAction, AuditEntry, Scope, Upload
from uploads.work.commands import delete_user

User = get_user_model()


class KeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, initial=USUAL_SCOPES, widget=forms.CheckboxSelectMultiple, label="It may"
    )

    def clean_ends_at(self) -> datetime | None:
        ends_at: datetime | None = self.cleaned_data["ends_at"]
        if ends_at is not None and ends_at <= timezone.now():
            raise forms.ValidationError("This is over. Leave it empty for a key without an end.")
        return ends_at


@admin.register(ApiKey)
class KeyAdmin(admin.ModelAdmin):
    """API keys. Only a hash is stored: the key itself is shown once, on the page that answers its making."""

    form = KeyForm
    list_display = ["prefix", "name", "user", "may", "created_at", "ends_at", "last_used_at"]
    list_filter = ["user"]
    list_select_related = ["user"]
    search_fields = ["prefix", "name", "user__username"]
    ordering = ["-id"]
    fields = ["user", "name", "scopes", "ends_at"]
    readonly_fields = ["prefix", "may", "created_at", "last_used_at"]

    @admin.display(description="it may")
    def may(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.list_display if obj else self.fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made, obj.text = make_key(obj.user, name=obj.name, scopes=obj.scopes, ends_at=obj.ends_at)
        obj.pk, obj.prefix = made.pk, made.prefix

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Not Django's redirection: the key would have to wait for the next page in a cookie, or in the database."""
        context = {**self.admin_site.each_context(request), "title": "The new API key", "opts": self.opts, "key": obj}
        return TemplateResponse(request, "admin/uploads/apikey/made.html", context)

    def delete_model(self, request: HttpRequest, obj: ApiKey) -> None:
        delete_key(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            delete_key(key)


@admin.register(AuditEntry)
class AuditAdmin(LargeTableAdmin):
    list_display = ["at", "who", "action", "object", "via", "key", "address", "request_id"]
    list_display_links = None
    list_filter = ["action", "via", "at", "user"]
    search_fields = ["object", "key", "address", "request_id"]
    search_help_text = "The id of an upload, the beginning of a key, an address, a request id."
    ordering = ["-id"]
    list_select_related = ["user"]

    @admin.display(empty_value="–")
    def who(self, entry: AuditEntry) -> str | None:
        if entry.user_id is None:
            return None
        return str(entry.user or f"user {entry.user_id}, who was deleted")


admin.site.unregister(User)


@admin.register(User)
class UserAdmin(UserAdminOfDjango):
    """Django's. Who is deleted takes their uploads along."""

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> Any:
        """What goes with these users, in numbers. Django would list every upload, and refuse: nobody may delete those
        in the way that Django knows."""
        users = list(objs)
        counts = {
            "users": len(users),
            "API keys": ApiKey.objects.filter(user__in=users).count(),
            "uploads, with all rows and files": Upload.objects.visible_to(None).filter(owner__in=users).count(),
        }
        return [str(user) for user in users], counts, set(), []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data:
            audit.record(AuditAction.USER_ACTIVE if obj.is_active else AuditAction.USER_INACTIVE, named(obj))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_user(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for user in queryset:
            delete_user(cast(Any, user))
