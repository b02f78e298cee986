"""Who may call what: a table with a row for every address of the service. An address without a row fails.

The list of addresses is the service's own. Callers are named as the gateway names them.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from tests.api import Api, Caller
from tests.fake_postcode_consumer import FakePostcodeConsumer
from tests.working import work_until_ended

from service_kit.maintenance.models import MaintenanceRun
from uploads.api_keys import make_key
from uploads.models import Scope, Source, Upload
from uploads.webhook_secrets import secret_of

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
REFUSED = METHODS[2:]
#: Stands in the name of Ann's file and in each of its rows. No answer to another may have it.
MARK = "of-ann-alone"
CSV = f"name,lat,lon\n{MARK},51.501009,-0.141588\n"
NEVER_WAS = "0a7989ce-f211-4b20-8f5e-81abbce641ee"

_UPLOAD = "api/v1/uploads/<uuid:public_id>/"
#: Address and method: the status for the owner, for another user, and for a call that names no user. The upload has
#: ended. HEAD is as GET. All other methods: 405 for users, 401 for nobody.
ANSWERS: dict[str, dict[str, tuple[int, int, int]]] = {
    "api/v1/uploads/": {"GET": (200, 200, 401), "POST": (202, 202, 401), "OPTIONS": (200, 200, 401)},
    "api/v1/uploads/preview/": {"POST": (200, 200, 401), "OPTIONS": (200, 200, 401)},
    _UPLOAD: {"GET": (200, 404, 401), "DELETE": (204, 404, 401)},
    f"{_UPLOAD}cancel/": {"POST": (409, 404, 401), "OPTIONS": (200, 200, 401)},
    f"{_UPLOAD}retry/": {"POST": (200, 404, 401), "OPTIONS": (200, 200, 401)},
    f"{_UPLOAD}pause/": {"POST": (409, 404, 401), "OPTIONS": (200, 200, 401)},
    f"{_UPLOAD}resume/": {"POST": (409, 404, 401), "OPTIONS": (200, 200, 401)},
    # What is counted by, the call does not say.
    f"{_UPLOAD}summary/": {"GET": (400, 404, 401)},
    f"{_UPLOAD}summary.csv": {"GET": (400, 404, 401), "OPTIONS": (200, 200, 401)},
    f"{_UPLOAD}cells/": {"GET": (200, 404, 401)},
    f"{_UPLOAD}rows/": {"GET": (200, 404, 401)},
    **{
        f"{_UPLOAD}result{suffix}": {"GET": (200, 404, 401), "OPTIONS": (200, 200, 401)}
        for suffix in ("/", ".csv", ".ndjson", ".geojson", ".xlsx", ".parquet")
    },
    f"{_UPLOAD}deliveries/": {"GET": (200, 404, 401)},
    "api/v1/rows/": {"GET": (200, 200, 401)},
    "api/v1/stats/": {"GET": (200, 200, 401)},
    "api/v1/postcodes/<str:postcode>/": {"GET": (200, 200, 401)},
    # The same for everybody: what the API is.
    "api/docs/": {"GET": (200, 200, 200)} | dict.fromkeys(REFUSED, (405, 405, 405)),
    "internal/schema/": {"GET": (200, 200, 200)} | dict.fromkeys(REFUSED, (405, 405, 405)),
    "internal/status/": {"GET": (200, 200, 200)} | dict.fromkeys(REFUSED, (405, 405, 405)),
    "api/v1/webhook-secret/": {"GET": (200, 200, 401), "POST": (200, 200, 401)},
    # It asks for a key, which none of these calls has.
    "internal/authenticate/": dict.fromkeys(METHODS, (401, 401, 401)),
}
_PAGE = "uploads/<uuid:public_id>/"
#: The pages in a browser, as above: for the owner, for another who signed in, and for nobody, who is asked to sign in.
#: All other methods are a 405 for users.
PAGES: dict[str, dict[str, tuple[int, int, int]]] = {
    "": {"GET": (200, 200, 302), "POST": (303, 303, 302)},
    "preview/": {"POST": (200, 200, 302)},
    "example.csv": {"GET": (200, 200, 200)},
    _PAGE: {"GET": (200, 404, 302)},
    f"{_PAGE}cancel/": {"GET": (200, 404, 302), "POST": (303, 404, 302)},
    f"{_PAGE}retry/": {"POST": (303, 404, 302)},
    f"{_PAGE}pause/": {"POST": (303, 404, 302)},
    f"{_PAGE}resume/": {"POST": (303, 404, 302)},
    f"{_PAGE}delete/": {"GET": (200, 404, 302), "POST": (303, 404, 302)},
    "keys/": {"GET": (200, 200, 302), "POST": (400, 400, 302)},
    "keys/<int:key_id>/delete/": {"GET": (200, 404, 302), "POST": (303, 404, 302)},
    "language/": {"POST": (302, 302, 302)},
    "login/": {"GET": (302, 302, 200)},
    "logout/": {"POST": (302, 302, 302)},
}
#: These need not even the internal token.
OPEN = ("healthz", "readyz", "metrics")

#: What a superuser may do with each kind of thing in the admin: the status of its pages.
_LOOK = {"changelist": 200, "add": 403, "change": 200, "delete": 403, "history": 200}
_MAKE = {"changelist": 200, "add": 200, "change": 200, "delete": 200, "history": 200}
ADMIN_MODELS = {
    "uploads_upload": _LOOK | {"delete": 200},
    "uploads_chunk": _LOOK,
    "uploads_row": _LOOK,
    "uploads_delivery": _LOOK,
    "uploads_webhooksecret": _LOOK,
    "uploads_apikey": _MAKE,
    "uploads_auditentry": _LOOK,
    "uploads_source": _MAKE,
    "maintenance_maintenancerun": _LOOK,
    "auth_user": _MAKE,
    "auth_group": _MAKE,
}
#: Its other pages: the status for staff without any permission.
ADMIN_PAGES = {
    "index": 200, "password_change": 200, "password_change_done": 200, "jsi18n": 200, "autocomplete": 403,
    "logout": 405, "app_list": 404, "view_on_site": 404, "auth_user_password_change": 403, "upstream": 403,
    None: 404,
}  # fmt: skip


def addresses(patterns: Any = None, before: str = "") -> Iterator[tuple[str, str | None]]:
    """Every address of the service, and the name of its page."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, address)
        else:
            assert isinstance(pattern, URLPattern)
            yield address, pattern.name


def of_the_admin() -> set[str | None]:
    return {name for address, name in addresses() if address.startswith("admin/")}


@pytest.fixture
def upload(ann: Api, consumer: FakePostcodeConsumer) -> str:
    """The id of an upload of Ann's that is done; nobody has sent its webhook what it is owed."""
    made = ann.upload(CSV, filename=f"{MARK}.csv", webhook_url=f"https://hooks.example.org/{MARK}")
    work_until_ended()
    return str(made["id"])


def send(api: Api, method: str, address: str, upload: str) -> tuple[int, bytes]:
    """The answer to a call of an address, with that upload where it takes one."""
    path = "/" + address.replace("<uuid:public_id>", upload).replace("<str:postcode>", "SW1A1AA")
    body = b"lat,lon\n51.5,-0.1\n" if method == "POST" else b""
    answer: Any = api.client.generic(method, path, body, "text/csv")
    return answer.status_code, b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_every_address_has_a_row() -> None:
    outside_the_admin = {address for address, _ in addresses() if not address.startswith("admin/")}
    assert outside_the_admin == {*ANSWERS, *PAGES, *OPEN}
    models = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}
    assert models == {*ADMIN_MODELS}
    pages = {f"{model}_{page}" for model, pages in ADMIN_MODELS.items() for page in pages}
    assert of_the_admin() == {*pages, *ADMIN_PAGES, "login"}


@pytest.mark.parametrize("address", ANSWERS)
def test_the_owner_another_and_nobody_get_what_the_table_says(address: str, ann: Api, ben: Api, upload: str) -> None:
    before = Upload.objects.values().get(public_id=upload)
    for method in METHODS:
        _, another, nobody = ANSWERS[address].get("GET" if method == "HEAD" else method, (405, 405, 401))
        status, said = send(ben, method, address, upload)
        assert (method, status) == (method, another)
        assert MARK.encode() not in said
        if another == 404:
            # Nobody can tell somebody else's upload from one that never was.
            assert (status, said) == send(ben, method, address, NEVER_WAS)
        assert (method, send(Api(), method, address, upload)[0]) == (method, nobody)
    assert Upload.objects.values().get(public_id=upload) == before
    for method in METHODS:
        owner = ANSWERS[address].get("GET" if method == "HEAD" else method, (405, 405, 401))[0]
        assert (method, send(ann, method, address, upload)[0]) == (method, owner)


@pytest.mark.parametrize("address", [address for address in ANSWERS if address.startswith("api/v1/")])
def test_both_forms_of_an_address_are_served(address: str, ann: Api, upload: str) -> None:
    other = address.removesuffix("/") if address.endswith("/") else f"{address}/"
    for method in (method for method in METHODS if method != "DELETE"):
        expected = send(ann, method, address, upload)[0]
        assert (method, send(ann, method, other, upload)[0]) == (method, expected)


def test_an_upload_is_deleted_at_its_address_without_the_slash(ann: Api, upload: str) -> None:
    assert send(ann, "DELETE", _UPLOAD.rstrip("/"), upload)[0] == 204


def test_another_has_no_part_in_the_rows_of_a_postcode(ann: Api, ben: Api, upload: str) -> None:
    path = "/api/v1/postcodes/SW1A1AA/"
    assert (ann.get(path).json()["rows"], ben.get(path).json()["rows"]) == (1, 0)


def test_every_address_but_health_needs_the_internal_token(upload: str) -> None:
    for address, _ in addresses():
        path = "/" + address.replace("<uuid:public_id>", upload).replace("<int:key_id>", "1")
        expected = 200 if address in OPEN else 401
        assert (address, Caller(headers={"X-User-Id": "1"}).get(path).status_code) == (address, expected)


# --- the pages -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", PAGES)
def test_who_signed_in_sees_what_is_theirs(address: str, ann: Api, ben: Api, upload: str) -> None:
    owner, other = (get_user_model().objects.get(username=name) for name in ("ann", "ben"))
    key, _ = make_key(owner, name=MARK, scopes=[Scope.READ])
    path = "/" + address.replace("<uuid:public_id>", upload).replace("<int:key_id>", str(key.pk))
    for method in METHODS:
        statuses = PAGES[address].get("GET" if method == "HEAD" else method)
        if statuses is None:
            continue
        another = browser_of(other).generic(method, path, b"lat,lon\n51.5,-0.1\n", "text/csv")
        assert (method, another.status_code) == (method, statuses[1])
        assert MARK.encode() not in another.content
        assert (method, Api().client.generic(method, path).status_code) == (method, statuses[2])
    assert Upload.objects.get(public_id=upload).deleted_at is None
    for method, statuses in PAGES[address].items():
        answer = browser_of(owner).generic(method, path, b"lat,lon\n51.5,-0.1\n", "text/csv")
        assert (method, answer.status_code) == (method, statuses[0])


def browser_of(user: Any) -> Caller:
    client = Api().client
    client.force_login(user)
    return client


# --- the admin -----------------------------------------------------------------------------------------------------
@pytest.fixture
def things(upload: str) -> dict[str, Any]:
    """One of each kind of thing that the admin has."""
    owner = get_user_model().objects.get(username="ann")
    make_key(owner, name="", scopes=[Scope.READ])
    secret_of(owner.pk)
    Group.objects.create(name="people")
    Source.objects.create(name="a folder", place="in")
    MaintenanceRun.objects.create()
    return {
        f"{model._meta.app_label}_{model._meta.model_name}": model._default_manager.first()
        for model in admin.site._registry
    }


def browser(**rights: bool) -> Caller:
    """A browser in which a user with these rights is logged in."""
    return browser_of(get_user_model().objects.create_user("cara", **rights))


def pages_of(things: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The pages of each kind of thing: kind, name, address."""
    for model, pages in ADMIN_MODELS.items():
        for page in pages:
            needed = [] if page in ("changelist", "add") else [things[model].pk]
            yield model, page, reverse(f"admin:{model}_{page}", args=needed)


def other_pages() -> Iterator[tuple[str | None, str]]:
    parts = {"app_list": ["uploads"], "view_on_site": [1, 1], "auth_user_password_change": [1], "upstream": ["pause"]}
    for name in ADMIN_PAGES:
        yield name, "/admin/nowhere/" if name is None else reverse(f"admin:{name}", args=parts.get(name, []))


@pytest.mark.parametrize("client", ["nobody", "a user"])
def test_the_admin_shows_nothing_to_who_is_no_staff(client: str, things: dict[str, Any]) -> None:
    caller = Api().client if client == "nobody" else browser()
    for path in [path for _, _, path in pages_of(things)] + [path for name, path in other_pages() if name != "logout"]:
        for method in ("GET", "POST", "DELETE"):
            answer: Any = caller.generic(method, path)
            assert (path, answer.status_code) == (path, 302)
            assert answer.headers["Location"].startswith("/admin/login/")


def test_staff_without_permissions_see_no_thing(things: dict[str, Any]) -> None:
    client = browser(is_staff=True)
    for _, _, path in pages_of(things):
        for method in ("GET", "POST"):
            assert (path, client.generic(method, path).status_code) == (path, 403)
    for name, path in other_pages():
        assert (path, client.get(path).status_code) == (path, ADMIN_PAGES[name])


def test_a_superuser_may_do_what_the_table_says(things: dict[str, Any]) -> None:
    client = browser(is_staff=True, is_superuser=True)
    for model, page, path in pages_of(things):
        assert (path, client.get(path).status_code) == (path, ADMIN_MODELS[model][page])
        if ADMIN_MODELS[model][page] == 403:
            assert (path, client.post(path).status_code) == (path, 403)
