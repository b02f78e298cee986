"""The operations of what comes of an upload: results, totals, the map, the time series, and webhooks."""

from service_kit.openapi import Json, answer, content, number, operation, parameter, ref, text
from uploads.results.formats import FORMATS
from uploads.rows.cells import LARGEST, PER_DEGREE
from uploads.rows.stats import INTERVALS
from uploads.rows.totals import KINDS
from uploads.web.schema.parts import DATABASE, FILTERS, ID, NONE_OF_YOURS, ONE, PAGES, ROW_PROBLEMS

_COLUMNS = parameter("columns", text("Names of columns, with commas between, in the order that you like."))
_STATUS, _BBOX = (one for one in FILTERS if one["name"] in ("status", "bbox"))
_SAFE = parameter("safe", text("Of CSV. `1`: no cell is a formula to a spreadsheet.", enum=["0", "1"], default="0"))
_BY = parameter("by", text(enum=[*KINDS]), required=True)
_NO_TOTALS = NONE_OF_YOURS | {409: "totals-not-ready"}
_GEOJSON = FORMATS["geojson"].media_type
_NAME_OF_FILE = text("The name of the file.")


def _bytes_of(kind: str) -> Json:
    """A file: generated clients give a text as a text."""
    return text() if kind.startswith("text/") else text(format="binary")


def _result(name: str, summary: str, types: list[str], *more: Json) -> Json:
    part = {kind: content(_bytes_of(kind), kind)[kind] for kind in types}
    whole = part | (content(ref("GeoJson"), _GEOJSON) if _GEOJSON in types else {})
    said = "The columns of the file, and behind them `result_status` to `result_admin_ward`."
    answers = {
        200: answer(said, whole, Content_Disposition=_NAME_OF_FILE),
        206: answer("A part of it, as `Range` says.", part, Content_Range=text()),
        304: answer("It has not changed."),
    }
    problems = NONE_OF_YOURS | {406: "not-acceptable", 412: "precondition-failed", 416: "range-not-satisfiable"}
    return {"get": operation(name, summary, answers, parameters=[ID, _COLUMNS, _STATUS, *more], problems=problems)}


PATHS_OF_RESULTS: Json = {
    f"{ONE}result/": _result(
        "get_result",
        "The file with its answers, in the format that `Accept` likes best",
        [one.media_type for one in FORMATS.values()],
        _SAFE,
    ),
    **{
        f"{ONE}result.{suffix}": _result(
            f"get_result_{suffix}",
            f"The file with its answers ({suffix}), at the end or on the way",
            [one.media_type],
            *([_SAFE] if suffix == "csv" else []),
        )
        for suffix, one in FORMATS.items()
    },
    f"{ONE}summary/": {
        "get": operation(
            "get_summary",
            "Its totals, the largest first",
            {200: answer("A page of them.", content(ref("TotalPage")))},
            parameters=[ID, _BY, *PAGES],
            problems=_NO_TOTALS,
        ),
    },
    f"{ONE}summary.csv": {
        "get": operation(
            "get_summary_csv",
            "All its totals, as a table with a header",
            {200: answer("The table.", content(_bytes_of("text/csv"), "text/csv"), Content_Disposition=_NAME_OF_FILE)},
            parameters=[ID, _BY],
            problems=_NO_TOTALS,
        ),
    },
    f"{ONE}cells/": {
        "get": operation(
            "get_cells",
            "Its map, at the end or on the way",
            {200: answer("The cells that have rows.", content(ref("Map")))},
            parameters=[
                ID,
                parameter(
                    "size",
                    number(
                        "Degrees.",
                        minimum=1 / PER_DEGREE,
                        maximum=LARGEST / PER_DEGREE,
                        multipleOf=1 / PER_DEGREE,
                        default=0.02,
                    ),
                ),
                _BBOX,
                _STATUS,
            ],
            problems=ROW_PROBLEMS | {404: "not-found"},
        ),
    },
    f"{ONE}deliveries/": {
        "get": operation(
            "list_deliveries",
            "What its webhook was sent, newest first",
            {200: answer("A page of them.", content(ref("DeliveryPage")))},
            parameters=[ID, *PAGES],
            problems=NONE_OF_YOURS,
        ),
    },
    "/api/v1/stats/": {
        "get": operation(
            "get_stats",
            "Your uploads and their rows over time",
            {200: answer("A result for each interval.", content(ref("Stats")))},
            parameters=[
                parameter("interval", text(enum=[*INTERVALS], default="day")),
                *(
                    parameter(name, text("A day or a time; UTC.", example="2026-11-27T09:00Z"))
                    for name in ("from", "to")
                ),
            ],
            problems=ROW_PROBLEMS,
        ),
    },
    "/api/v1/webhook-secret/": {
        method: operation(
            name,
            summary,
            {200: answer("The secret.", content(ref("WebhookSecret")))},
            problems={400: "invalid-parameter", 503: DATABASE},
        )
        for method, name, summary in (
            ("get", "get_webhook_secret", "What your webhooks are signed with"),
            ("post", "replace_webhook_secret", "Makes another secret; nothing is signed with the old one any more"),
        )
    },
}
