"""The addresses of the lookups, below /api/v1/."""

from django.urls import path

from lookups.views import ReverseGeocode

urlpatterns = [path("reverse-geocode/", ReverseGeocode.as_view())]
