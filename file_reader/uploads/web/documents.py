"""What programs and people read about the API: the schema, and the page that shows it."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def schema(request: HttpRequest) -> JsonResponse:
    """`/internal/schema/`: the OpenAPI document of this service. The gateway puts both together."""
    from uploads.web.schema.operations import DOCUMENT  # nobody pays for it before somebody asks

    return JsonResponse(DOCUMENT)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """`/api/docs/`: Swagger UI over the gateway's `/api/schema/`. All that it loads is below `/static/`."""
    return render(request, "docs.html")
