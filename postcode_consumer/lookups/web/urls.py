"""The addresses of the lookups, below /api/v1/."""

from django.urls import path

from lookups.web.reverse_geocode import ReverseGeocode

urlpatterns = [path("reverse-geocode/", ReverseGeocode.as_view())]
