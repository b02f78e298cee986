"""The addresses of the uploads API."""

from django.urls import path

from uploads.web import internal_key_check as keys
from uploads.web.api import uploads as views

_UPLOAD = "api/v1/uploads/<uuid:public_id>/"

urlpatterns = [
    path("api/v1/uploads/", views.UploadList.as_view(), name="uploads"),
    path("api/v1/uploads/preview/", views.upload_preview, name="upload-preview"),
    path(_UPLOAD, views.UploadDetail.as_view(), name="upload"),
    path(f"{_UPLOAD}cancel/", views.cancel, name="upload-cancel"),
    path(f"{_UPLOAD}retry/", views.retry, name="upload-retry"),
    path(f"{_UPLOAD}rows/", views.upload_rows, name="upload-rows"),
    path(f"{_UPLOAD}result.csv", views.result_file, name="upload-result-csv"),
    path("api/v1/rows/", views.rows, name="rows"),
    path("api/v1/postcodes/<str:postcode>/", views.postcode, name="postcode"),
    path("internal/authenticate/", keys.Authenticate.as_view(), name="authenticate"),
]
