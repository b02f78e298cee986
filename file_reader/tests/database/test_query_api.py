"""`/rows/` and `/uploads/{id}/rows/`: filters and pages."""

import math
from typing import Any

import pytest
from tests.api import UPLOADS, Api, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer, answer_to, postcode_at
from tests.working import work_until_ended

pytestmark = pytest.mark.django_db
ROWS = "/api/v1/rows/"
FILE = "lat,lon\n51.501009,-0.141588\n51.6,-0.2\n56,2.5\n0,0\nx,y\n51.501009,-0.141588\n53.4,-2.2\n"


@pytest.fixture
def upload(api: Api, consumer: FakePostcodeConsumer) -> dict[str, Any]:
    """An upload with rows of every status; row 7 has failed, row 2 is in Wales."""
    consumer.failing = {(53.4, -2.2)}
    wales = answer_to(51.6, -0.2)
    consumer.answers[51.6, -0.2] = {
        **wales,
        "postcode_details": {**wales["postcode_details"], "country": "Wales", "admin_district": "Ynys Môn"},
    }
    made = api.upload(FILE)
    work_until_ended()
    return made


def found(api: Api, **filters: str) -> list[int]:
    response = api.get(ROWS, **filters)
    assert response.status_code == 200, response.content
    return [row["row"] for row in response.json()["results"]]


def test_a_row_has_every_member(api: Api, upload: dict[str, Any]) -> None:
    first, *_, rejected, _, _ = api.get(ROWS).json()["results"]
    assert first == {
        "upload": upload["id"], "row": 1, "latitude": 51.501009, "longitude": -0.141588, "status": "match",
        "reason": None, "postcode": "SW1A 1AA", "distance_m": 0.0, "outcode": "SW1A", "country": "England",
        "region": "London", "admin_district": "Westminster", "admin_ward": "St James's",
    }  # fmt: skip
    assert (rejected["status"], rejected["line"], rejected["raw"]) == ("rejected", 6, "x,y")
    assert api.rows(upload)[0] == first


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"status": "match"}, [1, 2, 6]),
        ({"status": "no_match"}, [3, 4]),
        ({"status": "failed"}, [7]),
        ({"status": "rejected"}, [5]),
        ({"status": "pending"}, []),
        ({"reason": "outside_uk"}, [4]),
        ({"reason": "not_a_number"}, [5]),
        ({"status": "no_match", "reason": "outside_uk"}, [4]),
        ({"status": "failed", "reason": "outside_uk"}, []),
        ({"status": "match", "reason": "outside_uk"}, []),
        ({"reason": "Outside_UK"}, []),
        ({"postcode": "SW1A 1AA"}, [1, 6]),
        ({"postcode": "sw1a1aa"}, [1, 6]),
        ({"postcode": "ZZ1 1ZZ"}, []),
        ({"outcode": "SW1A"}, [1, 6]),
        ({"outcode": " sw1a "}, [1, 6]),
        ({"outcode": "SW1"}, []),
        ({"country": "Wales"}, [2]),
        ({"country": "England"}, [1, 6]),
        ({"admin_district": "Westminster"}, [1, 6]),
        ({"admin_district": "Ynys Môn"}, [2]),
        ({"bbox": "-0.3,51.55,-0.1,51.7"}, [2]),
        ({"bbox": "-1,51,3,57"}, [1, 2, 3, 6]),
        ({"bbox": "-0.141588,51.501009,-0.141588,51.501009"}, [1, 6]),
        ({"near": "51.501009,-0.141588", "radius": "1"}, [1, 6]),
        ({"near": "51.5,-0.14", "radius": "20000"}, [1, 2, 6]),
        ({"near": "0,0", "radius": "100000"}, [4]),
        ({"status": "match", "country": "England", "bbox": "-1,51,1,52"}, [1, 6]),
        ({"status": "match", "outcode": "SW1A", "near": "51.6,-0.2", "radius": "100"}, []),
        ({"status": "", "postcode": "", "bbox": ""}, [1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_rows_are_filtered(api: Api, upload: dict[str, Any], filters: dict[str, str], rows: list[int]) -> None:
    assert found(api, **filters) == rows
    assert [row["row"] for row in api.rows(upload, **filters)] == rows


def test_the_radius_is_metres_on_the_ground(api: Api, upload: dict[str, Any]) -> None:
    # One hundredth of a degree of latitude is 1,112 m, of longitude at 51.6° north 691 m.
    for near, metres in (("51.61,-0.2", 1_112), ("51.6,-0.21", 691)):
        assert found(api, near=near, radius=str(metres - 10)) == []
        assert found(api, near=near, radius=str(metres + 10)) == [2]


@pytest.mark.parametrize("near", ["90,0", "-90,0", "51.6,180"])
def test_the_radius_works_at_the_edges_of_the_world(api: Api, upload: dict[str, Any], near: str) -> None:
    assert found(api, near=near, radius="1000") == []


def test_rows_of_one_upload_are_found(api: Api, upload: dict[str, Any]) -> None:
    other = api.upload("lat,lon\n51.501009,-0.141588\n")
    work_until_ended()
    assert len(found(api, status="match")) == 4
    assert len(found(api, status="match", upload=upload["id"])) == 3
    assert found(api, upload=other["id"]) == [1]
    problem_of(api.get(ROWS, upload="0a7989ce-f211-4b20-8f5e-81abbce641ee"), 404, "not-found")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "lost"), ("status", "MATCH"), ("upload", "1"), ("upload", "x"), ("bbox", "1,2,3"),
        ("bbox", "1,2,3,x"), ("bbox", "1,2,3,nan"), ("bbox", "1,2,3,inf"), ("bbox", "1_0,2,3,4"), ("bbox", "1,2,3,4,5"),
        ("bbox", "١,2,3,4"),
        ("postcode", "SW1A\0 1AA"), ("outcode", "\0"), ("country", "a\0b"), ("admin_district", "\0"),
        ("page_size", "0"), ("cursor", "cD14"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_valid_is_named(api: Api, name: str, value: str) -> None:
    problem = problem_of(api.get(ROWS, **{name: value}), 400, "invalid-parameter")
    assert problem["detail"].startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("near", "radius", "name"),
    [
        ("51.6,-0.2", None, "radius"), (None, "100", "near"), ("51.6", "100", "near"), ("x,y", "100", "near"),
        ("91,0", "100", "near"), ("51.6,181", "100", "near"), ("51.6,nan", "100", "near"), ("51.6,-0.2", "0", "radius"),
        ("51.6,-0.2", "-1", "radius"), ("51.6,-0.2", "100001", "radius"), ("51.6,-0.2", "far", "radius"),
        ("51.6,-0.2", "inf", "radius"),
    ],
)  # fmt: skip
def test_near_and_radius_go_together_and_are_named(api: Api, near: str | None, radius: str | None, name: str) -> None:
    query = {key: value for key, value in (("near", near), ("radius", radius)) if value is not None}
    problem = problem_of(api.get(ROWS, **query), 400, "invalid-parameter")
    assert problem["detail"].startswith(f"{name}: ")


@pytest.mark.parametrize("filters", [{}, {"status": "match"}, {"near": "50.1,-0.1", "radius": "100000"}])
def test_pages_go_forward_and_back_without_gaps_or_repeats(
    api: Api, consumer: FakePostcodeConsumer, filters: dict[str, str]
) -> None:
    api.upload("lat,lon\n" + "".join(f"50.{number:03d},-0.1\n" for number in range(25)))
    work_until_ended()
    pages = [api.get(ROWS, page_size=7, **filters).json()]
    while pages[-1]["next"]:
        pages.append(api.get(pages[-1]["next"]).json())
    assert [[row["row"] for row in page["results"]] for page in pages] == [
        [*range(1, 8)], [*range(8, 15)], [*range(15, 22)], [*range(22, 26)]
    ]  # fmt: skip
    assert pages[0]["previous"] is None
    back = [pages[-1]]
    while back[-1]["previous"]:
        back.append(api.get(back[-1]["previous"]).json())
    assert [page["results"] for page in back] == [page["results"] for page in pages[::-1]]


def test_rows_that_come_while_someone_pages_are_not_repeated(api: Api, consumer: FakePostcodeConsumer) -> None:
    first = api.upload("lat,lon\n" + "51.5,-0.1\n" * 10)
    work_until_ended()
    page = api.get(ROWS, page_size=6).json()
    api.upload("lat,lon\n" + "51.5,-0.1\n" * 3)
    work_until_ended()
    rest = api.get(page["next"]).json()
    seen = [(row["upload"], row["row"]) for row in page["results"] + rest["results"]]
    assert len(set(seen)) == len(seen) == 12
    assert seen[:10] == [(first["id"], number) for number in range(1, 11)]


@pytest.mark.parametrize(("path", "size"), [(ROWS, 2), (UPLOADS, 1)])
@pytest.mark.parametrize("gone", ["page that is asked for", "page it was asked from"])
def test_from_a_page_on_which_nothing_is_left_there_is_a_way_back(
    api: Api, consumer: FakePostcodeConsumer, path: str, size: int, gone: str
) -> None:
    made = [api.upload("lat,lon\n" + "51.5,-0.1\n" * 2) for _ in range(2)]
    work_until_ended()
    first = api.get(path, page_size=size).json()
    second = api.get(first["next"]).json()
    order = made if path == ROWS else made[::-1]
    if gone == "page that is asked for":
        api.delete(f"{UPLOADS}{order[1]['id']}/")
        empty = api.get(first["next"]).json()
        back, expected, nothing = empty["previous"], first["results"], empty["next"]
    else:
        api.delete(f"{UPLOADS}{order[0]['id']}/")
        empty = api.get(second["previous"]).json()
        back, expected, nothing = empty["next"], second["results"], empty["previous"]
    assert (empty["results"], nothing) == ([], None)
    assert api.get(back).json()["results"] == expected


def test_rows_do_not_reach_into_the_next_upload(api: Api, consumer: FakePostcodeConsumer) -> None:
    made = [api.upload("lat,lon\n" + "51.5,-0.1\n" * rows) for rows in (2, 3, 4)]
    work_until_ended()
    assert [len(api.rows(upload)) for upload in made] == [2, 3, 4]


def test_the_stand_ins_postcodes_differ() -> None:
    assert len({postcode_at(50 + step / 1_000, -0.1) for step in range(1_000)}) == 1_000
    assert math.isclose(answer_to(51.6, -0.2)["distance_m"], 12.5)
