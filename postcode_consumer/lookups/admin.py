"""The admin: what is known about locations and postcodes, to search and to forget, and the limits upstream.

Only lookups write here: an edit would be a lie. What is forgotten is asked upstream again when somebody wants it.
"""

import re
import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import date_format

from lookups.memory.known_locations import forget, forget_postcodes
from lookups.models import KnownLocation, Limiter, Postcode
from lookups.providers.postcodes_io.search import PostcodesIo
from service_kit.admin import LargeTableAdmin, ReadOnlyAdmin, UncountedPaginator

admin.site.site_header = "Lookups"
admin.site.site_title = "Lookups"
admin.site.index_title = "Known locations, postcodes and limits"
admin.site.site_url = None  # there is no other page to go to

_DAY = 86_400
_COORDINATES = re.compile(r"\s*(-?[0-9.]+)\s*[,;\s]\s*(-?[0-9.]+)\s*")


class ForgettingAdmin(LargeTableAdmin):
    """Also to forget: what is selected on a page, or everything that the filter and the search select."""

    actions = ["forget"]

    def forget_all(self, selected: QuerySet[Any]) -> int:
        """How many of them were forgotten."""
        return forget(selected)

    def has_forget_permission(self, request: HttpRequest) -> bool:
        """Those to whom the admin gave "Can delete …"."""
        return super(admin.ModelAdmin, self).has_delete_permission(request)

    @admin.action(description="Forget, ask again when wanted", permissions=["forget"])
    def forget(self, request: HttpRequest, selected: QuerySet[Any]) -> HttpResponse | None:
        """Asks back, then forgets."""
        if request.POST.get("confirmed"):
            count = self.forget_all(selected)
            self.message_user(request, f"Forgotten: {count:,} {self.opts.verbose_name_plural}.", messages.SUCCESS)
            if selected.exists():
                self.message_user(request, "There are more of them. Forget them once more.", messages.WARNING)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Forget?",
            "opts": self.opts,
            "count": UncountedPaginator(selected, 1).count,
            "counted": UncountedPaginator.counted_rows,
            "is_all": request.POST.get("select_across") == "1",
            "keys": request.POST.getlist("_selected_action"),
        }
        return TemplateResponse(request, "admin/lookups/forget.html", context)


class ProviderFilter(admin.SimpleListFilter):
    """Without looking through the table for the names that it has."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(PostcodesIo.name, PostcodesIo.name)]

    def queryset(self, request: HttpRequest, locations: QuerySet[Any]) -> QuerySet[Any]:
        return locations.filter(provider=self.value()) if self.value() else locations


class StatusFilter(admin.SimpleListFilter):
    """With a postcode, or without one as far as was looked."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("match", "match"), *((reach, f"none within {int(reach):,} m") for reach in ("100", "2000", "20000"))]

    def queryset(self, request: HttpRequest, locations: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "match":
            return locations.filter(postcode__isnull=False)
        if value in ("100", "2000", "20000"):
            return locations.filter(postcode__isnull=True, searched_m=int(value))
        return locations


class AgeFilter(admin.SimpleListFilter):
    """Since when it is known, and whether it is still used."""

    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("1", "up to a day"),
            ("-7", "over 7 days"),
            ("-30", "over 30 days"),
            ("stale", "stale: asked again when wanted"),
        ]

    def queryset(self, request: HttpRequest, locations: QuerySet[Any]) -> QuerySet[Any]:
        now = int(time.time())
        match self.value():
            case "1":
                return locations.filter(looked_up_at__gt=now - _DAY)
            case "-7" | "-30" as days:
                return locations.filter(looked_up_at__lte=now + int(days) * _DAY)
            case "stale":
                return locations.filter(
                    Q(looked_up_at__lte=now - settings.CACHE_TTL)
                    | Q(looked_up_at__lte=now - settings.CACHE_TTL_MISSES, postcode__isnull=True)
                )
        return locations


@admin.register(KnownLocation)
class KnownLocationAdmin(ForgettingAdmin):
    list_display = ["location", "postcode", "distance_m", "searched", "provider", "looked_up", "is_fresh"]
    list_filter = [ProviderFilter, StatusFilter, AgeFilter]
    search_fields = ["postcode"]
    search_help_text = (
        "A whole postcode (SW1A 1AA), an outcode (SW1A), or the latitude and longitude, as they were sent."
    )
    ordering = ["-id"]
    fields = ["provider", "latitude", "longitude", "postcode", "distance_m", "searched", "looked_up", "is_fresh"]

    @admin.display(description="location")
    def location(self, known: KnownLocation) -> str:
        return str(known)

    @admin.display(description="searched within")
    def searched(self, known: KnownLocation) -> str:
        return f"{known.searched_m:,} m"

    @admin.display(description="looked up (UTC)")
    def looked_up(self, known: KnownLocation) -> str:
        return _moment(known.looked_up_at)

    @admin.display(description="is used", boolean=True)
    def is_fresh(self, known: KnownLocation) -> bool:
        ttl = settings.CACHE_TTL_MISSES if known.postcode is None else settings.CACHE_TTL
        return bool(known.looked_up_at > time.time() - ttl)

    def get_search_results(
        self, request: HttpRequest, locations: QuerySet[KnownLocation], text: str
    ) -> tuple[QuerySet[KnownLocation], bool]:
        if coordinates := _COORDINATES.fullmatch(text):
            try:
                latitude, longitude = float(coordinates[1]), float(coordinates[2])
            except ValueError:
                return locations.none(), False
            return locations.filter(latitude=latitude, longitude=longitude), False
        postcodes = _postcodes(text)
        return (locations if postcodes is None else locations.filter(postcode__in=postcodes.values("postcode"))), False


@admin.register(Postcode)
class PostcodeAdmin(ForgettingAdmin):
    list_display = ["postcode", "country", "region", "admin_district", "admin_ward", "latitude", "longitude"]
    search_fields = ["postcode"]
    search_help_text = "A whole postcode (SW1A 1AA), or an outcode (SW1A). Its locations are forgotten with it."
    ordering = ["postcode"]

    def forget_all(self, selected: QuerySet[Any]) -> int:
        return forget_postcodes(selected)

    def get_search_results(
        self, request: HttpRequest, postcodes: QuerySet[Postcode], text: str
    ) -> tuple[QuerySet[Postcode], bool]:
        found = _postcodes(text)
        return (postcodes if found is None else postcodes.filter(pk__in=found.values("pk"))), False


@admin.register(Limiter)
class LimiterAdmin(ReadOnlyAdmin):
    list_display = ["name", "breaker", "next_call", "paused", "seen"]
    fields = ["name", "breaker", "next_call", "paused", "seen"]

    @admin.display(description="circuit breaker")
    def breaker(self, limiter: Limiter) -> str:
        return "open: it does not work" if limiter.silence else "closed"

    @admin.display(description="next call may be made at (UTC)")
    def next_call(self, limiter: Limiter) -> str:
        return _moment(limiter.free_at)

    @admin.display(description="silent until (UTC)", empty_value="–")
    def paused(self, limiter: Limiter) -> str | None:
        return _moment(limiter.paused_until) if limiter.paused_until else None

    @admin.display(description="last used (UTC)")
    def seen(self, limiter: Limiter) -> str:
        return _moment(limiter.seen_at)


def _postcodes(text: str) -> QuerySet[Postcode] | None:
    """Those that somebody means with this text; None when there is no text."""
    compact = re.sub(r"\s", "", text).upper()
    if not compact:
        return None
    if len(compact) <= 4:
        return Postcode.objects.filter(outcode=compact)
    return Postcode.objects.filter(postcode=f"{compact[:-3]} {compact[-3:]}")


def _moment(seconds: float) -> str:
    return date_format(datetime.fromtimestamp(seconds, UTC), "j M Y H:i:s")
