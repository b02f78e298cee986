"""The addresses of the uploads API, and of the pages."""

from django.urls import include, path

from uploads.web import documents
from uploads.web.api import postcodes, results, rows, totals, uploads, webhooks
from uploads.web.internal_key_check import Authenticate

_UPLOAD = "api/v1/uploads/<uuid:public_id>/"

urlpatterns = [
    path("api/v1/uploads/", uploads.UploadList.as_view(), name="uploads"),
    path("api/v1/uploads/preview/", uploads.upload_preview, name="upload-preview"),
    path(_UPLOAD, uploads.upload_detail, name="upload"),
    path(f"{_UPLOAD}cancel/", uploads.cancel, name="upload-cancel"),
    path(f"{_UPLOAD}retry/", uploads.retry, name="upload-retry"),
    path(f"{_UPLOAD}pause/", uploads.pause, name="upload-pause"),
    path(f"{_UPLOAD}resume/", uploads.resume, name="upload-resume"),
    path(f"{_UPLOAD}summary/", totals.summary, name="upload-summary"),
    path(f"{_UPLOAD}summary.csv", totals.summary_csv, name="upload-summary-csv"),
    path(f"{_UPLOAD}cells/", totals.cells, name="upload-cells"),
    path(f"{_UPLOAD}rows/", rows.upload_rows, name="upload-rows"),
    path(f"{_UPLOAD}result/", results.result_file, name="upload-result"),
    path(f"{_UPLOAD}result.csv", results.result_file, {"suffix": "csv"}, name="upload-result-csv"),
    path(f"{_UPLOAD}result.ndjson", results.result_file, {"suffix": "ndjson"}, name="upload-result-ndjson"),
    path(f"{_UPLOAD}result.geojson", results.result_file, {"suffix": "geojson"}, name="upload-result-geojson"),
    path(f"{_UPLOAD}result.xlsx", results.result_file, {"suffix": "xlsx"}, name="upload-result-xlsx"),
    path(f"{_UPLOAD}result.parquet", results.result_file, {"suffix": "parquet"}, name="upload-result-parquet"),
    path(f"{_UPLOAD}deliveries/", webhooks.deliveries, name="upload-deliveries"),
    path("api/v1/webhook-secret/", webhooks.webhook_secret, name="webhook-secret"),
    path("api/v1/rows/", rows.rows, name="rows"),
    path("api/v1/stats/", totals.stats, name="stats"),
    path("api/v1/postcodes/<str:postcode>/", postcodes.postcode, name="postcode"),
    path("api/docs/", documents.docs, name="docs"),
    path("internal/schema/", documents.schema, name="schema"),
    path("internal/authenticate/", Authenticate.as_view(), name="authenticate"),
    path("", include("uploads.web.pages.urls")),
]
