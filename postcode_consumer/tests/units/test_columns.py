"""POST /api/v1/reverse-geocode/ in columns: the same answers as in JSON, from providers without a database."""

import csv
import itertools
import logging
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from prometheus_client import REGISTRY
from tests.calls import PATH, assert_problem
from tests.columns import CONTENT_TYPE, Place, answer, question, raw_question, said_in_columns, said_in_json, send
from tests.fake_postcodes_io import CASTLE, DOWNING_STREET, NORTH_SEA, PALACE
from tests.index_files import NAME_TABLES, ONS_2025, table, zipped

from lookups.index.build import build
from lookups.providers.sandbox import GAZETTEER

Call = Callable[..., Any]
Choose = Callable[..., None]

WITHOUT_NORTHERN_IRELAND = "local without Northern Ireland"
LARNE = (54.8578, -5.8236)
PORTPATRICK = (54.8420, -5.1170)
OUTSIDE = [(0.0, 0.0), (48.9, 0.0), (61.6, -1.0), (55.0, -9.6), (51.0, 2.7), (-90.0, -180.0), (90.0, 180.0)]
CORNERS = [(49.0, -9.5), (61.5, 2.6), (61.5 + 1e-9, 2.6), (49.0, 2.6 + 1e-9)]
AREAS = (
    {"country": "E92000001", "region": "E12000007", "district": "E09000033", "ward": "E05013806"},
    {"country": "S92000003", "region": "S99999999", "district": "S12000036", "ward": "S13002935"},
    {"country": "W92000004"},
    {},
)


with GAZETTEER.open(encoding="utf-8", newline="") as _file:
    GAZETTEERS = [
        (line["postcode"], (float(line["latitude"]), float(line["longitude"]))) for line in csv.DictReader(_file)
    ]


def some_places(count: int) -> list[Place]:
    """All over the gazetteer's country: near its places, between them, at sea; some twice, and some outside."""
    draw = np.random.default_rng(1)
    known = np.array([place for _, place in GAZETTEERS])
    near = known[draw.integers(0, len(known), count)] + draw.normal(0, 1, (count, 2)) * 10 ** draw.uniform(-5, -1)
    anywhere = draw.uniform((48.5, -10), (62, 3), (count // 4, 2))
    twice = near[draw.integers(0, count, count // 4)]
    mixed = draw.permutation(np.concatenate([near, anywhere, twice, known]))
    return [*map(tuple, mixed.tolist()), *OUTSIDE, *CORNERS, LARNE, PORTPATRICK, PALACE, PALACE]


def local_index(folder: Path, *, northern_ireland: bool) -> Path:
    """Of the gazetteer's places and one beside Larne, with areas of all kinds; of places at one distance, and of two
    postcodes at one place."""
    places = [
        *GAZETTEERS,
        ("KA1 1AA", (54.8578, -5.60)),
        ("AB1 1AA", (52.5, -1.90)),
        ("AB1 1AB", (52.5, -1.88)),
        ("AB1 1AC", (52.5, -1.90)),
    ]
    rows = [
        {"postcode": postcode, "latitude": place[0], "longitude": place[1], **AREAS[number % 4]}
        for number, (postcode, place) in enumerate(places)
        if northern_ireland or not postcode.startswith("BT")
    ]
    build(zipped(folder / "onspd.zip", {"Data/ONSPD.csv": table(ONS_2025, rows), **NAME_TABLES}), folder / "index")
    return folder / "index"


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    whole, part = (tmp_path_factory.mktemp(name) for name in ("whole", "part"))
    return {
        "local": local_index(whole, northern_ireland=True),
        WITHOUT_NORTHERN_IRELAND: local_index(part, northern_ireland=False),
    }


@pytest.fixture(params=["sandbox", "local", WITHOUT_NORTHERN_IRELAND])
def provider(request: pytest.FixtureRequest, service_provider: Choose, indexes: dict[str, Path]) -> str:
    """Has the service use it, and is its name."""
    if request.param == "sandbox":
        return "sandbox"
    service_provider(PROVIDER="local", LOCAL_INDEX=indexes[request.param])
    return "local"


# --- The same as JSON ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("max_distance", [0.5, 100, 2_000.0, 20_000])
def test_columns_say_what_json_says(call: Call, provider: str, max_distance: float) -> None:
    places = [*some_places(600), (52.5, -1.89), (52.5, -1.90)]
    said = said_in_columns(call, places, max_distance=max_distance)
    assert said == said_in_json(call, places, max_distance=max_distance)
    assert len({place[2] for place in said}) > 10
    reasons = {place[1] for place in said}
    assert reasons - {"not_covered"} | {"none_within_max_distance"} == {None, "none_within_max_distance", "outside_uk"}


def test_the_maximum_distance_has_the_same_edge(call: Call, provider: str) -> None:
    place = (PALACE[0] + 0.0037, PALACE[1] + 0.0011)
    ((_, _, _, metres, *_),) = said_in_columns(call, [place])
    statuses = set()
    for limit in (metres + step / 1_000 for step in range(-8, 9)):
        said = said_in_columns(call, [place], max_distance=limit)
        assert said == said_in_json(call, [place], max_distance=limit)
        statuses.add(said[0][0])
    assert statuses == {"match", "no_match"}


def test_without_a_maximum_distance_it_is_that_of_json(call: Call, provider: str) -> None:
    places = [(PALACE[0] + 0.0001 * n, PALACE[1] - 5) for n in range(2_000)] + some_places(100)
    assert said_in_columns(call, places) == said_in_json(call, places)


def test_northern_ireland_gets_no_scottish_postcode(
    call: Call, service_provider: Choose, indexes: dict[str, Path]
) -> None:
    service_provider(PROVIDER="local", LOCAL_INDEX=indexes[WITHOUT_NORTHERN_IRELAND])
    places = [(54.8578, -5.60 - 0.01 * n) for n in range(-60, 30)]
    said = said_in_columns(call, places, max_distance=20_000)
    assert said == said_in_json(call, places, max_distance=20_000)
    assert said[-1][:2] == ("no_match", "not_covered")


# --- The shape -------------------------------------------------------------------------------------------------------
def test_every_place_and_every_area_is_there_once(call: Call, provider: str) -> None:
    got = answer(call, question([PALACE, CASTLE, PALACE, (PALACE[0] + 1e-5, PALACE[1]), NORTH_SEA, DOWNING_STREET]))
    assert sorted(got["postcodes"].tolist()) == [b"EH1 2NG", b"SW1A 1AA", b"SW1A 2AA"]
    assert set(got["place"].tolist()) == {-1, 0, 1, 2}
    areas = [tuple(area) for area in got["areas"]]
    assert len(set(areas)) == len(areas) == len(set(got["area"].tolist()))


def test_the_answer_says_which_question_it_answers(call: Call) -> None:
    places = np.array([PALACE, NORTH_SEA], "<f8")
    asked = places[:, 0].tobytes() + places[:, 1].tobytes()
    assert answer(call, question([PALACE, NORTH_SEA]))["asked"] == blake2b(asked, digest_size=16).digest()


def test_no_locations_have_an_answer_of_nothing(call: Call, provider: str) -> None:
    got = answer(call, question([]))
    assert {len(got[name]) for name in got.keys() - {"asked"}} == {0}


def test_five_thousand_locations_are_answered_and_one_more_is_not(call: Call, provider: str) -> None:
    assert len(answer(call, question([NORTH_SEA] * 5_000))["status"]) == 5_000
    body = assert_problem(send(call, question([NORTH_SEA] * 5_001)), "too-many-locations")
    assert body["max_locations"] == 5_000


@pytest.mark.parametrize("written", [CONTENT_TYPE, CONTENT_TYPE.upper(), f"{CONTENT_TYPE}; charset=binary"])
def test_the_content_type_may_be_written_in_its_ways(call: Call, written: str) -> None:
    response = call("POST", PATH, question([PALACE]), {"Content-Type": written, "Accept": "application/json"})
    assert response.headers["Content-Type"] == CONTENT_TYPE


def test_columns_are_not_taken_as_json(call: Call) -> None:
    assert_problem(call("POST", PATH, question([PALACE])), "invalid-json")


# --- What is refused -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("latitude", "longitude", "name"),
    [
        (90.0001, 0, "latitude"),
        (-91, 0, "latitude"),
        (0, 180.5, "longitude"),
        (0, -181, "longitude"),
        (np.nan, 0, "latitude"),
        (0, np.nan, "longitude"),
        (np.inf, 0, "latitude"),
        (0, -np.inf, "longitude"),
    ],
)
def test_a_bad_location_is_named_by_its_index(call: Call, latitude: float, longitude: float, name: str) -> None:
    response = send(call, question([PALACE, CASTLE, (latitude, longitude), (99, 0)]))
    body = assert_problem(response, "invalid-location")
    assert body["index"] == 2
    assert name in body["detail"]


@pytest.mark.parametrize(
    ("latitudes", "longitudes", "index", "name"),
    [
        ([51.5, 52], [0], 1, "longitude is missing"),
        ([51.5], [0, 0, 0], 1, "latitude is missing"),
        ([], [0], 0, "latitude is missing"),
        ([51.5, 99, 52], [0, 0], 1, "latitude must be"),
    ],
)
def test_columns_of_different_lengths_have_a_bad_location(
    call: Call, latitudes: list[float], longitudes: list[float], index: int, name: str
) -> None:
    body = assert_problem(send(call, raw_question(latitudes, longitudes)), "invalid-location")
    assert body["index"] == index
    assert name in body["detail"]


def test_a_member_that_nobody_knows_is_refused(call: Call) -> None:
    problem = assert_problem(send(call, question([PALACE], radius=100)), "invalid-member")
    assert (problem["member"], problem["accepted"]) == ("radius", ["latitudes", "longitudes", "max_distance"])


@pytest.mark.parametrize("value", [0, -1, 20_000.01, np.nan, np.inf, "2000", b"2000", True, None, [], {}], ids=repr)
def test_a_bad_maximum_distance_is_refused(call: Call, value: Any) -> None:
    assert_problem(send(call, question([PALACE], max_distance=value)), "invalid-max-distance")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x83",
        b'{"locations": []}',
        msgspec.msgpack.encode([]),
        msgspec.msgpack.encode({}),
        msgspec.msgpack.encode({"latitudes": b""}),
        msgspec.msgpack.encode({"latitudes": [51.5], "longitudes": [0.0]}),
        msgspec.msgpack.encode({"latitudes": "12345678", "longitudes": "12345678"}),
        msgspec.msgpack.encode({"latitudes": bytes(9), "longitudes": bytes(9)}),
        msgspec.msgpack.encode({"latitudes": bytes(8), "longitudes": bytes(7)}),
        question([PALACE]) + b"\x00",
        question([PALACE])[:-1],
        b"\x81\xa3abc" + b"\x91" * 100_000,
        b"\x81\xa2\xff\xff\x01",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_not_a_question_in_columns_is_refused(call: Call, body: bytes) -> None:
    assert_problem(send(call, body), "invalid-body")


def test_the_limits_of_a_body_are_those_of_json(call: Call) -> None:
    assert_problem(send(call, bytes((1 << 20) + 1)), "body-too-large", 413)
    assert_problem(send(call, question([]), {"Transfer-Encoding": "chunked"}), "length-required", 411)
    assert_problem(send(call, question([]), {"X-Internal-Token": ""}), "internal-token-required", 401)


def test_the_deadline_is_that_of_json(call: Call) -> None:
    assert_problem(send(call, question([PALACE]), {"X-Request-Deadline": "soon"}), "invalid-deadline")
    assert_problem(send(call, question([PALACE]), {"X-Request-Deadline": "0"}), "deadline-exceeded", 504)


# --- Outages, counters, logs -----------------------------------------------------------------------------------------
def test_without_an_index_there_is_an_outage_but_for_what_nobody_need_be_asked(
    call: Call, service_provider: Choose, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service_provider(PROVIDER="local", LOCAL_INDEX=tmp_path)
    response = send(call, question([(0, 0), PALACE]))
    assert "Build it with" in assert_problem(response, "upstream-unavailable", 503)["detail"]
    assert int(response.headers["Retry-After"]) > 0
    assert "lookup unavailable locations=2 " in caplog.text
    assert said_in_columns(call, OUTSIDE) == said_in_json(call, OUTSIDE)
    assert len(answer(call, question([]))["status"]) == 0


def counted(provider: str) -> list[float]:
    """Locations, answers by status, answered lookups."""

    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(f"postcode_consumer_{name}", labels) or 0

    answers = [value("answers_total", provider=provider, status=status) for status in ("match", "no_match", "failed")]
    return [value("locations_total"), *answers, value("lookup_seconds_count", outcome="answered")]


def test_lookups_are_counted_as_those_of_json(call: Call, provider: str) -> None:
    places = [PALACE, PALACE, NORTH_SEA, (0, 0)]
    counts = [counted(provider)]
    for look_up in (said_in_json, said_in_columns):
        look_up(call, places)
        counts.append(counted(provider))
    in_json, in_columns = (np.subtract(later, earlier).tolist() for earlier, later in itertools.pairwise(counts))
    assert in_columns == in_json == [4, 2, 2, 0, 1]


def test_an_unforeseen_fault_is_a_problem_too(
    call: Call, service_provider: Choose, caplog: pytest.LogCaptureFixture
) -> None:
    service_provider(LOOKUP_DEADLINE_SECONDS="not a number")
    with caplog.at_level(logging.ERROR):
        assert_problem(send(call, question([PALACE])), "internal-error", 500)
