"""The fake answers as postcodes.io does, with postcodes made up for these tests."""

from __future__ import annotations

import csv
import gzip
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from postcodes_io import Postcode, RunningPostcodesIo, running_postcodes_io
from postcodes_io_data import FILE_COLUMNS, load_table, table_of
from postcodes_io_search import PostcodeSearch, Question
from pyproj import Geod

TOWN = (52.0, -1.0)
HAMLET = (55.0, -3.0)  # one place, four postcodes
ISLE = (59.0, -2.0)  # fewer than ten postcodes within 20 km
SEA = (56.0, 2.5)
GEOD = Geod(ellps="WGS84")


def north(location: tuple[float, float], metres: float) -> tuple[float, float]:
    longitude, latitude, _ = GEOD.fwd(location[1], location[0], 0, metres)
    return float(latitude), float(longitude)


POSTCODES = [
    Postcode(
        "TW1 1AA",
        *TOWN,
        eastings=468_000,
        northings=234_000,
        admin_district_code="E07000001",
        admin_ward_code="E05000001",
        names={"admin_district": 'Town "A", City of', "region": "Midlands"},
    ),
    *[Postcode(f"TW{number} 2AA", *north(TOWN, 90.0 * number)) for number in range(1, 31)],
    *[Postcode(f"HM1 1A{letter}", *HAMLET, country_code="S92000003") for letter in "DBAC"],
    Postcode("HM1 1ZZ", *north(HAMLET, 150)),
    Postcode("IS1 1AA", *ISLE, country_code="W92000004"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostcodesIo]:
    with running_postcodes_io(POSTCODES) as running:
        yield running


@pytest.fixture
def upstream(server: RunningPostcodesIo) -> RunningPostcodesIo:
    server.reset()
    return server


def at(location: tuple[float, float], **options: Any) -> dict[str, Any]:
    return {"longitude": location[1], "latitude": location[0], **options}


def bulk(upstream: RunningPostcodesIo, *locations: Any, query: str = "") -> requests.Response:
    return requests.post(f"{upstream.url}/postcodes{query}", json={"geolocations": list(locations)}, timeout=5)


def found(response: requests.Response) -> list[list[str] | None]:
    assert response.status_code == 200, response.text
    answers = [item["result"] for item in response.json()["result"]]
    return [None if answer is None else [postcode["postcode"] for postcode in answer] for answer in answers]


def test_answers_are_positional_and_keep_duplicates(upstream: RunningPostcodesIo) -> None:
    answer = bulk(upstream, at(TOWN, limit=1), at(SEA, limit=1), at((0, 0)), at(TOWN, limit=1))
    assert found(answer) == [["TW1 1AA"], None, None, ["TW1 1AA"]]


def test_a_postcode_has_all_fields_and_null_where_nothing_is_known(upstream: RunningPostcodesIo) -> None:
    (item,) = bulk(upstream, at(TOWN, limit=1)).json()["result"]
    (postcode,) = item["result"]
    assert (postcode["outcode"], postcode["incode"], postcode["country"]) == ("TW1", "1AA", "England")
    assert (postcode["latitude"], postcode["longitude"], postcode["distance"]) == (*TOWN, 0)
    assert (postcode["eastings"], postcode["northings"], postcode["quality"]) == (468_000, 234_000, 1)
    assert (postcode["admin_district"], postcode["region"]) == ('Town "A", City of', "Midlands")
    assert postcode["codes"]["admin_ward"] == "E05000001"
    assert postcode["codes"]["lep2"] is None
    assert postcode["parish"] is None


def test_the_query_echoes_what_was_sent_except_what_it_does_not_know(upstream: RunningPostcodesIo) -> None:
    sent = {
        "longitude": "-1.0",
        "latitude": 52.0,
        "limit": "1",
        "id": 42,
        "LIMIT": 3,
        "wideSearch": True,
        "filter": "x",
    }
    echoed = bulk(upstream, sent).json()["result"][0]["query"]
    assert echoed == {"longitude": "-1.0", "latitude": 52.0, "limit": "1", "LIMIT": 3, "wideSearch": True}


def test_the_radius_is_100_metres_unless_asked_and_never_above_2000(upstream: RunningPostcodesIo) -> None:
    near, far = north(ISLE, 150), north(ISLE, 2050)
    assert found(bulk(upstream, at(near))) == [None]
    assert found(bulk(upstream, at(near, radius=200))) == [["IS1 1AA"]]
    assert found(bulk(upstream, at(north(ISLE, 1990), radius=5000))) == [["IS1 1AA"]]
    assert found(bulk(upstream, at(far, radius=5000))) == [None]


def test_the_limit_is_10_unless_asked_and_never_above_100(upstream: RunningPostcodesIo) -> None:
    (default,), (many,), (nought,) = (
        found(bulk(upstream, at(TOWN, radius=2000, **limit))) for limit in ({}, {"limit": 1000}, {"limit": 0})
    )
    assert default is not None
    assert many is not None
    assert len(default) == 10
    assert many[:3] == ["TW1 1AA", "TW1 2AA", "TW2 2AA"]
    assert len(many) == 1 + 2000 // 90
    assert nought == default


def test_postcodes_at_one_distance_come_in_alphabetical_order(upstream: RunningPostcodesIo) -> None:
    assert found(bulk(upstream, at(HAMLET))) == [["HM1 1AA", "HM1 1AB", "HM1 1AC", "HM1 1AD"]]
    assert found(bulk(upstream, at(HAMLET, limit=1), at(HAMLET, limit=2))) == [["HM1 1AA"], ["HM1 1AA", "HM1 1AB"]]


def test_two_places_equally_far_away_come_in_alphabetical_order() -> None:
    pair = [Postcode("ZZ1 1ZZ", 52.0, -1.0005), Postcode("AA1 1AA", 52.0, -0.9995)]
    with running_postcodes_io(pair) as upstream:
        assert found(bulk(upstream, at(TOWN, limit=1), at(TOWN))) == [["AA1 1AA"], ["AA1 1AA", "ZZ1 1ZZ"]]


def test_an_object_wins_over_the_query_string(upstream: RunningPostcodesIo) -> None:
    place = north(HAMLET, 120)
    answer = bulk(upstream, at(place, limit=2), at(place), at(place, radius=50), query="?limit=1&radius=200")
    assert found(answer) == [["HM1 1ZZ", "HM1 1AA"], ["HM1 1ZZ"], ["HM1 1ZZ"]]
    assert found(bulk(upstream, at(north(HAMLET, 80), radius=50), query="?radius=200")) == [None]


def test_widesearch_reaches_nearly_20_km_where_there_are_ten_postcodes(upstream: RunningPostcodesIo) -> None:
    assert found(bulk(upstream, at(north(TOWN, -15_000), widesearch=True, limit=1))) == [["TW1 1AA"]]
    (many,) = found(bulk(upstream, at(north(TOWN, -15_000), widesearch=True, limit=100)))
    assert many is not None
    assert len(many) == 10
    assert found(bulk(upstream, at(north(TOWN, -19_000), widesearch=True, limit=1))) == [None]
    assert found(bulk(upstream, at(ISLE, widesearch=True, limit=1), at(ISLE, radius=2000))) == [None, ["IS1 1AA"]]


def test_any_text_in_the_query_string_turns_widesearch_on(upstream: RunningPostcodesIo) -> None:
    assert found(bulk(upstream, at(north(TOWN, -5000), limit=1), query="?widesearch=false")) == [["TW1 1AA"]]


def test_distances_are_those_of_the_wgs84_geodesic() -> None:
    only = PostcodeSearch(table_of([Postcode("HM1 1AA", *HAMLET)]))
    for metres in (0.5, 99, 1999, 15_000):
        for bearing in range(0, 360, 30):
            longitude, latitude, _ = GEOD.fwd(HAMLET[1], HAMLET[0], bearing, metres)
            (answer,) = only.nearest([Question(latitude, longitude, 1, 20_000, False)])
            assert answer[0].distance == pytest.approx(metres, abs=0.001)


def test_100_locations_are_taken_and_101_are_not(upstream: RunningPostcodesIo) -> None:
    assert bulk(upstream, *[at(SEA)] * 100).status_code == 200
    refused = bulk(upstream, *[at(SEA)] * 101)
    assert (refused.status_code, refused.json()) == (
        400,
        {
            "status": 400,
            "error": "Too many locations submitted. Up to 100 locations can be bulk requested at a time",
        },
    )


@pytest.mark.parametrize(
    "bad",
    [{"longitude": -0.1}, at((None, -0.1)), at((51.5, "abc")), at((True, 0)), at((51.5, "")), {}, None, 7],  # type: ignore[arg-type]
)
def test_one_bad_coordinate_fails_the_whole_batch(upstream: RunningPostcodesIo, bad: Any) -> None:
    refused = bulk(upstream, at(TOWN), bad)
    assert refused.status_code == 400
    assert refused.json() == {"status": 400, "error": "Invalid longitude/latitude submitted"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"}{", "Invalid JSON submitted.\n"),
        (b"7", "Invalid JSON submitted.\n"),
        (b"", "Invalid JSON query submitted. \n"),
        (b"[]", "Invalid JSON query submitted. \n"),
        (b'{"geolocations": null}', "Invalid JSON query submitted. \n"),
        (b'{"geolocations": "bogus"}', "Invalid data submitted. You need to provide a JSON array"),
        (b'{"geolocations": [{"longitude": 1, "latitude": 1, "limit": "x"}]}', "Invalid result limit submitted"),
        (b'{"geolocations": [{"longitude": 1, "latitude": 1, "radius": "x"}]}', "Invalid lookup radius submitted"),
        (b'{"geolocations": [{"longitude": 1, "latitude": 1, "limit": []}]}', "Invalid result limit submitted"),
    ],
)
def test_a_body_it_cannot_read_is_400(upstream: RunningPostcodesIo, body: bytes, message: str) -> None:
    refused = requests.post(
        f"{upstream.url}/postcodes", data=body, headers={"Content-Type": "application/json"}, timeout=5
    )
    assert refused.status_code == 400
    assert refused.json()["error"].startswith(message)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"geolocations": []}' + b" " * 102_381, "application/json"),
        (b'{"geolocations": []}', None),
        (b'{"geolocations": []}', "text/plain"),
        (b'{"geolocations": []}', "application/json; charset=bogus"),
        (b'{"geolocations": [{"longitude": 1, "latitude": 1, "limit": -1}]}', "application/json"),
    ],
)
def test_what_postcodes_io_stumbles_over_is_500(
    upstream: RunningPostcodesIo, body: bytes, content_type: str | None
) -> None:
    refused = requests.post(
        f"{upstream.url}/postcodes",
        data=body,
        headers={"Content-Type": content_type} if content_type else {},
        timeout=5,
    )
    assert refused.status_code == 500
    assert refused.json()["status"] == 500
    assert refused.json()["error"].startswith("500 Server Error.\n")


def test_the_largest_body_is_102400_bytes(upstream: RunningPostcodesIo) -> None:
    body = b'{"geolocations": []}'.ljust(102_400)
    answer = requests.post(
        f"{upstream.url}/postcodes", data=body, headers={"Content-Type": "application/json"}, timeout=5
    )
    assert answer.json() == {"status": 200, "result": []}


def test_a_filter_keeps_some_fields_and_loses_the_distance(upstream: RunningPostcodesIo) -> None:
    (item,) = bulk(upstream, at(TOWN, limit=1), query="?filter=postcode,country,distance").json()["result"]
    assert item["result"] == [{"postcode": "TW1 1AA", "country": "England"}]
    (item,) = bulk(upstream, at(TOWN, limit=1), query="?filter=bogus").json()["result"]
    assert item["result"] == [{}]


def test_bulk_lookup_of_postcodes(upstream: RunningPostcodesIo) -> None:
    answer = requests.post(
        f"{upstream.url}/postcodes", json={"postcodes": ["hm11aa", "ZZ99 9ZZ", "bogus", 7]}, timeout=5
    ).json()
    assert [item["query"] for item in answer["result"]] == ["hm11aa", "ZZ99 9ZZ", "bogus"]
    assert answer["result"][0]["result"]["country"] == "Scotland"
    assert "distance" not in answer["result"][0]["result"]
    assert [item["result"] for item in answer["result"][1:]] == [None, None]


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/ping", 200, {"status": 200, "result": "pong"}),
        ("/ready", 200, {"status": 200, "result": "Ready"}),
        ("/nope", 404, {"status": 404, "error": "Resource not found"}),
        ("/postcodes/ZZ999ZZ", 404, {"status": 404, "error": "Postcode not found"}),
        ("/postcodes/bogus", 404, {"status": 404, "error": "Invalid postcode"}),
        ("/postcodes/TW11AA/validate", 200, {"status": 200, "result": True}),
        ("/postcodes?lon=2.5&lat=56.0", 200, {"status": 200, "result": None}),
        ("/postcodes?lon=-2&lat=59&widesearch=true", 200, {"status": 200, "result": None}),
        ("/postcodes?lon=BOGUS&lat=51.5", 400, {"status": 400, "error": "Invalid longitude/latitude submitted"}),
        (
            "/postcodes?lon=-0.12",
            400,
            {"status": 400, "error": "No postcode query submitted. Remember to include query parameter"},
        ),
    ],
)
def test_the_other_routes(upstream: RunningPostcodesIo, path: str, status: int, body: dict[str, Any]) -> None:
    answer = requests.get(upstream.url + path, timeout=5)
    assert (answer.status_code, answer.json()) == (status, body)


def test_a_single_location_and_a_single_postcode(upstream: RunningPostcodesIo) -> None:
    nearest = requests.get(f"{upstream.url}/postcodes?lon=-1.0&lat=52.0&limit=1", timeout=5).json()["result"]
    shown = requests.get(f"{upstream.url}/postcodes/tw1%201aa", timeout=5).json()["result"]
    assert nearest == [{**shown, "distance": 0}]


def test_the_real_process_serves_a_file_and_its_cache_and_ends_on_sigterm(tmp_path: Path) -> None:
    data, cache = tmp_path / "postcodes.csv.gz", tmp_path / "postcodes.npz"
    with gzip.open(data, "wt", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(FILE_COLUMNS)
        rows.writerow(["TW1 1AA", "52.000000", "-1.000000", "468000", "234000", "50", "E92000001", "", "E07000001", ""])
        rows.writerow(["TW1 1AB", "", "", "", "", "90", "E92000001", "", "", ""])
    command = [sys.executable, str(Path(__file__).with_name("postcodes_io.py")), "--data", str(data)]
    for _ in range(2):
        with subprocess.Popen([*command, "--cache", str(cache)], stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                url = process.stdout.readline().split()[-1]
                (postcode,) = requests.get(f"{url}/postcodes?lat=52&lon=-1", timeout=5).json()["result"]
                assert (postcode["postcode"], postcode["quality"], postcode["eastings"]) == ("TW1 1AA", 5, 468_000)
                assert requests.get(f"{url}/_control/stats", timeout=5).json()["calls"] == 1
            finally:
                process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def test_a_cache_of_another_file_is_not_used(tmp_path: Path) -> None:
    data, cache = tmp_path / "postcodes.csv", tmp_path / "postcodes.npz"
    line = "TW1 1AA,52.000000,-1.000000,468000,234000,10,E92000001,,,\n"
    data.write_text(",".join(FILE_COLUMNS) + "\n" + line)
    assert load_table(data, cache=cache).postcode.tolist() == [b"TW1 1AA"]
    data.write_text(",".join(FILE_COLUMNS) + "\n" + line.replace("TW1", "TW11"))
    assert load_table(data, cache=cache).postcode.tolist() == [b"TW11 1AA"]
