"""The addresses of postcode_consumer."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from consumer_config import health, metrics, status
from lookups.web import data, documents, upstream

_ADMIN = settings.ADMIN_PATH.strip("/")

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
    path("internal/status/", status.status),
    path(_ADMIN, RedirectView.as_view(url=settings.ADMIN_PATH)),
    path(f"{_ADMIN}/", admin.site.urls),
    path("api/v1/", include("lookups.web.urls")),
    path("internal/schema/", documents.schema),
    path("internal/data/", data.data),
    path("internal/upstream/", upstream.upstream),
    path("internal/upstream/pause/", upstream.pause),
    path("internal/upstream/close-breaker/", upstream.close_breaker),
]
handler400 = "service_kit.problems.bad_request"
handler404 = "service_kit.problems.not_found"
handler500 = "service_kit.problems.internal_error"
