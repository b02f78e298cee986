"""Rows and postcodes in the words of the interface."""

from typing import Any

from uploads.models import STATUS_WORDS, Postcode, outcode_of
from uploads.row_ids import row_number


def row_as_json(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `.values(*ROW_FIELDS)` in the words of the interface."""
    answer = {
        "upload": str(row["upload__public_id"]),
        "row": row_number(row["id"]),
        "latitude": row["latitude"],
        "longitude": row["longitude"],
        "status": STATUS_WORDS[row["status"]],
        "reason": row["reason"],
        "postcode": row["postcode_id"],
        "distance_m": row["distance_m"],
        "outcode": row["postcode_id"] and outcode_of(row["postcode_id"]),
        "country": row["area__country"],
        "region": row["area__region"],
        "admin_district": row["area__admin_district"],
        "admin_ward": row["area__admin_ward"],
    }
    if row["line"] is not None:
        answer |= {"line": row["line"], "raw": row["raw"]}
    return answer


def postcode_as_json(postcode: Postcode, rows: int) -> dict[str, Any]:
    """What is known about a postcode, and how many rows of the caller have it."""
    return {
        "postcode": postcode.postcode,
        "outcode": outcode_of(postcode.postcode),
        "incode": postcode.postcode.partition(" ")[2],
        "country": postcode.area.country,
        "region": postcode.area.region,
        "admin_district": postcode.area.admin_district,
        "admin_ward": postcode.area.admin_ward,
        "latitude": postcode.latitude,
        "longitude": postcode.longitude,
        "rows": rows,
    }
