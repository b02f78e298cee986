"""Totals of an upload that has ended, as its summary has them."""

from typing import Any

import pytest
from tests.api import UPLOADS, Api, Json, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.invariant import assert_invariant
from tests.row_sets import make_upload, write_indexes
from tests.working import work_until_ended

from uploads.models import TotalBlock, Upload
from uploads.rows import totals
from uploads.rows.totals import KINDS
from uploads.work.commands import delete_upload, retry_upload
from uploads.work.indexing import claim_index, give_up_index, write_segment

pytestmark = pytest.mark.django_db
BLOCK = 3


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Several segments, several blocks, and several sorts."""
    settings.INDEX_SEGMENT_ROWS = 100
    monkeypatch.setattr(totals, "_BLOCK", BLOCK)
    monkeypatch.setattr(totals, "_SORTED_AT_ONCE", 150)
    monkeypatch.setattr(totals, "_SENT_BLOCKS", 2)


def path_of(upload: Upload) -> str:
    return f"{UPLOADS}{upload.public_id}/summary"


def walked(api: Api, address: str, direction: str) -> list[Json]:
    """All results from a page on, page by page."""
    found: list[Json] = []
    while address:
        page = api.client.get(address).json()
        found = [*found, *page["results"]] if direction == "next" else [*page["results"], *found]
        address = page[direction]
    return found


@pytest.mark.parametrize("by", KINDS)
@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
def test_the_pages_of_a_summary_have_every_total_once_in_both_directions(api: Api, by: str, size: int) -> None:
    upload = make_upload(350)
    write_indexes()
    assert_invariant()  # which counts all of them in plain Python
    first = f"{path_of(upload)}/?by={by}&page_size={size}"
    forwards = walked(api, first, "next")
    assert sum(total["rows"] for total in forwards) == 350
    assert [total["rows"] for total in forwards] == sorted([total["rows"] for total in forwards], reverse=True)
    assert len({total["value"] for total in forwards}) == len(forwards)
    last = api.client.get(first).json()
    while last["next"]:
        last = api.client.get(last["next"]).json()
    assert walked(api, last["previous"], "previous") + last["results"] == forwards if last["previous"] else True


@pytest.mark.parametrize("by", KINDS)
def test_the_table_has_the_same(api: Api, by: str) -> None:
    upload = make_upload(350)
    write_indexes()
    response = api.get(f"{path_of(upload)}.csv", by=by)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    head, *lines = b"".join(response.streaming_content).decode().splitlines()
    assert head == f"{by},rows"
    shown = api.get(f"{path_of(upload)}/", by=by, page_size=1_000).json()["results"]
    assert lines == [f"{'' if total['value'] is None else total['value']},{total['rows']}" for total in shown]


def test_a_summary_says_what_a_person_would_count(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.failing = {(53.4, -2.2)}
    upload = api.upload("lat,lon\n51.501009,-0.141588\n51.501009,-0.141588\n53.4,-2.2\nx,1\n0,0\n99,0\n")
    assert api.show(upload)["reasons"] is None
    work_until_ended()
    shown = api.show(upload)
    assert shown["reasons"]["rejected"] == {"not_a_number": 1, "latitude_out_of_range": 1}
    assert shown["reasons"]["failed"].keys() == {"upstream_rejected"}
    by_status = api.client.get(f"{shown['links']['summary']}?by=status").json()["results"]
    assert by_status[:2] == [{"value": "match", "rows": 2}, {"value": "rejected", "rows": 2}]
    (largest, *_) = api.client.get(f"{shown['links']['summary']}?by=postcode").json()["results"]
    assert largest == {"value": None, "rows": 4}
    assert api.post(f"{UPLOADS}{upload['id']}/retry/").json()["reasons"] is None


def test_while_an_upload_is_open_its_totals_are_not_told(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload("lat,lon\n51.5,-0.1\n")
    for path in ("summary/", "summary.csv"):
        problem_of(api.get(f"{UPLOADS}{upload['id']}/{path}", by="postcode"), 409, "totals-not-ready")
        problem = problem_of(api.get(f"{UPLOADS}{upload['id']}/{path}", by="colour"), 400, "invalid-parameter")
        assert "postcode, outcode, admin_district, region, country, status, reason, distance" in problem["detail"]
    work_until_ended()
    assert api.get(f"{UPLOADS}{upload['id']}/summary/", by="status").json()["results"] == [
        {"value": "match", "rows": 1}
    ]


def test_a_table_of_totals_that_go_meanwhile_breaks_off(api: Api) -> None:
    upload = make_upload(350)
    write_indexes()
    pieces = iter(api.get(f"{path_of(upload)}.csv", by="postcode").streaming_content)
    next(pieces), next(pieces)
    retry_upload(upload)
    with pytest.raises(RuntimeError, match="of 350"):
        list(pieces)


def test_what_was_kept_of_an_index_that_was_given_up_counts_no_more(settings: Any) -> None:
    upload = make_upload(350)
    lease = claim_index()
    for _ in range(3):
        assert lease is not None
        lease = write_segment(lease)
    give_up_index(upload.pk)
    settings.INDEX_SEGMENT_ROWS = 60
    write_indexes()
    assert_invariant()


def test_totals_go_with_their_upload(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = make_upload(350)
    write_indexes()
    delete_upload(upload)
    work_until_ended()
    assert not TotalBlock.objects.exists()
