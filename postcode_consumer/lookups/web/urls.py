"""The addresses of lookups and postcodes, below /api/v1/."""

from django.urls import path

from lookups.web.postcodes import postcode
from lookups.web.reverse_geocode import ReverseGeocode

urlpatterns = [
    path("reverse-geocode/", ReverseGeocode.as_view()),
    path("postcodes/<str:postcode>/", postcode),
]
