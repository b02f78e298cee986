"""What is known about locations, and who is asking: the statements, on whichever database the tests run."""

import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import close_old_connections, connection, transaction
from tests.known import DETAILS, LEEDS, MATCH, MISS, PALACE, SEA, in_threads

from lookups.answers import Location, PostcodeDetails
from lookups.findings import Finding, Nearest
from lookups.memory import claims
from lookups.memory import known_locations as memory
from lookups.memory.claims import CLAIM_SECONDS, Claims
from lookups.models import Claim, KnownLocation, Postcode

pytestmark = pytest.mark.django_db(transaction=True)


def recall(*locations: Location, provider: str = "p", matches_after: int = 0, misses_after: int = 0) -> Any:
    return memory.recall(provider, locations, matches_after=matches_after, misses_after=misses_after)


def test_what_is_remembered_is_recalled_exactly() -> None:
    memory.remember("p", {PALACE: MATCH, SEA: MISS})
    assert recall(PALACE, LEEDS, SEA) == {PALACE: MATCH, SEA: MISS}


def test_nothing_is_recalled_or_remembered_of_nothing() -> None:
    memory.remember("p", {})
    assert recall() == {}


def test_a_coordinate_is_recalled_to_its_last_digit_and_not_by_its_neighbour() -> None:
    place, neighbour = Location(51.50100900000001, -0.1), Location(51.501009000000004, -0.1)
    memory.remember("p", {place: MISS})
    assert recall(place, neighbour) == {place: MISS}


def test_minus_zero_is_zero() -> None:
    memory.remember("p", {Location(51.5, -0.0): MISS})
    memory.remember("p", {Location(51.5, 0.0): MATCH})
    assert recall(Location(51.5, -0.0)) == {Location(51.5, 0.0): MATCH}
    assert KnownLocation.objects.count() == 1


def test_providers_do_not_know_what_others_know() -> None:
    memory.remember("p", {PALACE: MATCH})
    assert recall(PALACE, provider="q") == {}


def test_what_is_too_old_is_not_recalled_and_misses_age_for_themselves() -> None:
    memory.remember("p", {PALACE: MATCH, SEA: MISS})
    assert recall(PALACE, SEA, matches_after=1_000) == {SEA: MISS}
    assert recall(PALACE, SEA, misses_after=1_000) == {PALACE: MATCH}


def test_what_is_newer_or_knows_more_replaces_what_is_known() -> None:
    wider = Finding(looked_up_at=1_000, searched=2_000)
    newer = Finding(looked_up_at=1_001, searched=100)
    for finding in (MISS, wider, newer):
        memory.remember("p", {SEA: finding})
        assert recall(SEA) == {SEA: finding}


def test_a_late_writer_does_not_replace_what_is_newer() -> None:
    newer = Finding(looked_up_at=1_001, searched=2_000)
    memory.remember("p", {SEA: newer})
    memory.remember("p", {SEA: MISS})
    assert recall(SEA) == {SEA: newer}


def test_the_details_of_a_postcode_are_kept_once_and_are_the_last_that_came() -> None:
    memory.remember("p", {PALACE: MATCH, LEEDS: MATCH})
    later = PostcodeDetails(outcode="SW1A", incode="1AA", country="England", region="London", latitude=51.5)
    memory.remember("p", {LEEDS: Finding(looked_up_at=2_000, searched=100, nearest=Nearest("SW1A 1AA", 1.0, later))})
    assert recall(PALACE)[PALACE].nearest == Nearest("SW1A 1AA", 12.3456789012345, later)
    assert Postcode.objects.count() == 1


def test_a_location_whose_postcode_was_deleted_is_not_known() -> None:
    memory.remember("p", {PALACE: MATCH})
    Postcode.objects.all().delete()
    assert recall(PALACE) == {}


def test_a_thousand_take_a_few_statements(django_assert_num_queries: Any) -> None:
    places = [Location(51 + number / 10_000, -0.1) for number in range(1_000)]
    findings = {place: MATCH if number % 2 else MISS for number, place in enumerate(places)}
    with django_assert_num_queries(4):  # two of them begin and end the transaction
        memory.remember("p", findings)
    with django_assert_num_queries(1):
        assert recall(*places) == findings


def test_writers_of_the_same_locations_do_not_stop_each_other() -> None:
    places = [Location(51 + number / 1_000, -0.1) for number in range(500)]

    def write(order: int) -> None:
        for _ in range(20):
            memory.remember("p", dict.fromkeys(places[::order], MISS))

    in_threads(lambda: write(1), lambda: write(-1))
    assert len(recall(*places)) == 500


def test_writers_of_the_same_postcodes_do_not_stop_each_other() -> None:
    postcodes = [f"AB{number} 1CD" for number in range(500)]

    def write(order: int) -> None:
        findings = {
            Location(55 + order + number / 1_000, -0.1): Finding(
                looked_up_at=1_000, searched=100, nearest=Nearest(postcode, 1.0, DETAILS)
            )
            for number, postcode in enumerate(postcodes[::order])
        }
        for _ in range(20):
            memory.remember("p", findings)

    in_threads(lambda: write(1), lambda: write(-1))
    assert Postcode.objects.count() == 500


# --- Forgetting ------------------------------------------------------------------------------------------------------
def test_the_oldest_are_pruned_a_few_at_a_time() -> None:
    places = [Location(51 + number / 1_000, -0.1) for number in range(10)]
    for number, place in enumerate(places):
        memory.remember("p", {place: Finding(looked_up_at=1_000 + number, searched=100)})
    assert [memory.prune(before=1_005, limit=3) for _ in range(3)] == [3, 2, 0]
    assert set(recall(*places)) == set(places[5:])


def test_a_selection_is_forgotten_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SLICE", 10)
    places = [Location(51 + number / 1_000, -0.1) for number in range(100)]
    memory.remember("p", {place: MISS if number % 3 else MATCH for number, place in enumerate(places)})
    memory.remember("q", dict.fromkeys(places, MISS))
    assert memory.forget(KnownLocation.objects.filter(provider="p", postcode=None).order_by("-id")) == 66
    assert len(recall(*places)) == 34
    assert len(recall(*places, provider="q")) == 100


def test_who_forgets_does_not_wait_for_what_is_just_being_written() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("who writes to SQLite waits for whoever does")
    memory.remember("p", {SEA: MISS, LEEDS: MISS})

    def forget() -> None:
        set_statement_timeout()
        assert memory.forget(KnownLocation.objects.all()) == 1

    with transaction.atomic():
        memory.remember("p", {SEA: MISS})
        in_threads(forget)
    assert set(recall(SEA, LEEDS)) == {SEA}


def set_statement_timeout() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '2s'")


def test_a_postcode_is_forgotten_with_its_locations() -> None:
    other = Nearest("LS1 1AA", 5.0, PostcodeDetails(outcode="LS1", incode="1AA"))
    memory.remember("p", {PALACE: MATCH, SEA: MISS, LEEDS: Finding(looked_up_at=1_000, searched=100, nearest=other)})
    assert memory.forget_postcodes(Postcode.objects.filter(outcode="SW1A")) == 1
    assert set(recall(PALACE, SEA, LEEDS)) == {SEA, LEEDS}
    assert list(Postcode.objects.values_list("pk", flat=True)) == ["LS1 1AA"]


def test_how_many_are_known_is_told_without_counting() -> None:
    assert memory.about_how_many() == 0
    memory.remember("p", {Location(51 + number / 1_000, -0.1): MISS for number in range(1_000)})
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE lookups_knownlocation")
    assert memory.about_how_many() == 1_000


# --- Claims ----------------------------------------------------------------------------------------------------------
def test_a_location_is_claimed_by_one_until_it_is_released() -> None:
    first, second = Claims("p"), Claims("p")
    assert set(first.take([PALACE, LEEDS])) == {PALACE, LEEDS}
    assert second.take([LEEDS, SEA]) == [SEA]
    assert Claims("q").take([LEEDS]) == [LEEDS]
    claims.release([first.owner])
    assert set(Claims("p").take([PALACE, LEEDS, SEA])) == {PALACE, LEEDS}


def test_of_many_who_claim_at_once_one_gets_each_location() -> None:
    places = [Location(51 + number / 1_000, -0.1) for number in range(500)]
    taken: list[Location] = []
    in_threads(*[lambda: taken.extend(Claims("p").take(places)) for _ in range(6)])
    assert sorted(taken, key=lambda place: place.latitude) == places


def test_a_claim_ends_by_itself_when_it_is_not_renewed() -> None:
    Claims("p").take([PALACE])
    claims.drop_expired()
    assert Claims("p").take([PALACE]) == []
    Claim.objects.update(until=time.time() - 1)
    claims.drop_expired()
    assert Claims("p").take([PALACE]) == [PALACE]


def test_a_claim_that_is_renewed_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Claims("p")
    mine.take([PALACE])
    Claim.objects.update(until=time.time() + 1)
    mine.renew()
    assert Claim.objects.get().until < time.time() + 2  # it is still young
    later = time.monotonic() + CLAIM_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    mine.renew()
    assert Claim.objects.get().until > time.time() + CLAIM_SECONDS - 5


def test_a_claim_of_before_the_clock_was_set_back_ends_too() -> None:
    Claims("p").take([PALACE])
    Claim.objects.update(until=time.time() + 3_600)
    claims.drop_expired()
    assert Claims("p").take([PALACE]) == [PALACE]


def test_who_drops_expired_claims_does_not_wait_for_one_that_is_just_being_renewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("who writes to SQLite waits for whoever does")
    mine = Claims("p")
    mine.take([PALACE])
    Claim.objects.update(until=time.time() - 1)
    later = time.monotonic() + CLAIM_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)

    def drop() -> None:
        set_statement_timeout()
        claims.drop_expired()

    with transaction.atomic():
        mine.renew()
        in_threads(drop)
    assert Claim.objects.count() == 1


@pytest.mark.slow
def test_claiming_renewing_releasing_and_dropping_at_once_does_not_stop_anybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claims, "CLAIM_SECONDS", 0.02)
    places = [Location(51 + number / 1_000, -0.1) for number in range(200)]
    end = time.monotonic() + 3

    def work(order: int) -> None:
        close_old_connections()
        while time.monotonic() < end:
            mine = Claims("p")
            if mine.take(places[::order]):
                mine._renewed -= 1
                mine.renew()
                claims.release([mine.owner])
            claims.drop_expired()

    in_threads(*[lambda order=order: work(order) for order in (1, -1, 1, -1)])
    claims.drop_expired()


def test_an_operator_forgets_what_is_old_or_all_of_it() -> None:
    now = int(time.time())
    for place, days in ((PALACE, 0), (SEA, 10), (LEEDS, 40)):
        memory.remember("p", {place: Finding(looked_up_at=now - days * 86_400, searched=100, nearest=MATCH.nearest)})
    output = StringIO()
    call_command("forget_locations", "--older-than", "30", stdout=output)
    assert KnownLocation.objects.count() == 2
    call_command("forget_locations", "--all", stdout=output)
    assert not KnownLocation.objects.exists()
    assert not Postcode.objects.exists()
    assert output.getvalue().splitlines() == ["Forgotten: 1 locations.", "Forgotten: 2 locations."]
    with pytest.raises(CommandError):  # nobody forgets everything by leaving out a word
        call_command("forget_locations")
