"""The addresses of postcode_consumer."""

from django.urls import include, path

from consumer import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api/v1/", include("lookups.urls")),
]
handler404 = "consumer.problems.not_found"
handler500 = "consumer.problems.internal_error"
