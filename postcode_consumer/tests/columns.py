"""Asking in columns, and what was answered, beside what JSON says of the same locations."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from tests.calls import PATH

CONTENT_TYPE = "application/vnd.postcode-columns+msgpack"
REASONS = (
    None,
    "none_within_max_distance",
    "outside_uk",
    "upstream_rejected",
    "searched_to_2000_m",
    "not_covered",
)
NAMES = ("country", "region", "admin_district", "admin_ward")
Place = tuple[float, float]
Call = Callable[..., Any]
#: Status, reason, postcode, metres, and the four names.
Said = tuple[Any, ...]


def question(places: Iterable[Place], **more: Any) -> bytes:
    latitudes, longitudes = np.array([*places], "<f8").reshape(-1, 2).T
    return raw_question(latitudes, longitudes, **more)


def raw_question(latitudes: Any, longitudes: Any, **more: Any) -> bytes:
    columns = {"latitudes": np.array(latitudes, "<f8").tobytes(), "longitudes": np.array(longitudes, "<f8").tobytes()}
    return msgspec.msgpack.encode({**columns, **more})


def send(call: Call, body: bytes, headers: dict[str, str] | None = None) -> Any:
    return call("POST", PATH, body, {"Content-Type": CONTENT_TYPE, **(headers or {})})


def answer(call: Call, body: bytes) -> dict[str, Any]:
    """The members of the answer, arrays as numpy has them."""
    response = send(call, body)
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == CONTENT_TYPE
    members: dict[str, Any] = msgspec.msgpack.decode(response.content)
    kinds = {"status": "u1", "reason": "u1", "distance": "<f8", "place": "<i4", "postcodes": "S8", "area": "<u4"}
    assert members.keys() == {*kinds, "areas", "asked"}
    return {**members, **{name: np.frombuffer(members[name], kind) for name, kind in kinds.items()}}


def said_in_columns(call: Call, places: Sequence[Place], **more: Any) -> list[Said]:
    got = answer(call, question(places, **more))
    assert {len(got[name]) for name in ("status", "reason", "distance", "place")} == {len(places)}
    said: list[Said] = []
    for status, reason, distance, place in zip(
        *(got[n] for n in ("status", "reason", "distance", "place")), strict=True
    ):
        word = ("match", "no_match", "failed")[status]
        assert (place >= 0) == (word == "match") == (not np.isnan(distance))
        postcode = got["postcodes"][place].decode() if place >= 0 else None
        names = got["areas"][got["area"][place]] if place >= 0 else [None] * 4
        said.append((word, REASONS[reason], postcode, None if place < 0 else float(distance), *names))
    return said


def said_in_json(call: Call, places: Sequence[Place], **more: Any) -> list[Said]:
    said: list[Said] = []
    for start in range(0, len(places), 1_000):
        locations = [{"latitude": place[0], "longitude": place[1]} for place in places[start : start + 1_000]]
        for result in call("POST", PATH, {"locations": locations, **more}).json()["results"]:
            details = result["postcode_details"] or dict.fromkeys(NAMES)
            found = (result["status"], result["reason"], result["postcode"], result["distance_m"])
            said.append((*found, *(details[name] for name in NAMES)))
    return said
