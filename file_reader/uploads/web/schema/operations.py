"""Every operation of the uploads API: what it takes, answers and refuses. A new address needs its few lines here.

The numbers are those of the code, not copies. `/internal/schema/` imports this when it is asked, and nobody else does.
"""

from service_kit.openapi import (
    Json,
    answer,
    content,
    document,
    number,
    operation,
    parameter,
    ref,
    struct,
    text,
    typed,
)
from uploads.accepting.options import DEFAULT_MAX_DISTANCE, MAX_MAX_DISTANCE, OPTIONS
from uploads.accepting.request_body import FILE_TYPES
from uploads.reading.coordinates import Notation
from uploads.rows.filters import MAX_RADIUS
from uploads.web.api.pagination import LARGEST_SIZE, SIZE
from uploads.web.schema.examples import POSTCODE, PREVIEW, ROWS, UPLOAD, UPLOADS
from uploads.web.schema.schemas import SCHEMAS, STATUSES

_DATABASE = "database-unavailable"
_ID = parameter("id", text("The upload's.", format="uuid"), where="path")
_NUMBER = r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*"
_PAGES = [
    parameter("cursor", text("Of `next` or `previous` of another page; do not make one.")),
    parameter("page_size", typed("integer", minimum=1, maximum=LARGEST_SIZE, default=SIZE)),
]
_FILTERS = [
    parameter("status", text(enum=STATUSES)),
    parameter("postcode", text("Spaced in any way.", example="SW1A1AA")),
    parameter("outcode", text(example="SW1A")),
    parameter("admin_district", text("The whole name.", example="Westminster")),
    parameter("country", text("The whole name.", example="England")),
    parameter(
        "bbox",
        text(
            "`minlon,minlat,maxlon,maxlat`, in degrees.",
            pattern=f"^({_NUMBER}(,{_NUMBER}){{3}})?$",
            example="-0.2,51.4,-0.1,51.6",
        ),
    ),
    parameter(
        "near",
        text(
            "`latitude,longitude`, in degrees; always with `radius`.",
            pattern=f"^{_NUMBER},{_NUMBER}$",
            example="51.5,-0.14",
        ),
    ),
    parameter(
        "radius",
        number("Metres; always with `near`.", minimum=0, exclusiveMinimum=True, maximum=MAX_RADIUS, example=1000),
    ),
]
_ROW_PROBLEMS = {400: "invalid-parameter", 503: f"row-query-too-slow {_DATABASE}"}

#: The options of an upload, as the query has them and as the form has them.
_COLUMN = "A name from the header, or a column number from 1. Of {}s and {}s: the {}."
_OPTIONS: Json = {
    "latitude": text(_COLUMN.format("easting", "northing", "northing")),
    "longitude": text(_COLUMN.format("easting", "northing", "easting")),
    "has_header": text(enum=["true", "1", "yes", "false", "0", "no"]),
    "delimiter": text(enum=["comma", "semicolon", "tab", "pipe", ",", ";", "\t", "|"]),
    "encoding": text("`utf-8`, `utf-16`, `windows-1252`, `iso-8859-1` and their like."),
    "decimal": text(enum=[".", ","]),
    "coordinates": text(enum=[*Notation]),
    "sheet": text(
        "Of an Excel workbook: a sheet's name, its number from 1 among the visible ones, or `*`.", maxLength=100
    ),
    "max_distance": number(
        "Metres.", minimum=0, exclusiveMinimum=True, maximum=MAX_MAX_DISTANCE, default=DEFAULT_MAX_DISTANCE
    ),
    "filename": text("As answers show it."),
}
_IN_QUERY = [parameter(name, _OPTIONS[name]) for name in OPTIONS]
_FORM = struct("The file and its options.", file=text("The file.", format="binary"))
_FORM["properties"] |= _OPTIONS
_FILE = content(_FORM, "multipart/form-data") | content(
    text("The file itself.", format="binary"), *sorted(kind.decode() for kind in FILE_TYPES)
)
_HOW_IT_IS_SENT = [
    parameter("Content-Encoding", text("How the body is packed.", enum=["identity", "gzip", "x-gzip"]), where="header"),
    parameter(
        "Content-Digest",
        text("Of the body as it is sent (RFC 9530): `sha-256=:…:` or `sha-512=:…:`."),
        where="header",
    ),
]
_BAD_FILE = {
    400: "invalid-option invalid-parameter malformed-form body-cut-short digest-mismatch",
    413: "upload-too-large body-too-large",
    415: "unsupported-media-type unsupported-file",
    422: "unreadable-archive empty-file columns-not-found unreadable-file reading-doubtful",
    503: f"{_DATABASE} backlog-full",
    507: "storage-full disk-nearly-full",
}
_AN_UPLOAD = content(ref("Upload"), upload=UPLOAD)
_NONE_OF_YOURS = {400: "invalid-parameter", 404: "not-found", 503: _DATABASE}

_BASE = "/api/v1/uploads/"
_ONE = f"{_BASE}{{id}}/"
PATHS: Json = {
    _BASE: {
        "get": operation(
            "list_uploads",
            "Your uploads, newest first",
            {200: answer("A page of them.", content(ref("UploadPage"), uploads=UPLOADS))},
            parameters=_PAGES,
            problems={400: "invalid-parameter", 503: _DATABASE},
        ),
        "post": operation(
            "create_upload",
            "Takes a file",
            {202: answer("The upload.", _AN_UPLOAD, Location=text("Its address.", format="uri"))},
            description="Options stand in the query or in the form; none is required.",
            parameters=[
                *_IN_QUERY,
                parameter(
                    "Idempotency-Key",
                    text("Sending the same again gives the upload that is there.", minLength=1, maxLength=255),
                    where="header",
                ),
                *_HOW_IT_IS_SENT,
            ],
            body=_FILE,
            problems=_BAD_FILE
            | {409: "upload-in-flight", 422: f"{_BAD_FILE[422]} idempotency-key-reused", 429: "quota-exceeded"},
        ),
    },
    f"{_BASE}preview/": {
        "post": operation(
            "preview_upload",
            "What would be read from a file; nothing is stored",
            {200: answer("The first rows, and what was found out.", content(ref("Preview"), preview=PREVIEW))},
            parameters=[*_IN_QUERY, *_HOW_IT_IS_SENT],
            body=_FILE,
            problems=_BAD_FILE,
        ),
    },
    _ONE: {
        "get": operation(
            "get_upload",
            "An upload: its state, counts and progress",
            {200: answer("The upload.", _AN_UPLOAD)},
            parameters=[_ID],
            problems=_NONE_OF_YOURS,
        ),
        "delete": operation(
            "delete_upload",
            "Hides an upload at once and for good",
            {204: answer("It is gone; a worker removes its rows and its file.")},
            parameters=[_ID],
            problems=_NONE_OF_YOURS,
        ),
    },
    f"{_ONE}cancel/": {
        "post": operation(
            "cancel_upload",
            "Ends the work; answers that are there stay",
            {200: answer("The upload.", _AN_UPLOAD)},
            parameters=[_ID],
            problems=_NONE_OF_YOURS | {409: "upload-has-ended"},
        ),
    },
    f"{_ONE}retry/": {
        "post": operation(
            "retry_upload",
            "Puts the failed rows back to work",
            {200: answer("The upload.", _AN_UPLOAD)},
            parameters=[_ID],
            problems=_NONE_OF_YOURS | {409: "upload-not-retryable"},
        ),
    },
    f"{_ONE}rows/": {
        "get": operation(
            "list_rows_of_upload",
            "The rows of an upload, in file order",
            {200: answer("A page of them.", content(ref("RowPage"), rows=ROWS))},
            parameters=[_ID, *_FILTERS, *_PAGES],
            problems=_ROW_PROBLEMS | {404: "not-found"},
        ),
    },
    f"{_ONE}result.csv": {
        "get": operation(
            "get_result_csv",
            "The file with its answers, at the end or on the way",
            {
                200: answer(
                    "The original columns, in the file's own dialect, and behind them `result_status` to"
                    " `result_admin_ward`.",
                    content(text(format="binary"), "text/csv"),
                    Content_Disposition=text("The name of the file."),
                )
            },
            parameters=[
                _ID,
                parameter("safe", text("`1`: no cell is a formula to a spreadsheet.", enum=["0", "1"], default="0")),
            ],
            problems=_NONE_OF_YOURS,
        ),
    },
    "/api/v1/rows/": {
        "get": operation(
            "list_rows",
            "The rows of all your uploads, or of one",
            {200: answer("A page of them.", content(ref("RowPage"), rows=ROWS))},
            parameters=[parameter("upload", text("The id of an upload.", format="uuid")), *_FILTERS, *_PAGES],
            problems=_ROW_PROBLEMS | {404: "not-found"},
        ),
    },
    "/api/v1/postcodes/{postcode}/": {
        "get": operation(
            "get_postcode",
            "What is known about a postcode, and how many of your rows have it",
            {200: answer("The postcode.", content(ref("Postcode"), postcode=POSTCODE))},
            parameters=[parameter("postcode", text("Spaced in any way.", example="SW1A1AA"), where="path")],
            problems=_NONE_OF_YOURS | {503: f"lookup-service-unavailable row-query-too-slow {_DATABASE}"},
        ),
    },
}
DOCUMENT = document("Uploads and their rows", "1", PATHS, SCHEMAS)
