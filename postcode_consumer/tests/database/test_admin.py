"""The admin of the lookups, as the gateway reaches it: below /admin/lookups/."""

import re
import time
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lookups.answers import Location, PostcodeDetails
from lookups.findings import Finding, Nearest
from lookups.memory import known_locations as memory
from lookups.models import KnownLocation, Limiter, Postcode

pytestmark = pytest.mark.django_db
ADMIN = "/admin/lookups/"
KNOWN = f"{ADMIN}lookups/knownlocation/"
DAY = 86_400


def browser(name: str, *permissions: str, **options: Any) -> Client:
    """A browser in which this user has logged in."""
    user = get_user_model().objects.create_user(name, password="a-long-password", is_staff=True, **options)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(headers={"X-Internal-Token": settings.INTERNAL_TOKEN})
    response = client.post(f"{ADMIN}login/?next={ADMIN}", {"username": name, "password": "a-long-password"})
    assert (response.status_code, response.headers["Location"]) == (302, ADMIN)
    return client


@pytest.fixture
def admin() -> Client:
    return browser("root", is_superuser=True)


@pytest.fixture
def known() -> None:
    """Two matches, one of them old; three misses of one provider and one of another."""
    now = int(time.time())

    def match(postcode: str, days: int) -> Finding:
        outcode, incode = postcode.split()
        details = PostcodeDetails(outcode=outcode, incode=incode, country="England", admin_ward="<b>Ward</b>")
        return Finding(looked_up_at=now - days * DAY, searched=100, nearest=Nearest(postcode, 12.5, details))

    def miss(metres: int, days: int) -> Finding:
        return Finding(looked_up_at=now - days * DAY, searched=metres)

    memory.remember(
        "postcodes_io",
        {
            Location(51.501009, -0.141588): match("SW1A 1AA", 0),
            Location(53.8, -1.5): match("LS1 1AA", 60),
            Location(56.0, 2.5): miss(100, 0),
            Location(56.0, 2.4): miss(2_000, 10),
            Location(56.0, 2.3): miss(20_000, 60),
        },
    )
    memory.remember("another", {Location(56.0, 2.5): miss(100, 0)})


def page(client: Client, path: str, **query: str) -> str:
    response = client.get(path, query, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def results(html: str) -> list[str]:
    """The text of every line of a list."""
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    body = re.sub(r'<img[^>]*alt="(\w+)"[^>]*>', r"\1", body)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", line)).strip() for line in body.split("</tr>")[:-1]]


def forget(client: Client, path: str, query: str = "", *, confirmed: bool = True, **data: Any) -> str:
    sent = {"action": "forget", "select_across": "0", **({"confirmed": "1"} if confirmed else {}), **data}
    return client.post(f"{path}{query}", sent, follow=True).content.decode()


def test_without_logging_in_there_is_only_the_login() -> None:
    response = Client(headers={"X-Internal-Token": settings.INTERNAL_TOKEN}).get(KNOWN)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(f"{ADMIN}login/")


def test_it_is_only_reached_through_the_gateway() -> None:
    assert Client().get(ADMIN).status_code == 401


def test_the_address_without_its_last_slash_leads_there(admin: Client) -> None:
    response = admin.get("/admin/lookups")
    assert (response.status_code, response.headers["Location"]) == (302, ADMIN)


def test_its_cookies_are_not_those_of_the_other_admin(admin: Client) -> None:
    cookies = {cookie.key: cookie["path"] for cookie in admin.cookies.values()}
    assert cookies == {"lookups_session": ADMIN, "lookups_csrf": ADMIN}


def test_a_form_of_another_site_is_refused() -> None:
    client = Client(enforce_csrf_checks=True, headers={"X-Internal-Token": settings.INTERNAL_TOKEN})
    assert client.post(f"{ADMIN}login/", {"username": "root", "password": "x"}).status_code == 403


def test_a_form_is_taken_behind_a_gateway_that_speaks_https() -> None:
    client = Client(enforce_csrf_checks=True, headers={"X-Internal-Token": settings.INTERNAL_TOKEN})
    https = {"X-Forwarded-Proto": "https", "Host": "postcodes.example", "Origin": "https://postcodes.example"}
    html = client.get(f"{ADMIN}login/", headers=https).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', html)
    assert token
    sent = {"username": "nobody", "password": "x", "csrfmiddlewaretoken": token[1]}
    response = client.post(f"{ADMIN}login/", sent, headers=https)
    assert (response.status_code, "Please enter the correct" in response.content.decode()) == (200, True)


def test_the_styles_are_served_below_it(admin: Client) -> None:
    path = re.search(r'href="(/[^"]*/css/base[^"]*\.css)"', page(admin, ADMIN))
    assert path
    assert path[1].startswith(ADMIN)
    response = admin.get(path[1])
    assert b"--primary" in b"".join(response.streaming_content)


def test_the_start_page_names_everything_and_leads_to_the_other_admin(admin: Client) -> None:
    html = page(admin, ADMIN)
    for name in ("knownlocation", "postcode", "limiter"):
        assert f'href="{ADMIN}lookups/{name}/"' in html
    assert 'href="/admin/"' in html


def test_known_locations_are_listed_newest_first(admin: Client, known: None) -> None:
    lines = results(page(admin, KNOWN))
    assert len(lines) == 6
    assert re.match(r"56.0, 2.5 - - 100 m another \d+ \w+ 20\d\d \d\d:\d\d:\d\d True", lines[0])
    (line,) = results(page(admin, KNOWN, q="SW1A 1AA"))
    assert line.startswith("51.501009, -0.141588 SW1A 1AA 12.5 100 m postcodes_io")


def test_what_is_too_old_is_said_to_be_not_used(admin: Client, known: None) -> None:
    lines = results(page(admin, KNOWN, provider="postcodes_io"))
    assert {line.split()[0] + line.split()[1]: line.split()[-1] for line in lines} == {
        "51.501009,-0.141588": "True",
        "53.8,-1.5": "True",  # a match keeps longer than a miss
        "56.0,2.5": "True",
        "56.0,2.4": "True",
        "56.0,2.3": "False",
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SW1A 1AA", 1),
        ("sw1a1aa", 1),
        (" sw1a ", 1),
        ("LS1", 1),
        ("LS", 0),
        ("ZZ1 1ZZ", 0),
        ("51.501009, -0.141588", 1),
        ("56 2.5", 2),
        ("56;2.25", 0),
        ("5.6.7, 1", 0),
        ("", 6),
    ],
)
def test_known_locations_are_found(admin: Client, known: None, text: str, found: int) -> None:
    assert len(results(page(admin, KNOWN, q=text))) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"provider": "postcodes_io"}, 5),
        ({"status": "match"}, 2),
        ({"status": "100"}, 2),
        ({"status": "2000", "provider": "postcodes_io"}, 1),
        ({"age": "1"}, 3),
        ({"age": "-7"}, 3),
        ({"age": "-30"}, 2),
        ({"age": "stale"}, 1),
    ],
)
def test_known_locations_are_filtered(admin: Client, known: None, query: dict[str, str], found: int) -> None:
    assert len(results(page(admin, KNOWN, **query))) == found


def test_what_is_selected_is_forgotten_after_asking_back(admin: Client, known: None) -> None:
    chosen = list(KnownLocation.objects.filter(latitude=56.0).values_list("pk", flat=True))
    html = forget(admin, KNOWN, confirmed=False, _selected_action=chosen)
    assert "4 known locations will be forgotten" in html
    assert KnownLocation.objects.count() == 6
    assert "Forgotten: 4 known locations." in forget(admin, KNOWN, _selected_action=chosen)
    assert set(KnownLocation.objects.values_list("postcode", flat=True)) == {"SW1A 1AA", "LS1 1AA"}


def test_all_that_a_filter_selects_is_forgotten(admin: Client, known: None) -> None:
    one = KnownLocation.objects.filter(provider="postcodes_io").first()
    assert one
    across = {"select_across": "1", "_selected_action": one.pk}
    html = forget(admin, KNOWN, "?provider=postcodes_io", confirmed=False, **across)
    assert "5 known locations, all that the filter and the search select, will be forgotten" in html
    assert 'name="select_across" value="1"' in html
    forget(admin, KNOWN, "?provider=postcodes_io", **across)
    assert [found.provider for found in KnownLocation.objects.all()] == ["another"]


def test_who_waits_for_many_to_be_forgotten_is_told_when_there_are_more(
    admin: Client, known: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SLICE", 2)
    monkeypatch.setattr(memory, "LONGEST_FORGETTING", 0)
    across = {"select_across": "1", "_selected_action": 1}
    for left in (4, 2):
        html = forget(admin, KNOWN, **across)
        assert "Forgotten: 2 known locations." in html
        assert "There are more of them." in html
        assert KnownLocation.objects.count() == left


def test_a_postcode_is_shown_and_forgotten_with_its_locations(admin: Client, known: None) -> None:
    path = f"{ADMIN}lookups/postcode/"
    (line,) = results(page(admin, path, q="SW1A"))
    assert line.startswith("SW1A 1AA England - - &lt;b&gt;Ward&lt;/b&gt;")
    assert "Forgotten: 1 postcodes" in forget(admin, path, _selected_action=["SW1A 1AA"])
    assert not KnownLocation.objects.filter(postcode="SW1A 1AA").exists()
    assert KnownLocation.objects.filter(postcode="LS1 1AA").exists()


def test_the_limits_are_shown(admin: Client) -> None:
    now = time.time()
    Limiter.objects.create(name="postcodes_io", free_at=now, paused_until=now + 60, seen_at=now)
    (line,) = results(page(admin, f"{ADMIN}lookups/limiter/"))
    assert re.match(r"postcodes_io closed( \d+ \w+ 20\d\d \d\d:\d\d:\d\d){3}$", line)
    Limiter.objects.update(silence=4)
    (line,) = results(page(admin, f"{ADMIN}lookups/limiter/"))
    assert "open" in line


@pytest.mark.parametrize("model", ["knownlocation", "postcode", "limiter"])
def test_nothing_can_be_edited(admin: Client, known: None, model: str) -> None:
    Limiter.objects.create(name="postcodes_io", free_at=0, paused_until=0, seen_at=0)
    path = f"{ADMIN}lookups/{model}/"
    first = re.search(rf'href="({path}[^"]+/change/[^"]*)"', page(admin, path))
    assert first
    assert 'name="_save"' not in page(admin, first[1])
    assert admin.post(first[1], {"provider": "x"}).status_code == 403
    assert admin.get(f"{path}add/").status_code == 403
    assert "delete_selected" not in page(admin, path)


def test_who_may_only_look_cannot_forget(known: None) -> None:
    guest = browser("guest", "view_knownlocation", "view_postcode")
    assert 'value="forget"' not in page(guest, KNOWN)
    forget(guest, KNOWN, _selected_action=[KnownLocation.objects.values_list("pk", flat=True)[0]])
    assert KnownLocation.objects.count() == 6
    assert Postcode.objects.count() == 2


def test_who_may_delete_may_forget(known: None) -> None:
    keeper = browser("keeper", "view_knownlocation", "delete_knownlocation")
    forget(keeper, KNOWN, _selected_action=list(KnownLocation.objects.values_list("pk", flat=True)))
    assert not KnownLocation.objects.exists()


def test_a_list_counts_no_more_than_its_paginator_needs(admin: Client, known: None) -> None:
    for query in ({}, {"status": "match"}, {"q": "SW1A"}):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            html = page(admin, KNOWN, **query)
        assert len(asked) < 12
        assert "Show counts" not in html
        assert not [one["sql"] for one in asked if "DISTINCT" in one["sql"]]
        assert all("LIMIT 10000" in one["sql"] for one in asked if "COUNT(" in one["sql"])


def test_a_list_keeps_its_order_whatever_the_address_says(admin: Client, known: None) -> None:
    assert results(page(admin, KNOWN, o="2")) == results(page(admin, KNOWN))


def test_after_five_wrong_passwords_nobody_is_let_in_for_a_while(settings: Any) -> None:
    browser("root", is_superuser=True)
    client = Client(headers={"X-Internal-Token": settings.INTERNAL_TOKEN, "X-Forwarded-For": "192.0.2.7"})
    login = f"{ADMIN}login/?next={ADMIN}"
    answers = [client.post(login, {"username": "root", "password": "wrong"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    refused = client.post(login, {"username": "root", "password": "a-long-password"})
    assert (refused.status_code, "Too many failed logins" in refused.content.decode()) == (429, True)


def test_cookies_of_the_admin_are_hidden_from_scripts_and_other_sites(admin: Client) -> None:
    admin.get(ADMIN)
    assert {"lookups_session", "lookups_csrf"} <= set(admin.cookies)
    for cookie in admin.cookies.values():
        assert cookie["httponly"], cookie
        assert cookie["samesite"] in ("Lax", "Strict"), cookie
