"""What the admins of both services are made of."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # takes none when it runs
    """To look at and to search, not to change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UncountedPaginator(Paginator):  # type: ignore[type-arg] # takes none when it runs
    """Counting millions of rows takes seconds on every page: pages go on as far as the first `counted_rows`."""

    counted_rows = 10_000

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[: self.counted_rows].count()


class FixedOrderList(ChangeList):
    """In the order of its admin, whatever the address says: only that order has an index."""

    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Any]") -> list[Any]:
        return list(self.model_admin.ordering or ())


class LargeTableAdmin(ReadOnlyAdmin):
    """Of a table with millions of rows: no page sorts or counts them."""

    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    list_max_show_all = 0
    list_per_page = 50
    paginator = UncountedPaginator

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FixedOrderList
