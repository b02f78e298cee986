"""Looking at one upload: `manage.py show_upload` and its page in the admin say what happens next."""

import html
import re
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models.functions import Now
from django.test import Client
from tests.api import UPLOADS, Api, Caller
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import leases_run_out, work_until_ended, work_until_idle

from uploads.models import Chunk, ChunkState, Upload
from uploads.work.inspection import inspect_upload
from uploads.work.leases import claim_chunk, claim_upload
from uploads.work.loading import Loader

pytestmark = pytest.mark.django_db
CSV = "lat,lon\n51.501009,-0.141588\n51.6,-0.2\nx,y\n53.4,-2.2\n"


@pytest.fixture
def admin(settings: Any) -> Client:
    client = Caller(headers={"X-Internal-Token": settings.INTERNAL_TOKEN})
    client.force_login(get_user_model().objects.create_superuser("root", password="x"))
    return client


def load(upload: dict[str, Any], chunk_rows: int = 2) -> None:
    """All its rows are in the database, none of them looked up."""
    lease = claim_upload()
    assert lease is not None
    loader = Loader(lease)
    while loader.step(chunk_rows):
        pass
    loader.close()


def show(upload: dict[str, Any] | str) -> str:
    output = StringIO()
    call_command("show_upload", upload if isinstance(upload, str) else upload["id"], stdout=output)
    text = output.getvalue()
    assert max(map(len, text.splitlines())) <= 100
    return re.sub(r"\s+", " ", text)


def happens_next(upload: dict[str, Any]) -> str:
    return show(upload).partition("What happens next ")[2].strip()


def test_an_upload_that_no_worker_has_seen_waits_for_one(api: Api) -> None:
    upload = api.upload(CSV)
    look = "at its next look, within 2 s: is a worker running?"
    assert happens_next(upload) == f"A worker will load the file {look}"
    second = api.upload(CSV)
    assert happens_next(second) == "A worker will load the file after 1 other: is a worker running?"
    load(upload)
    assert happens_next(upload) == f"A worker will take rows 1–2 {look}"
    assert "ready 2 4" in show(upload)


def test_of_two_uploads_the_second_says_that_the_first_is_taken_before(api: Api) -> None:
    first, second = api.upload(CSV), api.upload(CSV)
    load(first), load(second)
    assert f"take rows 1–2 after those of upload {Upload.objects.earliest('id').pk}: is" in happens_next(second)


def test_a_lease_to_load_has_its_end(api: Api) -> None:
    upload = api.upload(CSV)
    claim_upload()
    assert re.fullmatch(
        r"A worker loads the file; leased until \d\d:\d\d:\d\d, in 1 min (2\d|30) s;"
        r" if the worker died, another takes over then\.",
        happens_next(upload),
    )
    leases_run_out()
    assert happens_next(upload).startswith("Nobody loads the file; a worker will go on from row 1 at its next look")
    Upload.objects.update(attempts=5)
    assert "a worker will end it as failed" in happens_next(upload)


def test_a_leased_chunk_says_until_when(api: Api) -> None:
    upload = api.upload(CSV)
    load(upload)
    claim_chunk()
    assert re.match(r"A worker looks up rows 1–2; leased until \S+, in 1 min .* A worker will take rows 3–4 at",
                    happens_next(upload))  # fmt: skip
    assert re.search(r"Leases chunk rows until attempts worker \d+-1 1–2 \S+, in 1 min \d+ s 1 \S+:\d+", show(upload))
    leases_run_out()
    assert happens_next(upload).startswith("A worker will take rows 1–2 at")
    Chunk.objects.update(attempts=5)
    assert "a worker will split rows 1–2 in two" in happens_next(upload)
    Chunk.objects.update(row_count=1)
    assert "a worker will mark row 1 as failed" in happens_next(upload)


def test_an_outage_is_told_in_the_words_of_the_service(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.always = "503"
    upload = api.upload(CSV)
    work_until_idle()
    detail = api.show(upload)["waiting"]["detail"]
    said = happens_next(upload)
    assert re.match(r"Nobody could answer since \d\d:\d\d:\d\d, \d+ s ago: ", said)
    assert detail in said
    Chunk.objects.update(due_at=Now())
    assert re.search(r"A worker will take rows 1–4 within 15 s, .*: is a worker running\?$", happens_next(upload))
    assert re.search(r"To be done again chunk rows due attempts last worker \d+-1 1–4 \d\d:\d\d:\d\d, ", show(upload))
    Chunk.objects.update(due_at=Now() + timedelta(seconds=15))
    assert re.search(r"Workers take rows 1–4 at \S+, in 1\d s\.$", happens_next(upload))


def test_an_upload_that_is_done_says_which_rows_have_no_answer(api: Api, consumer: FakePostcodeConsumer) -> None:
    consumer.failing = {(53.4, -2.2)}
    upload = api.upload(CSV)
    work_until_ended()
    assert happens_next(upload) == "Nothing: it is done. A retry would ask again for 1 failed row."
    text = show(upload)
    assert re.search(r"failed \w+ 1 4 rejected not_a_number 1 3 4 What", text)
    assert "4 read, 2 matched, 0 no_match, 1 failed, 1 rejected, 0 pending" in text


def test_a_file_that_could_not_be_read_says_why(api: Api, consumer: FakePostcodeConsumer) -> None:
    upload = api.upload(CSV)
    Upload.objects.update(attempts=5)
    work_until_ended()
    assert api.show(upload)["state"] == "failed"
    assert happens_next(upload).startswith("Nothing: the file could not be read to its end.")
    assert "error" in show(upload)
    assert Upload.objects.get().error["detail"] in show(upload)


def test_what_people_ended(api: Api) -> None:
    upload = api.upload(CSV)
    load(upload)
    api.post(f"{UPLOADS}{upload['id']}/cancel/")
    assert happens_next(upload).startswith("Nothing: it was cancelled.")
    assert "To be done again" not in show(upload)
    api.delete(f"{UPLOADS}{upload['id']}/")
    assert happens_next(upload).startswith("It was deleted ")
    assert "Workers remove it, beside other work: 4 rows are left" in happens_next(upload)


def test_nothing_left_to_look_up(api: Api) -> None:
    upload = api.upload(CSV)
    load(upload)
    Chunk.objects.update(state=ChunkState.DONE)
    assert happens_next(upload).startswith("Nothing is left to look up; a worker ends it within seconds")


def test_an_upload_is_found_by_its_number_and_by_the_beginning_of_its_id(api: Api) -> None:
    for _ in range(3):
        api.upload(CSV)
    ids = [UUID("abc1" + "0" * 28), UUID("abc2" + "0" * 28), UUID("17f0" + "0" * 28)]
    numbers = list(Upload.objects.order_by("id").values_list("pk", flat=True))
    for number, public_id in zip(numbers, ids, strict=True):
        Upload.objects.filter(pk=number).update(public_id=public_id)
    for text in (str(ids[0]), ids[0].hex, "abc1", "ABC10000-0", str(numbers[0]), f"upload={numbers[0]}"):
        assert f"upload {numbers[0]}, {ids[0]}" in show(text)
    with pytest.raises(
        CommandError, match=f"'abc' is the beginning of several ids: {ids[0]}, {ids[1]}. Give more"
    ) as e:
        show("abc")
    assert e.value.returncode == 1
    for unknown in ("abd", "999999", "", "-", "%", "1" * 40, "zürich"):
        with pytest.raises(CommandError, match="No upload has the number or the id"):
            show(unknown)


def test_control_characters_of_a_file_name_do_not_reach_the_terminal(api: Api) -> None:
    upload = api.upload(CSV)
    Upload.objects.update(filename="a\x1b[2J" + "long " * 48)
    assert "\x1b" not in show(upload)


def test_thousands_of_chunks_take_a_few_short_questions(api: Api, django_assert_max_num_queries: Any) -> None:
    api.upload(CSV)
    pk = Upload.objects.get().pk
    Upload.objects.update(state="geocoding")
    Chunk.objects.bulk_create(
        Chunk(upload_id=pk, first_row=1 + 1_000 * number, row_count=1_000, attempts=1) for number in range(2_600)
    )
    with django_assert_max_num_queries(8):
        inspection = inspect_upload(pk)
    assert inspection.chunks.lines == [("ready", "2,600", "2,600,000")]
    assert inspection.again.note == "The first 50."


def test_the_page_of_an_upload_shows_the_same(admin: Client, api: Api) -> None:
    upload = api.upload(CSV.replace("x,y", "<b>,y"))
    load(upload)
    claim_chunk()
    pk = Upload.objects.get().pk
    inspection = inspect_upload(pk)
    response = admin.get(f"/admin/uploads/upload/{pk}/change/")
    page = html.unescape(response.content.decode())
    for table in inspection.tables:
        for line in table.lines:
            assert line[0] in page
    assert "A worker looks up rows 1–2; leased until" in page
    assert f'href="/admin/uploads/chunk/?upload={pk}"' in page


def test_chunks_are_listed_filtered_and_not_edited(admin: Client, api: Api, django_assert_max_num_queries: Any) -> None:
    first, second = api.upload(CSV), api.upload(CSV)
    load(first), load(second)
    claim_chunk()
    pk = Upload.objects.latest("id").pk

    def rows(**query: Any) -> list[str]:
        response = admin.get("/admin/uploads/chunk/", query)
        assert response.status_code == 200
        return re.findall(r'field-rows"><a [^>]*>([^<]*)<', response.content.decode())

    assert rows() == ["1–2", "3–4"] * 2
    assert rows(upload=pk) == ["1–2", "3–4"]
    assert rows(upload=pk, state__exact="leased") == []
    with django_assert_max_num_queries(8):
        assert rows(state__exact="leased") == ["1–2"]
    chunk = Chunk.objects.earliest("id").pk
    assert admin.get(f"/admin/uploads/chunk/{chunk}/change/").status_code == 200
    assert admin.post(f"/admin/uploads/chunk/{chunk}/change/", {"state": "done"}).status_code == 403
    assert admin.get("/admin/uploads/chunk/add/").status_code == 403
