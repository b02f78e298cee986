"""Every public operation of this service: what it takes, answers and refuses. Examples are those of contracts/.

The numbers are those of the code, not copies. `/internal/schema/` imports this when it is asked, and nobody else does.
"""

from typing import get_args

from lookups.answers import Reason, Status
from lookups.web import columns_body
from lookups.web.request_body import DEFAULT_DISTANCE_METRES, MAX_DISTANCE_METRES, MAX_LOCATIONS
from service_kit.openapi import (
    Json,
    answer,
    array,
    content,
    contract,
    document,
    number,
    operation,
    or_null,
    parameter,
    ref,
    struct,
    text,
)

_LATITUDE = number("Degrees (WGS 84).", minimum=-90, maximum=90, example=51.501009)
_LONGITUDE = number("Degrees (WGS 84).", minimum=-180, maximum=180, example=-0.141588)
_MAX_DISTANCE = number(
    "Metres.", minimum=0, exclusiveMinimum=True, maximum=MAX_DISTANCE_METRES, default=DEFAULT_DISTANCE_METRES
)
_NAME = or_null(text())
_QUESTION = struct("Locations to ask about.", locations=array(ref("Location"), maxItems=MAX_LOCATIONS))
_QUESTION["properties"]["max_distance"] = _MAX_DISTANCE
SCHEMAS: Json = {
    "Location": struct("A location that is sent.", latitude=_LATITUDE, longitude=_LONGITUDE)
    | {"additionalProperties": False},
    "Question": _QUESTION | {"additionalProperties": False},
    "PostcodeDetails": struct(
        "The details of a postcode.",
        outcode=text(),
        incode=text(),
        country=_NAME,
        region=_NAME,
        admin_district=_NAME,
        admin_ward=_NAME,
        latitude=or_null(number("Degrees; the postcode's own.")),
        longitude=or_null(number("Degrees; the postcode's own.")),
    ),
    "Answer": struct(
        "The answer to one location.",
        latitude=_LATITUDE,
        longitude=_LONGITUDE,
        status=text(enum=list(get_args(Status))),
        reason=or_null(text("Why there is no match.", enum=[*get_args(Reason), None])),
        postcode=_NAME,
        distance_m=or_null(number("Metres, from the location to the postcode.", minimum=0)),
        postcode_details=or_null(ref("PostcodeDetails")),
        provider=text("Who was asked."),
        looked_up_at=text("The day on which the provider was asked (UTC).", format="date-time"),
    ),
    "Answers": struct("The answers, in the order of the locations.", results=array(ref("Answer"))),
}
_DAY = "2026-11-27T00:00:00Z"
_SINGLE = "reverse_geocode/single_match.json"
_NONE_NEAR = "reverse_geocode/single_no_match.json"
_MANY, _FOUND = contract("reverse_geocode/bulk_mixed.json", looked_up_at=_DAY)
_COLUMNS = text("Columns: contracts/README.md has every member.", format="binary")
_DEADLINE = parameter(
    "X-Request-Deadline",
    number("The seconds that you will wait. Without it, a lookup takes 45 s at most.", minimum=0, example=2.5),
    where="header",
)
_NOBODY = {
    500: "internal-error",
    503: "upstream-unavailable database-unavailable",
    504: "deadline-exceeded",
}

PATHS: Json = {
    "/api/v1/reverse-geocode/": {
        "get": operation(
            "reverse_geocode",
            "The postcode of one location",
            {
                200: answer(
                    "The answer.",
                    content(
                        ref("Answer"),
                        match=contract(_SINGLE, looked_up_at=_DAY)[1],
                        no_match=contract(_NONE_NEAR, looked_up_at=_DAY)[1],
                    ),
                )
            },
            parameters=[
                parameter("latitude", _LATITUDE, required=True),
                parameter("longitude", _LONGITUDE, required=True),
                parameter("max_distance", _MAX_DISTANCE),
                _DEADLINE,
            ],
            problems=_NOBODY | {400: "invalid-location invalid-parameter invalid-max-distance invalid-deadline"},
        ),
        "post": operation(
            "reverse_geocode_many",
            f"The postcodes of up to {MAX_LOCATIONS:,} locations, or of {columns_body.MAX_LOCATIONS:,} as columns",
            {
                200: answer(
                    "The answers.",
                    content(ref("Answers"), answers=_FOUND) | content(_COLUMNS, columns_body.CONTENT_TYPE),
                )
            },
            parameters=[_DEADLINE],
            body=content(ref("Question"), question=_MANY) | content(_COLUMNS, columns_body.CONTENT_TYPE),
            problems=_NOBODY
            | {
                400: "invalid-location invalid-max-distance invalid-deadline invalid-json invalid-member invalid-body"
                " too-many-locations",
                411: "length-required",
                413: "body-too-large",
            },
        ),
    },
}
DOCUMENT = document("Lookups", "1", PATHS, SCHEMAS)
