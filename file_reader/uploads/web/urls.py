"""The addresses of the uploads API."""

from django.urls import path

from uploads.web import documents
from uploads.web.api import postcodes, results, rows, uploads
from uploads.web.internal_key_check import Authenticate

_UPLOAD = "api/v1/uploads/<uuid:public_id>/"

urlpatterns = [
    path("api/v1/uploads/", uploads.UploadList.as_view(), name="uploads"),
    path("api/v1/uploads/preview/", uploads.upload_preview, name="upload-preview"),
    path(_UPLOAD, uploads.upload_detail, name="upload"),
    path(f"{_UPLOAD}cancel/", uploads.cancel, name="upload-cancel"),
    path(f"{_UPLOAD}retry/", uploads.retry, name="upload-retry"),
    path(f"{_UPLOAD}rows/", rows.upload_rows, name="upload-rows"),
    path(f"{_UPLOAD}result.csv", results.result_file, name="upload-result-csv"),
    path("api/v1/rows/", rows.rows, name="rows"),
    path("api/v1/postcodes/<str:postcode>/", postcodes.postcode, name="postcode"),
    path("api/docs/", documents.docs, name="docs"),
    path("internal/schema/", documents.schema, name="schema"),
    path("internal/authenticate/", Authenticate.as_view(), name="authenticate"),
]
