"""What programs and people read about the API: the schema, and the page that shows it."""

from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

_PAGE = Path(__file__).parent / "schema" / "docs.html"


@require_safe
def schema(request: HttpRequest) -> JsonResponse:
    """`/internal/schema/`: the OpenAPI document of this service. The gateway puts both together."""
    from uploads.web.schema.operations import DOCUMENT  # nobody pays for it before somebody asks

    return JsonResponse(DOCUMENT)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """`/api/docs/`: Swagger UI over the gateway's `/api/schema/`. All that it loads is below `/static/`."""
    return HttpResponse(_PAGE.read_bytes())
