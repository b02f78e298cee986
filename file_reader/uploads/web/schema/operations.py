"""Every operation of the uploads API: what it takes, answers and refuses. A new address needs its few lines here.

The numbers are those of the code, not copies. `/internal/schema/` imports this when it is asked, and nobody else does.
"""

from collections.abc import Iterable

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
)
from uploads.accepting.options import DEFAULT_MAX_DISTANCE, MAX_MAX_DISTANCE, OPTIONS
from uploads.accepting.request_body import FILE_TYPES
from uploads.addresses import MAX_CHARS
from uploads.reading.fields import QUOTING
from uploads.reading.notations import Notation
from uploads.web.arriving import PREVIEW_OPTIONS
from uploads.web.schema.examples import FEATURES, FILE, POSTCODE, PREVIEW, ROWS, UPLOAD, UPLOADS
from uploads.web.schema.of_results import PATHS_OF_RESULTS
from uploads.web.schema.parts import DATABASE, FILTERS, ID, NONE_OF_YOURS, ONE, PAGES, ROW_PROBLEMS
from uploads.web.schema.schemas import SCHEMAS

#: The options of an upload, as the query has them and as the form has them. None has a default here: a client that
#: sends defaults would give each of them twice.
_COLUMN = "A name from the header, or a column number from 1. Of {}s and {}s: the {}."
_SWITCH = ["true", "1", "yes", "false", "0", "no"]
_OPTIONS: Json = {
    "latitude": text(_COLUMN.format("easting", "northing", "northing")),
    "longitude": text(_COLUMN.format("easting", "northing", "easting")),
    "has_header": text(enum=_SWITCH),
    "delimiter": text("`comma`, `semicolon`, `tab`, `pipe`, `space`, or the one character itself.", example="comma"),
    "quoting": text(enum=[*QUOTING]),
    "encoding": text("`utf-8`, `utf-16`, `windows-1252`, `iso-8859-1` and their like.", example="utf-8"),
    "decimal": text(enum=[".", ","]),
    "coordinates": text(enum=[*Notation]),
    "sheet": text(
        "Of an Excel workbook: a sheet's name, its number from 1 among the visible ones, or `*`.", maxLength=100
    ),
    "max_distance": number(
        f"Metres; {DEFAULT_MAX_DISTANCE:,.0f} if not given.",
        minimum=0,
        exclusiveMinimum=True,
        maximum=MAX_MAX_DISTANCE,
        example=DEFAULT_MAX_DISTANCE,
    ),
    "filename": text("As answers show it.", example="landmarks.csv"),
    "webhook_url": text("Whom we tell when it has ended.", format="uri", maxLength=MAX_CHARS),
    "partial": text("Of a preview: only the beginning of the file is here.", enum=_SWITCH),
    "size": text("Of a preview with `partial`: how many bytes the whole file has.", example="2748"),
}


def _in_query(names: Iterable[str]) -> list[Json]:
    return [parameter(name, _OPTIONS[name]) for name in names]


def _file(names: Iterable[str]) -> Json:
    """The body of a request that has a file: a form, the file itself, or its address."""
    options = {name: _OPTIONS[name] for name in names}
    form = struct("The file and its options.", file=text("The file.", format="binary"))
    form["properties"] |= options
    named = struct("Where a file is, and its options.", url=text("Its address, http or https.", format="uri"))
    named["properties"] |= options
    closed = {"additionalProperties": False}
    in_json = {
        "description": "Where the file is, or the file itself; an array of records is read, too.",
        # No list: generated clients do not get over one beside other types.
        "anyOf": [named | closed | {"title": "Named file"}, ref("GeoJson")],
    }
    kinds = sorted(kind.decode() for kind in FILE_TYPES if kind and not kind.endswith(b"json"))
    return (
        content(form | closed, "multipart/form-data", file={"file": FILE})
        | content(text("The file itself.", format="binary"), *kinds)
        | content(ref("GeoJson"), "application/geo+json", features=FEATURES)
        | content(in_json, features=FEATURES)
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
    422: "unreadable-archive empty-file columns-not-found unreadable-file reading-doubtful fetch-failed",
    503: f"{DATABASE} backlog-full fetches-busy",
    507: "storage-full disk-nearly-full",
}
_AN_UPLOAD = content(ref("Upload"), upload=UPLOAD)

_BASE = "/api/v1/uploads/"
PATHS: Json = {
    _BASE: {
        "get": operation(
            "list_uploads",
            "Your uploads, newest first",
            {200: answer("A page of them.", content(ref("UploadPage"), uploads=UPLOADS))},
            parameters=PAGES,
            problems={400: "invalid-parameter", 503: DATABASE},
        ),
        "post": operation(
            "create_upload",
            "Takes a file",
            {202: answer("The upload.", _AN_UPLOAD, Location=text("Its address.", format="uri"))},
            description="Options stand in the query or in the form; none is required.",
            parameters=[
                *_in_query(OPTIONS),
                parameter(
                    "Idempotency-Key",
                    text("Sending the same again gives the upload that is there.", minLength=1, maxLength=255),
                    where="header",
                ),
                *_HOW_IT_IS_SENT,
            ],
            body=_file(OPTIONS),
            problems=_BAD_FILE
            | {409: "upload-in-flight", 422: f"{_BAD_FILE[422]} idempotency-key-reused", 429: "quota-exceeded"},
        ),
    },
    f"{_BASE}preview/": {
        "post": operation(
            "preview_upload",
            "What would be read from a file; nothing is stored",
            {200: answer("The first rows, and what was found out.", content(ref("Preview"), preview=PREVIEW))},
            parameters=[*_in_query(PREVIEW_OPTIONS), *_HOW_IT_IS_SENT],
            body=_file(PREVIEW_OPTIONS),
            problems=_BAD_FILE,
        ),
    },
    ONE: {
        "get": operation(
            "get_upload",
            "An upload: its state, counts and progress",
            {200: answer("The upload.", _AN_UPLOAD), 304: answer("It has not changed.")},
            parameters=[ID],
            problems=NONE_OF_YOURS | {412: "precondition-failed"},
        ),
        "delete": operation(
            "delete_upload",
            "Hides an upload at once and for good",
            {204: answer("It is gone; a worker removes its rows and its file.")},
            parameters=[ID],
            problems=NONE_OF_YOURS,
        ),
    },
    f"{ONE}cancel/": {
        "post": operation(
            "cancel_upload",
            "Ends the work; answers that are there stay",
            {200: answer("The upload.", _AN_UPLOAD)},
            parameters=[ID],
            problems=NONE_OF_YOURS | {409: "upload-has-ended"},
        ),
    },
    f"{ONE}pause/": {
        "post": operation(
            "pause_upload",
            "Has nothing more of it begun",
            {200: answer("The upload.", _AN_UPLOAD)},
            parameters=[ID],
            problems=NONE_OF_YOURS | {409: "upload-has-ended"},
        ),
    },
    f"{ONE}resume/": {
        "post": operation(
            "resume_upload",
            "Goes on with it",
            {200: answer("The upload.", _AN_UPLOAD)},
            parameters=[ID],
            problems=NONE_OF_YOURS | {409: "upload-has-ended"},
        ),
    },
    f"{ONE}retry/": {
        "post": operation(
            "retry_upload",
            "Puts the failed rows back to work",
            {200: answer("The upload.", _AN_UPLOAD)},
            parameters=[ID],
            problems=NONE_OF_YOURS | {409: "upload-not-retryable"},
        ),
    },
    f"{ONE}rows/": {
        "get": operation(
            "list_rows_of_upload",
            "The rows of an upload, in file order",
            {200: answer("A page of them.", content(ref("RowPage"), rows=ROWS)), 304: answer("It has not changed.")},
            parameters=[ID, *FILTERS, *PAGES],
            problems=ROW_PROBLEMS | {404: "not-found", 412: "precondition-failed"},
        ),
    },
    "/api/v1/rows/": {
        "get": operation(
            "list_rows",
            "The rows of all your uploads, or of one",
            {200: answer("A page of them.", content(ref("RowPage"), rows=ROWS))},
            parameters=[parameter("upload", text("The id of an upload.", format="uuid")), *FILTERS, *PAGES],
            problems=ROW_PROBLEMS | {404: "not-found", 412: "precondition-failed"},
        ),
    },
    "/api/v1/postcodes/{postcode}/": {
        "get": operation(
            "get_postcode",
            "What is known about a postcode, and how many of your rows have it",
            {200: answer("The postcode.", content(ref("Postcode"), postcode=POSTCODE))},
            parameters=[parameter("postcode", text("Spaced in any way.", example="SW1A1AA"), where="path")],
            problems=NONE_OF_YOURS | {503: f"lookup-service-unavailable row-query-too-slow {DATABASE}"},
        ),
    },
}
PATHS |= PATHS_OF_RESULTS
# Where the id leads that an upload was given.
PATHS[_BASE]["post"]["responses"]["202"]["links"] = {
    one["operationId"]: {"operationId": one["operationId"], "parameters": {"id": "$response.body#/id"}}
    for path, operations in PATHS.items()
    if path.startswith(ONE)
    for one in operations.values()
}
DOCUMENT = document("Uploads and their rows", "1", PATHS, SCHEMAS)
