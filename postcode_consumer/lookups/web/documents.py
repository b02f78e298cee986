"""What the gateway reads about the API."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def schema(request: HttpRequest) -> JsonResponse:
    """`/internal/schema/`: the OpenAPI document of this service. The gateway puts both together."""
    from lookups.web.schema import DOCUMENT  # nobody pays for it before somebody asks

    return JsonResponse(DOCUMENT)
