"""What lookups found is written by a thread of its own: nothing is lost, and claims last until it is there."""

import pytest
from django.db import transaction
from tests.known import LEEDS, MATCH, MISS, PALACE, SEA

from lookups.answers import Location, PostcodeDetails
from lookups.findings import Finding, Nearest
from lookups.memory import known_locations as memory
from lookups.memory.claims import Claims
from lookups.memory.writer import MOST_WAITING, Keeper
from lookups.models import Claim, KnownLocation

FOR_EVER = 10_000_000_000

pytestmark = pytest.mark.django_db(transaction=True)


def known() -> set[Location]:
    return {Location(one.latitude, one.longitude) for one in KnownLocation.objects.all()}


def test_what_waits_is_written_before_the_end() -> None:
    keeper = Keeper("p", ttl=FOR_EVER)
    places = [Location(51 + number / 1_000, -0.1) for number in range(10 * MOST_WAITING)]
    for place in places:
        keeper.keep({place: MISS})
    keeper.close()
    assert known() == set(places)


def test_what_the_database_does_not_take_keeps_nothing_else_out(caplog: pytest.LogCaptureFixture) -> None:
    details = PostcodeDetails("half a character: \ud800", "")
    bad = Finding(looked_up_at=1_000, searched=100, nearest=Nearest("LS1 1UR", 1.0, details))
    mine = Claims("p")
    mine.take([PALACE, LEEDS, SEA])
    keeper = Keeper("p", ttl=FOR_EVER)
    for findings in ({PALACE: MATCH}, {LEEDS: bad}, {SEA: MISS}):
        keeper.keep(findings)
    keeper.release(mine.owner)
    keeper.close()
    assert known() == {PALACE, SEA}
    assert "could not be kept locations=1" in caplog.text
    assert not Claim.objects.exists()


def test_claims_last_until_what_was_found_is_known() -> None:
    mine = Claims("p")
    mine.take([PALACE])
    keeper = Keeper("p", ttl=FOR_EVER)
    with transaction.atomic():
        # Another writer of the same location has to be waited for.
        memory.remember("p", {PALACE: MISS})
        keeper.keep({PALACE: MATCH})
        keeper.release(mine.owner)
        assert Claim.objects.exists()
    keeper.close()
    assert KnownLocation.objects.get().postcode is not None
    assert not Claim.objects.exists()


def test_of_two_findings_of_a_location_the_newer_one_is_kept() -> None:
    newer = Finding(looked_up_at=MISS.looked_up_at + 10, searched=2_000)
    keeper = Keeper("p", ttl=FOR_EVER)
    keeper.keep({SEA: newer})
    keeper.keep({SEA: MISS})
    keeper.close()
    assert KnownLocation.objects.get().looked_up_at == newer.looked_up_at
