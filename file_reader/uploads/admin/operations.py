"""Actions that ask back: what would be done, to how many, and what is left out; then each is done and logged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from uploads.errors import UploadError

#: The most that one action is done to; it says so when more were chosen.
MOST_AT_ONCE = 500


@dataclass(frozen=True)
class Operation:
    """Something that people may do to things of one kind."""

    name: str
    verb: str
    done: str
    permission: str
    do: Callable[[Any], None]
    #: Whether its state lets it; asked of the page, while `do` asks again under a lock.
    fits: Callable[[Any], bool]
    #: Such as "3 uploads with 2,134,000 unanswered rows".
    totals: Callable[[Sequence[Any]], str]
    #: What follows, in a sentence.
    consequence: str
    deletes: bool = False


class OperationsMixin(admin.ModelAdmin):
    """An admin with `operations`, each with a right of its own."""

    operations: tuple[Operation, ...] = ()

    def operations_for(self, request: HttpRequest) -> list[Operation]:
        """Those that this user may do."""
        return [one for one in self.operations if request.user.has_perm(f"{self.opts.app_label}.{one.permission}")]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None of Django's own: it deletes without the work engine."""
        return {
            one.name: (partial(_ask_or_do, operation=one), one.name, f"{one.verb}…")
            for one in self.operations_for(request)
        }


def _ask_or_do(
    modeladmin: OperationsMixin, request: HttpRequest, queryset: QuerySet[Any], *, operation: Operation
) -> HttpResponse | None:
    is_confirmed = bool(request.POST.get("confirmed"))
    if is_confirmed:  # those that were asked about, whatever the list is filtered by
        queryset = modeladmin.get_queryset(request).filter(pk__in=request.POST.getlist(helpers.ACTION_CHECKBOX_NAME))
    chosen = list(queryset[: MOST_AT_ONCE + 1])
    if len(chosen) > MOST_AT_ONCE:
        del chosen[MOST_AT_ONCE:]
        modeladmin.message_user(request, f"Only the first {MOST_AT_ONCE:,} are taken at once.", messages.WARNING)
    fitting = [one for one in chosen if operation.fits(one)]
    skipped = [one for one in chosen if not operation.fits(one)]
    if fitting and not is_confirmed:
        context = {
            **modeladmin.admin_site.each_context(request),
            "title": f"{operation.verb} {operation.totals(fitting)}?",
            "opts": modeladmin.opts,
            "operation": operation,
            "fitting": fitting,
            "skipped": skipped,
        }
        return TemplateResponse(request, "admin/confirm_operation.html", context)
    _do(modeladmin, request, operation, fitting, skipped)
    return None


def _do(
    modeladmin: OperationsMixin, request: HttpRequest, operation: Operation, fitting: list[Any], skipped: list[Any]
) -> None:
    done, totals = [], operation.totals(fitting)
    for one in fitting:
        name = str(one)
        try:
            operation.do(one)
        except UploadError as error:  # somebody was quicker
            modeladmin.message_user(request, f"{name}: {error}", messages.WARNING)
        else:
            done.append(one)
            _log(modeladmin, request, operation, one)
    if done:
        modeladmin.message_user(
            request, f"{operation.done}: {totals if len(done) == len(fitting) else operation.totals(done)}.",
            messages.SUCCESS,
        )  # fmt: skip
    if skipped:
        names = ", ".join(str(one) for one in skipped[:10]) + (" and others" if len(skipped) > 10 else "")
        modeladmin.message_user(request, f"Skipped, because their state does not allow it: {names}.", messages.WARNING)


def _log(modeladmin: OperationsMixin, request: HttpRequest, operation: Operation, one: Any) -> None:
    if operation.deletes:
        modeladmin.log_deletions(request, cast(Any, [one]))
    else:
        modeladmin.log_change(request, one, f"{operation.done}.")
