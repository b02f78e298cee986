"""`/internal/data/`: where answers come from, for the foot of the pages of file_reader."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from lookups.providers import index_edition


@require_safe
def data(request: HttpRequest) -> JsonResponse:
    """The providers, and the edition of the index where one of them is `local`."""
    edition = index_edition()
    index = None
    if edition is not None:
        index = {"source": edition.source, "postcodes": edition.postcodes, "built_on": edition.built_at.date()}
    return JsonResponse({"provider": settings.PROVIDER, "index": index})
