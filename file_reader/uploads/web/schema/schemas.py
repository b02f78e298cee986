"""What the answers of the uploads API consist of. An answer has at least the members that are required here."""

from service_kit.openapi import Json, array, number, or_null, ref, struct, text, typed
from uploads.models import STATUS_WORDS, UploadState
from uploads.reading.coordinates import Notation
from uploads.reading.preview import SHOWN_ROWS

_TIME = text(format="date-time")
_NAME = or_null(text())
_COUNT = typed("integer", minimum=0)
_LATITUDE = or_null(number("Degrees (WGS 84).", minimum=-90, maximum=90))
_LONGITUDE = or_null(number("Degrees (WGS 84).", minimum=-180, maximum=180))
_AREA = dict.fromkeys(("country", "region", "admin_district", "admin_ward"), _NAME)
STATUSES = list(STATUS_WORDS.values())


def _page(of: str) -> Json:
    address = or_null(text("A whole address, or null.", format="uri"))
    return struct("A page of a list.", next=address, previous=address, results=array(ref(of)))


SCHEMAS: Json = {
    "Dialect": struct(
        "How the file is written, as found out or declared.",
        delimiter=_NAME,
        encoding=_NAME,
        has_header=or_null(typed("boolean")),
        decimal=_NAME,
        latitude=or_null(text("A name from the header, or a column number from 1.")),
        longitude=_NAME,
        coordinates=text(enum=[*Notation]),
    ),
    "Counts": struct(
        "Rows by outcome; `read` is the sum of the others.",
        **dict.fromkeys(("read", "matched", "no_match", "failed", "rejected", "pending"), _COUNT),
    ),
    "Warning": struct(
        "What is probably not meant.",
        code=text("Stable."),
        detail=text(),
        fix=typed("object", "The options that would mend it.", additionalProperties=text()),
    ),
    "Waiting": struct("Since when, and why, nobody can answer.", since=_TIME, reason=text("Stable."), detail=text()),
    "Links": struct(
        "Whole addresses.",
        **dict.fromkeys(("self", "rows", "result_csv", "cancel", "retry"), text(format="uri")),
    ),
    "Upload": struct(
        "A file, and how far the work on it is.",
        id=text(format="uuid"),
        filename=text(),
        size=typed("integer", "Bytes, as the file was sent.", minimum=0),
        sha256=text("Of the file as it was sent.", pattern="^[0-9a-f]{64}$"),
        state=text(enum=list(UploadState.values)),
        created_at=_TIME,
        started_at=or_null(_TIME),
        finished_at=or_null(_TIME),
        indexed_at=or_null(_TIME | {"description": "Since then its rows are found in milliseconds."}),
        expires_at=or_null(_TIME | {"description": "When it is deleted."}),
        max_distance=number("Metres."),
        dialect=ref("Dialect"),
        rows=ref("Counts"),
        progress=number("1 at `done` only.", minimum=0, maximum=1),
        rows_per_second=or_null(number()),
        eta_seconds=or_null(number()),
        waiting=or_null(ref("Waiting")),
        warnings=array(ref("Warning")),
        error=or_null(ref("Problem")),
        links=ref("Links"),
    ),
    "UploadPage": _page("Upload"),
    "Row": struct(
        "A row and its answer; a rejected one also has its `line` and its text, `raw`.",
        upload=text(format="uuid"),
        row=typed("integer", "From 1.", minimum=1),
        latitude=_LATITUDE,
        longitude=_LONGITUDE,
        status=text(enum=STATUSES),
        reason=or_null(text("docs/problems.md has them.")),
        postcode=_NAME,
        distance_m=or_null(number("Metres, from the location to the postcode.", minimum=0)),
        outcode=_NAME,
        **_AREA,
    ),
    "RowPage": _page("Row"),
    "Postcode": struct(
        "What is known about a postcode.",
        postcode=text(),
        outcode=text(),
        incode=text(),
        **_AREA,
        latitude=_LATITUDE,
        longitude=_LONGITUDE,
        terminated=or_null(text("Year and month in which it ceased to be used.", example="2019-08")),
        rows=typed("integer", "How many of your rows have it.", minimum=0),
    ),
    "PreviewRow": struct(
        "A row as it would be read.",
        row=typed("integer", "From 1.", minimum=1),
        line=typed("integer", "From 1.", minimum=1),
        latitude=_LATITUDE,
        longitude=_LONGITUDE,
        status=text(enum=["pending", "rejected"]),
        reason=_NAME,
        fields=array(text()),
    ),
    "Preview": struct(
        "What would be read from a file.",
        filename=text(),
        dialect=ref("Dialect"),
        columns=array(text(), "The header."),
        sure=or_null(number("The share of the rows looked at that have coordinates.", minimum=0, maximum=1)),
        looked_at=struct(
            "Rows that were looked at.",
            rows=_COUNT,
            read=_COUNT,
            rejected=typed("object", "How many, by reason.", additionalProperties=_COUNT),
        ),
        warnings=array(ref("Warning")),
        error=or_null(struct("Why it ends.", detail=text(), line=or_null(typed("integer")))),
        rows=array(ref("PreviewRow"), "The first ones.", maxItems=SHOWN_ROWS),
    ),
}
SCHEMAS["Row"]["properties"] |= {"line": typed("integer", "In the file, from 1.", minimum=1), "raw": text()}
