"""The addresses of file_reader."""

from django.contrib import admin
from django.urls import include, path

from reader_config import health, metrics, status

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
    path("internal/status/", status.status),
    path("admin/", admin.site.urls),
    path("", include("uploads.web.urls")),
]
handler400 = "service_kit.problems.bad_request"
handler404 = "uploads.web.pages.problems.not_found"
handler500 = "uploads.web.pages.problems.internal_error"
