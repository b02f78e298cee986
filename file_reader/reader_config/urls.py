"""The addresses of file_reader."""

from django.contrib import admin
from django.urls import include, path

from reader_config import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
    path("", include("uploads.web.urls")),
]
handler400 = "reader_config.problems.bad_request"
handler404 = "reader_config.problems.not_found"
handler500 = "reader_config.problems.internal_error"
