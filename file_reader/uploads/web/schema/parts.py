"""What several operations of the uploads API take and refuse."""

from service_kit.openapi import number, parameter, text, typed
from uploads.rows.filters import MAX_RADIUS
from uploads.web.api.pagination import LARGEST_SIZE, SIZE
from uploads.web.schema.schemas import STATUSES

ONE = "/api/v1/uploads/{id}/"
DATABASE = "database-unavailable"
ID = parameter("id", text("The upload's.", format="uuid"), where="path")
_NUMBER = r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*"
PAGES = [
    parameter("cursor", text("Of `next` or `previous` of another page; do not make one.")),
    parameter("page_size", typed("integer", minimum=1, maximum=LARGEST_SIZE, default=SIZE)),
]
FILTERS = [
    parameter("status", text(enum=STATUSES)),
    parameter("reason", text("Why a row has no postcode; docs/problems.md has them.", example="outside_uk")),
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
NONE_OF_YOURS = {400: "invalid-parameter", 404: "not-found", 503: DATABASE}
ROW_PROBLEMS = {400: "invalid-parameter", 503: f"row-query-too-slow {DATABASE}"}
