"""The map of an upload: the cells in which its rows lie, before, while and after they get their answers."""

import math
from collections import Counter
from typing import Any

import pytest
from tests.api import UPLOADS, Api, Json, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.invariant import assert_invariant
from tests.working import work_until_ended

from uploads.models import MapPart, Row, Upload
from uploads.rows import map as maps
from uploads.work.commands import delete_upload
from uploads.work.worker import Worker

pytestmark = pytest.mark.django_db
#: On borders, on both sides of Greenwich and of the equator, and at the edges of the world.
PLACES = [
    (51.5, -0.1), (51.5, -0.1000001), (51.515, 0.015), (51.505, 0.0), (51.4999999, -1e-9), (-0.005, -0.005), (0, 0),
    (90, 180), (-90, -180), (53.4, -2.2), (55.95, -3.19), (57.123, -4.321),
]  # fmt: skip
FILE = "lat,lon\n" + "".join(f"{latitude},{longitude}\n" for latitude, longitude in PLACES) + "x,y\n"
STATUSES = ("match", "no_match", "failed", "rejected", "pending")


def map_of(api: Api, upload: Json, **query: str) -> Json:
    response = api.get(f"{UPLOADS}{upload['id']}/cells/", **query)
    assert response.status_code == 200, response.content
    return response.json()


def expected(steps: int, wanted: Any = lambda row: True) -> tuple[dict[tuple[int, int], Counter[str]], int]:
    """By the words of docs/api.md: the cells of all rows that there are, and how many rows are in none."""
    cells: dict[tuple[int, int], Counter[str]] = {}
    outside = 0
    for row in Row.objects.all():
        if row.latitude is None or not wanted(row):
            outside += row.latitude is None and wanted(row)
            continue
        cell = math.floor(row.longitude * 200) // steps, math.floor(row.latitude * 200) // steps
        cells.setdefault(cell, Counter())[row.get_status_display()] += 1
    return cells, outside


def cells_in(found: Json) -> dict[tuple[int, int], Counter[str]]:
    return {(i, j): +Counter(dict(zip(STATUSES, rows, strict=True))) for i, j, *rows in found["cells"]}


@pytest.mark.parametrize(("size", "steps"), [("0.005", 1), ("0.02", 4), ("0.1", 20), ("1", 200), ("90", 18_000)])
def test_at_every_moment_each_row_is_in_its_cell_with_what_became_of_it(
    api: Api, consumer: FakePostcodeConsumer, settings: Any, size: str, steps: int
) -> None:
    settings.CHUNK_ROWS = 3
    consumer.failing = {(53.4, -2.2), (55.95, -3.19)}
    upload = api.upload(FILE)
    assert map_of(api, upload) == {"size": 0.02, "cells": [], "outside": 0}
    worker, seen = Worker(), Counter[str]()
    while worker.run_once():
        found = map_of(api, upload, size=size)
        assert (cells_in(found), found["outside"]) == expected(steps)
        assert found["size"] == float(size)
        seen.update({status for rows in cells_in(found).values() for status in rows})
    worker.stop()
    assert {"match", "no_match", "failed", "pending"} <= {*seen}
    consumer.failing = set()
    assert api.post(f"{UPLOADS}{upload['id']}/retry/").status_code == 200
    again = map_of(api, upload, size=size)
    assert cells_in(again) == expected(steps)[0]
    assert sum(cells_in(again).values(), Counter())["pending"] == 2
    work_until_ended()
    assert_invariant()
    assert cells_in(map_of(api, upload, size=size)) == expected(steps)[0]


def test_a_row_that_nobody_could_answer_is_failed_on_the_map(
    api: Api, consumer: FakePostcodeConsumer, settings: Any
) -> None:
    settings.MAX_ATTEMPTS = 1
    consumer.always = "400"
    upload = api.upload("lat,lon\n51.5,-0.1\n")
    work_until_ended()
    assert cells_in(map_of(api, upload)) == {(-5, 2575): Counter(failed=1)}
    assert_invariant()


@pytest.mark.parametrize("status", ["match", "rejected", "pending"])
def test_a_status_and_a_box_leave_the_others_out(api: Api, consumer: FakePostcodeConsumer, status: str) -> None:
    upload = api.upload(FILE)
    Worker().run_once()
    found = map_of(api, upload, status=status)
    assert (cells_in(found), found["outside"]) == expected(4, lambda row: row.get_status_display() == status)
    # The cells that it touches, and not only the places in it.
    boxed = map_of(api, upload, bbox="-0.09,51.51,0.001,51.515")
    cells = {cell: rows for cell, rows in expected(4)[0].items() if -5 <= cell[0] <= 0 and cell[1] == 2575}
    assert cells
    assert cells_in(boxed) == cells
    assert map_of(api, upload, bbox="-1e307,-1e307,1e307,1e307") == map_of(api, upload)
    assert map_of(api, upload, bbox="181,-90,200,90")["cells"] == []
    assert boxed["outside"] == len(PLACES) + 1 - sum(sum(rows.values()) for rows in cells.values())


def test_too_many_cells_become_larger_ones(
    api: Api, consumer: FakePostcodeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = api.upload(FILE)
    work_until_ended()
    monkeypatch.setattr(maps, "MOST_CELLS", 5)
    found = map_of(api, upload, size="0.02")
    steps = round(found["size"] * 200)
    assert steps in (4 << power for power in range(1, 20))
    assert len(expected(steps // 2)[0]) > 5
    assert cells_in(found) == expected(steps)[0]


@pytest.mark.parametrize("size", ["0", "0.001", "0.0075", "90.005", "-1", "nan", "1_0", "x", ""])
def test_sizes_that_there_are_not_are_refused(api: Api, size: str) -> None:
    upload = api.upload("lat,lon\n51.5,-0.1\n")
    problem = problem_of(api.get(f"{UPLOADS}{upload['id']}/cells/", size=size), 400, "invalid-parameter")
    assert "from 0.005 to 90, in steps of 0.005" in problem["detail"]


def test_a_map_goes_with_its_upload(api: Api, consumer: FakePostcodeConsumer) -> None:
    api.upload(FILE)
    work_until_ended()
    assert MapPart.objects.exists()
    delete_upload(Upload.objects.get())
    work_until_ended()
    assert not MapPart.objects.exists()
