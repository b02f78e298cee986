"""AUTH=required: everybody sees their own uploads, and nobody else's.

test_ownership.py has the table of all addresses.
"""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from tests.api import UPLOADS, Api, problem_of
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended

pytestmark = pytest.mark.django_db
CSV = "lat,lon\n51.501009,-0.141588\n"
UNKNOWN = f"{UPLOADS}0a7989ce-f211-4b20-8f5e-81abbce641ee/"
PATHS = [UPLOADS, UNKNOWN, f"{UNKNOWN}rows/", f"{UNKNOWN}result.csv", "/api/v1/rows/", "/api/v1/postcodes/none/"]


@pytest.fixture(autouse=True)
def required(settings: Any) -> None:
    settings.AUTH = "required"


def test_users_list_their_own_uploads(ann: Api, ben: Api) -> None:
    hers, his = ann.upload(CSV), ben.upload(CSV)
    assert [upload["id"] for upload in ann.get(UPLOADS).json()["results"]] == [hers["id"]]
    assert [upload["id"] for upload in ben.get(UPLOADS).json()["results"]] == [his["id"]]


def test_users_find_their_own_rows(ann: Api, ben: Api, consumer: FakePostcodeConsumer) -> None:
    hers = ann.upload(CSV)
    ben.upload(CSV + "51.501009,-0.141588\n")
    work_until_ended()
    assert {row["upload"] for row in ann.get("/api/v1/rows/").json()["results"]} == {hers["id"]}
    problem_of(ben.get("/api/v1/rows/", upload=hers["id"]), 404, "not-found")


@pytest.mark.parametrize("what", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_call_of_nobody_needs_a_key_before_all_else(what: str, method: str) -> None:
    response = Api().client.generic(method, f"{what}?nonsense=1")
    problem_of(response, 401, "key-required")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_nobody_stores_nothing(data_dir: Any) -> None:
    problem_of(Api().send_form(CSV), 401, "key-required")
    assert not (data_dir / "uploads").exists()


@pytest.mark.parametrize("what", PATHS)
@pytest.mark.parametrize("user_id", ["999999", "0", "-1", "x", "", "１", "9" * 30, "9" * 5_000])
def test_a_user_that_does_not_exist_is_refused(what: str, user_id: str) -> None:
    problem_of(Api().client.get(what, headers={"X-User-Id": user_id}), 401, "unknown-key")


@pytest.mark.parametrize("what", PATHS)
def test_a_user_who_is_switched_off_is_refused_at_once(what: str) -> None:
    user = get_user_model().objects.create_user("carl")
    carl = Api(user.pk)
    assert carl.get(what).status_code in (200, 404)
    user.is_active = False
    user.save()
    problem_of(carl.get(what), 401, "unknown-key")


def test_with_auth_off_there_is_one_caller_who_sees_everything(ann: Api, settings: Any) -> None:
    upload = ann.upload(CSV)
    settings.AUTH = "off"
    assert Api().show(upload)["id"] == upload["id"]
    # With AUTH=off no caller has a name: a gateway that gives one has another AUTH.
    problem_of(Api(999_999).get(f"{UPLOADS}{upload['id']}/"), 503, "auth-disagrees")
