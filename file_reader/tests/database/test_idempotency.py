"""`Idempotency-Key`: the same request twice makes one upload."""

import time
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from tests.api import UPLOADS, Api, problem_of
from tests.working import in_thread

from uploads.files.incoming import Incoming
from uploads.models import Upload

CSV = b"lat,lon\n51.5,-0.1\n"
OTHER = b"lat,lon\n51.6,-0.1\n"


def files(data_dir: Path) -> int:
    return sum(path.is_file() for path in (data_dir / "uploads").rglob("*"))


@pytest.mark.django_db
def test_the_same_key_with_the_same_file_gives_the_same_upload(api: Api, data_dir: Path) -> None:
    first, second = (api.post(UPLOADS, CSV, Idempotency_Key="monday") for _ in range(2))
    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert first.headers["Location"] == second.headers["Location"]
    assert (Upload.objects.count(), files(data_dir)) == (1, 1)


@pytest.mark.django_db
def test_the_same_key_with_another_file_is_refused(api: Api, data_dir: Path) -> None:
    api.post(UPLOADS, CSV, Idempotency_Key="monday")
    problem_of(api.post(UPLOADS, OTHER, Idempotency_Key="monday"), 422, "idempotency-key-reused")
    assert (Upload.objects.count(), files(data_dir)) == (1, 1)


@pytest.mark.django_db
def test_without_a_key_the_same_file_makes_two_uploads(api: Api) -> None:
    assert api.post(UPLOADS, CSV).json()["id"] != api.post(UPLOADS, CSV).json()["id"]


@pytest.mark.django_db
def test_the_key_of_a_deleted_upload_is_free_again(api: Api) -> None:
    first = api.post(UPLOADS, CSV, Idempotency_Key="monday").json()
    api.delete(f"{UPLOADS}{first['id']}/")
    second = api.post(UPLOADS, OTHER, Idempotency_Key="monday")
    assert second.status_code == 202
    assert second.json()["id"] != first["id"]


@pytest.mark.django_db
def test_keys_of_different_users_are_different_keys(settings: object, data_dir: Path) -> None:
    settings.AUTH = "required"  # type: ignore[attr-defined]
    made = set()
    for name in ("ann", "ben"):
        user = get_user_model().objects.create_user(name)
        response = Api(user.pk).post(UPLOADS, CSV, Idempotency_Key="monday")
        assert response.status_code == 202
        made.add(response.json()["id"])
    assert len(made) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
def test_a_key_that_is_not_valid_is_refused(api: Api, data_dir: Path, key: str) -> None:
    problem = problem_of(api.post(UPLOADS, CSV, Idempotency_Key=key), 400, "invalid-parameter")
    assert "Idempotency-Key" in problem["detail"]
    assert files(data_dir) == 0


@pytest.mark.django_db(transaction=True)
def test_the_same_request_twenty_times_at_once_makes_one_upload(data_dir: Path) -> None:
    def send_until_accepted() -> str:
        while (answer := Api().post(UPLOADS, CSV, Idempotency_Key="monday")).status_code == 409:
            assert problem_of(answer, 409, "upload-in-flight")
            time.sleep(0.05)
        assert answer.status_code == 202
        return str(answer.json()["id"])

    answers = [in_thread(send_until_accepted) for _ in range(20)]
    assert len({answer.result(timeout=60) for answer in answers}) == 1
    assert (Upload.objects.count(), files(data_dir)) == (1, 1)


@pytest.mark.django_db
def test_a_request_whose_key_is_in_flight_is_to_be_sent_again(api: Api, data_dir: Path) -> None:
    with Incoming("0:monday"):
        answer = api.post(UPLOADS, CSV, Idempotency_Key="monday")
        problem_of(answer, 409, "upload-in-flight")
        assert answer.headers["Retry-After"] == "1"
        assert api.post(UPLOADS, CSV).status_code == 202
    assert api.post(UPLOADS, CSV, Idempotency_Key="monday").status_code == 202
    assert (Upload.objects.count(), files(data_dir)) == (2, 2)


@pytest.mark.django_db
def test_the_same_key_with_other_options_is_refused(api: Api) -> None:
    assert api.post(f"{UPLOADS}?max_distance=100", CSV, Idempotency_Key="monday").status_code == 202
    again = api.post(f"{UPLOADS}?max_distance=5000", CSV, Idempotency_Key="monday")
    problem_of(again, 422, "idempotency-key-reused")
