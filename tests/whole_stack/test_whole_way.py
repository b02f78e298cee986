"""A file goes in at the gateway and comes back with postcodes."""

from pathlib import Path

from country import csv_of
from postcodes_io import RunningPostcodesIo
from stack import check_result, running_stack


def test_every_record_comes_back_in_its_place_with_its_nearest_postcode(
    tmp_path: Path, upstream: RunningPostcodesIo, databases: dict[str, str]
) -> None:
    settings = {"PROVIDER": "postcodes_io", "POSTCODES_IO_URL": upstream.url, "POSTCODES_IO_CALLS_PER_SECOND": "0"}
    with running_stack(tmp_path, WORKERS="3", CHUNK_ROWS="500", **settings, **databases) as stack:
        content = csv_of(6_000)
        upload = stack.upload(content)
        done = stack.wait_until_done(upload)
        check_result(content, stack.result(upload), done)
        assert done["progress"] == 1.0
        assert done["rows"]["matched"] > 4_000
        assert done["rows"]["no_match"] > 50

        first = stack.call("GET", upload["links"]["rows"], params={"status": "match", "page_size": "2"}).json()
        postcode = first["results"][0]["postcode"]
        same = stack.call("GET", "/api/v1/rows/", params={"postcode": postcode}).json()["results"]
        assert {row["postcode"] for row in same} == {postcode}
        assert stack.call("GET", f"/api/v1/postcodes/{postcode}/").json()["rows"] == len(same)


def test_no_location_is_ever_asked_twice_for_one_radius(
    tmp_path: Path, upstream: RunningPostcodesIo, databases: dict[str, str]
) -> None:
    settings = {
        "PROVIDER": "postcodes_io",
        "POSTCODES_IO_URL": upstream.url,
        "POSTCODES_IO_CALLS_PER_SECOND": "0",
        "POSTCODE_CONSUMER_PROCESSES": "2",
        "WORKERS": "3",
        "CHUNK_ROWS": "500",
        **databases,
    }
    content = csv_of(4_000)
    with running_stack(tmp_path, **settings) as stack:
        first = stack.upload(content)
        stack.wait_until_done(first)
        result = stack.result(first)
        asked = upstream.stats["locations"]
        assert asked > 2_500
        second = stack.upload(content, filename="again.csv")
        stack.wait_until_done(second)
        assert stack.result(second) == result
    with running_stack(tmp_path, **settings) as stack:
        third = stack.upload(content, filename="after a restart.csv")
        stack.wait_until_done(third)
        assert stack.result(third) == result
    assert (upstream.stats["locations"], upstream.stats["repeats"]) == (asked, 0)


def test_lookups_are_answered_through_the_gateway(tmp_path: Path) -> None:
    palace = {"latitude": 51.501009, "longitude": -0.141588}
    with running_stack(tmp_path) as stack:
        single = stack.call("GET", "/api/v1/reverse-geocode/", params=palace).json()
        assert (single["status"], single["postcode"]) == ("match", "SW1A 1AA")
        sea = {"latitude": 56.0, "longitude": 2.5}
        bulk = stack.call("POST", "/api/v1/reverse-geocode/", json={"locations": [sea, palace]}).json()
        assert [result["postcode"] for result in bulk["results"]] == [None, "SW1A 1AA"]
        wrong = stack.call("POST", "/api/v1/reverse-geocode/", json={"locations": [palace, {"latitude": 95}]})
        assert (wrong.status_code, wrong.json()["index"]) == (400, 1)
