"""The addresses of lookups and postcodes, below /api/v1/."""

from django.urls import path

from lookups.web.postcodes import postcode
from lookups.web.reverse_geocode import reverse_geocode_view

urlpatterns = [
    path("reverse-geocode/", reverse_geocode_view),
    path("postcodes/<str:postcode>/", postcode),
]
