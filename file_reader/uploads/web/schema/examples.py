"""The examples of the schema. Tests hold them against their schemas, and the service against both."""

from service_kit.openapi import Json
from uploads.results.formats import FORMATS

_ADDRESS = "http://127.0.0.1:8080/api/v1/uploads/0a4f8314-b8d3-4820-8ff7-a67b65edbb79/"
_AREA: Json = {
    "country": "England",
    "region": "London",
    "admin_district": "Westminster",
    "admin_ward": "St James's",
}
_DIALECT: Json = {
    "delimiter": ",",
    "quoting": "quotes",
    "encoding": "utf-8",
    "has_header": True,
    "decimal": ".",
    "latitude": "lat",
    "longitude": "lon",
    "coordinates": "degrees",
    "format": "csv",
}
FILE = "name,lat,lon\nBuckingham Palace,51.501009,-0.141588\n"
FEATURES: Json = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "Buckingham Palace"},
            "geometry": {"type": "Point", "coordinates": [-0.141588, 51.501009]},
        }
    ],
}
UPLOAD: Json = {
    "id": "0a4f8314-b8d3-4820-8ff7-a67b65edbb79",
    "filename": "landmarks.csv",
    "size": 2748,
    "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "state": "done",
    "created_at": "2026-11-27T09:30:00.120Z",
    "started_at": "2026-11-27T09:30:00.210Z",
    "finished_at": "2026-11-27T09:30:00.530Z",
    "indexed_at": None,
    "expires_at": None,
    "max_distance": 2000.0,
    "webhook_url": None,
    "dialect": _DIALECT,
    "rows": {"read": 81, "matched": 77, "no_match": 2, "failed": 0, "rejected": 2, "pending": 0},
    "progress": 1.0,
    "rows_per_second": 253.1,
    "eta_seconds": None,
    "waiting": None,
    "warnings": [],
    "error": None,
    "paused": False,
    "ahead": None,
    "reasons": None,
    "links": {
        "self": _ADDRESS,
        "rows": f"{_ADDRESS}rows/",
        **{f"result_{suffix}": f"{_ADDRESS}result.{suffix}" for suffix in FORMATS},
        **{name: f"{_ADDRESS}{name}/" for name in ("events", "summary", "cells", "deliveries")},
        **{name: f"{_ADDRESS}{name}/" for name in ("pause", "resume", "cancel", "retry")},
    },
}
UPLOADS: Json = {"next": None, "previous": None, "results": [UPLOAD]}
_ROW: Json = {
    "upload": UPLOAD["id"],
    "row": 1,
    "latitude": 51.501009,
    "longitude": -0.141588,
    "status": "match",
    "reason": None,
    "postcode": "SW1A 1AA",
    "distance_m": 0.0,
    "outcode": "SW1A",
    **_AREA,
}
_REJECTED: Json = {
    **dict.fromkeys(_ROW),
    "upload": UPLOAD["id"],
    "row": 2,
    "status": "rejected",
    "reason": "latitude_out_of_range",
    "line": 3,
    "raw": '"Typing error, latitude",95.1,-3.2',
}
ROWS: Json = {"next": f"{_ADDRESS}rows/?cursor=cD0y&page_size=2", "previous": None, "results": [_ROW, _REJECTED]}
POSTCODE: Json = {
    "postcode": "SW1A 1AA",
    "outcode": "SW1A",
    "incode": "1AA",
    **_AREA,
    "latitude": 51.501009,
    "longitude": -0.141588,
    "terminated": None,
    "rows": 3,
}
PREVIEW: Json = {
    "filename": "places.csv",
    "dialect": _DIALECT,
    "columns": ["name", "lat", "lon"],
    "notation": "degrees, with decimals or with their minutes and seconds",
    "precision_m": None,
    "locations": [[51.501009, -0.141588]],
    "estimated_rows": None,
    "sure": 1.0,
    "looked_at": {"rows": 1, "read": 1, "rejected": {}},
    "warnings": [],
    "error": None,
    "rows": [
        {
            "row": 1,
            "line": 2,
            "latitude": 51.501009,
            "longitude": -0.141588,
            "status": "pending",
            "reason": None,
            "fields": ["Buckingham Palace", "51.501009", "-0.141588"],
        }
    ],
}
