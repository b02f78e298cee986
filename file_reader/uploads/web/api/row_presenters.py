"""Rows in the words of the interface."""

from typing import Any

from uploads.models import STATUS_WORDS, outcode_of
from uploads.row_ids import row_number


def row_as_json(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `.values(*ROW_FIELDS)` in the words of the interface."""
    answer = {
        "upload": row["upload__public_id"],
        "row": row_number(row["id"]),
        "latitude": row["latitude"],
        "longitude": row["longitude"],
        "status": STATUS_WORDS[row["status"]],
        "reason": row["reason"],
        "postcode": row["postcode"],
        "distance_m": row["distance_m"],
        "outcode": row["postcode"] and outcode_of(row["postcode"]),
        "country": row["area__country"],
        "region": row["area__region"],
        "admin_district": row["area__admin_district"],
        "admin_ward": row["area__admin_ward"],
    }
    if row["line"] is not None:
        answer |= {"line": row["line"], "raw": row["raw"]}
    return answer
