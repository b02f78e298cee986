"""What the answers of the uploads API consist of. An answer has at least the members that are required here."""

from service_kit.openapi import Json, array, number, or_null, ref, struct, text, typed
from uploads.models import STATUS_WORDS, UploadState
from uploads.reading.notations import Notation
from uploads.reading.preview import SHOWN_ROWS
from uploads.results.formats import FORMATS
from uploads.rows.stats import INTERVALS

_ADDRESS = text(format="uri")
_TIME = text(format="date-time")
_NAME = or_null(text())
_COUNT = typed("integer", minimum=0)
_LATITUDE = or_null(number("Degrees (WGS 84).", minimum=-90, maximum=90))
_LONGITUDE = or_null(number("Degrees (WGS 84).", minimum=-180, maximum=180))
_BY_NAME = typed("object", additionalProperties=_COUNT)
_AREA = dict.fromkeys(("country", "region", "admin_district", "admin_ward"), _NAME)
STATUSES = list(STATUS_WORDS.values())


def _page(of: str) -> Json:
    address = or_null(text("A whole address, or null.", format="uri"))
    return struct("A page of a list.", next=address, previous=address, results=array(ref(of)))


SCHEMAS: Json = {
    "GeoJson": struct("GeoJSON (RFC 7946).", type=text(example="FeatureCollection")) | {"additionalProperties": True},
    "Dialect": struct(
        "How the file is written, as found out or declared.",
        delimiter=_NAME,
        quoting=_NAME,
        encoding=_NAME,
        has_header=or_null(typed("boolean")),
        decimal=_NAME,
        latitude=or_null(text("A name from the header, or a column number from 1.")),
        longitude=_NAME,
        coordinates=text(enum=[*Notation]),
        format=text("`csv`, `xlsx`, `geojson` and the like."),
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
        **dict.fromkeys(
            (
                *("self", "events", "rows", "summary", "cells", "deliveries", "pause", "resume", "cancel", "retry"),
                *(f"result_{suffix}" for suffix in FORMATS if suffix != "parquet"),
            ),
            _ADDRESS,
        ),
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
        webhook_url=or_null(text("As it was sent.")),
        dialect=ref("Dialect"),
        rows=ref("Counts"),
        progress=number("1 at `done` only.", minimum=0, maximum=1),
        rows_per_second=or_null(number()),
        eta_seconds=or_null(number()),
        waiting=or_null(ref("Waiting")),
        warnings=array(ref("Warning")),
        error=or_null(ref("Problem")),
        paused=typed("boolean"),
        ahead=or_null(typed("integer", "How many uploads are before it.", minimum=0)),
        reasons=or_null(typed("object", "How many rows, by status and reason.", additionalProperties=_BY_NAME)),
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
    "Total": struct(
        "Rows that have one value.",
        value={"description": "A text, the upper end of a class of distances (metres), or null.", "nullable": True},
        rows=_COUNT,
    ),
    "TotalPage": _page("Total"),
    "Map": struct(
        "Cells of a grid, and their rows.",
        size=number("Degrees.", minimum=0),
        cells=array(
            array(typed("integer"), minItems=7, maxItems=7),
            "Column, row, and the rows: match, no_match, failed, rejected, pending.",
        ),
        outside=typed("integer", "Rows that are in none of them.", minimum=0),
    ),
    "Stats": struct(
        "Uploads and rows over time.",
        interval=text(enum=[*INTERVALS]),
        **{"from": _TIME, "to": _TIME},
        results=array(struct("An interval.", **{"from": _TIME}, uploads=_COUNT, rows=ref("Counts"))),
    ),
    "Delivery": struct(
        "A webhook that was sent, or will be.",
        id=text(format="uuid"),
        event=text(),
        state=text(enum=["waiting", "delivered", "given_up"]),
        created_at=_TIME,
        due_at=or_null(_TIME),
        delivered_at=or_null(_TIME),
        attempts=_COUNT,
        answers=array(
            struct(
                "An answer, or that there was none.",
                at=_TIME,
                status=or_null(typed("integer")),
                detail=text(),
                milliseconds=number(),
            ),
            "The last ones.",
        ),
    ),
    "DeliveryPage": _page("Delivery"),
    "WebhookSecret": struct("What your webhooks are signed with.", secret=text(example="whsec_…")),
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
        notation=text("How the coordinates are written, in words."),
        precision_m=or_null(number("How large the places of the first rows are, in metres; null of points.")),
        sure=or_null(number("The share of the rows looked at that have coordinates.", minimum=0, maximum=1)),
        looked_at=struct(
            "Rows that were looked at.",
            rows=_COUNT,
            read=_COUNT,
            rejected=typed("object", "How many, by reason.", additionalProperties=_COUNT),
        ),
        warnings=array(ref("Warning")),
        error=or_null(struct("Why it ends.", detail=text(), line=or_null(typed("integer")))),
        locations=array(array(number(), "Latitude and longitude, in degrees."), "Those of the rows looked at."),
        estimated_rows=or_null(typed("integer", "How many rows the file may have, of which only a part is here.")),
        rows=array(ref("PreviewRow"), "The first ones.", maxItems=SHOWN_ROWS),
    ),
}
SCHEMAS["Links"]["properties"]["result_parquet"] = _ADDRESS
SCHEMAS["Row"]["properties"] |= {"line": typed("integer", "In the file, from 1.", minimum=1), "raw": text()}
