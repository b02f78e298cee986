"""The known locations in the database: statements for SQLite and PostgreSQL, a thousand locations each.

All writers write in the order of the keys, postcodes before locations, so that no two wait for each other.
"""

import time
from collections.abc import Iterable, Mapping
from operator import attrgetter, itemgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from lookups.answers import Location, PostcodeDetails
from lookups.findings import Finding, Nearest
from lookups.memory.sql import filled, insert, query_of
from lookups.models import KnownLocation, Postcode

#: Rows that are deleted in one transaction. Larger ones are quicker, and other writers to SQLite wait for longer.
SLICE = 30_000
#: Seconds after which no further slice is begun: the admin's page waits for the end.
LONGEST_FORGETTING = 30.0
_BY_KEY = attrgetter("latitude", "longitude")
_FIRST = itemgetter(0)
_KEY_TYPES = ("float8", "float8")
_details_of = attrgetter(
    "outcode", "incode", "country", "region", "admin_district", "admin_ward", "latitude", "longitude"
)

#: CROSS JOIN makes SQLite begin with `asked`, instead of reading all known locations.
_RECALL = """
WITH asked (latitude, longitude) AS ({rows})
SELECT known.latitude, known.longitude, known.looked_up_at, known.searched_m, known.postcode, known.distance_m,
       nearest.outcode, nearest.incode, nearest.country, nearest.region, nearest.admin_district, nearest.admin_ward,
       nearest.latitude, nearest.longitude
FROM asked
CROSS JOIN lookups_knownlocation AS known
LEFT JOIN lookups_postcode AS nearest ON nearest.postcode = known.postcode
WHERE known.latitude = asked.latitude AND known.longitude = asked.longitude AND known.provider = %s
  AND CASE WHEN known.postcode IS NULL THEN known.looked_up_at > %s
           ELSE known.looked_up_at > %s AND nearest.postcode IS NOT NULL END
"""
_REMEMBER_POSTCODES = """
INSERT INTO lookups_postcode AS kept
    (postcode, outcode, incode, country, region, admin_district, admin_ward, latitude, longitude) {rows}
ON CONFLICT (postcode) DO UPDATE SET
    outcode = excluded.outcode, incode = excluded.incode, country = excluded.country, region = excluded.region,
    admin_district = excluded.admin_district, admin_ward = excluded.admin_ward,
    latitude = excluded.latitude, longitude = excluded.longitude
WHERE kept.outcode {differs_from} excluded.outcode
   OR kept.incode {differs_from} excluded.incode
   OR kept.country {differs_from} excluded.country
   OR kept.region {differs_from} excluded.region
   OR kept.admin_district {differs_from} excluded.admin_district
   OR kept.admin_ward {differs_from} excluded.admin_ward
   OR kept.latitude {differs_from} excluded.latitude
   OR kept.longitude {differs_from} excluded.longitude
"""
#: Only a newer or wider finding replaces the old one: a process that was frozen may be late.
_REMEMBER_LOCATIONS = """
INSERT INTO lookups_knownlocation AS kept
    (latitude, longitude, looked_up_at, searched_m, postcode, distance_m, provider) {rows}
ON CONFLICT (latitude, longitude, provider) DO UPDATE SET
    looked_up_at = excluded.looked_up_at, searched_m = excluded.searched_m,
    postcode = excluded.postcode, distance_m = excluded.distance_m, wanted = false
WHERE excluded.looked_up_at >= kept.looked_up_at OR excluded.searched_m > kept.searched_m
"""
#: A row that is locked is being written, and new.
_WANT = {
    "sqlite": """
WITH asked (latitude, longitude) AS ({rows})
UPDATE lookups_knownlocation SET wanted = true
WHERE NOT wanted AND provider = %s AND (latitude, longitude) IN (SELECT latitude, longitude FROM asked)
""",
    "postgresql": """
WITH asked (latitude, longitude) AS ({rows})
UPDATE lookups_knownlocation SET wanted = true
WHERE id = ANY (ARRAY(
    SELECT id FROM lookups_knownlocation
    WHERE NOT wanted AND provider = %s AND (latitude, longitude) IN (SELECT latitude, longitude FROM asked)
    FOR UPDATE SKIP LOCKED))
""",
}
#: The ids are given one after the other: right as long as nothing between the first and the last was forgotten. SQLite
#: looks up one end in a query, and reads the whole table for both.
_ESTIMATE = {
    "sqlite": """
SELECT coalesce((SELECT max(id) FROM lookups_knownlocation) - (SELECT min(id) FROM lookups_knownlocation) + 1, 0)
""",
    # What the last ANALYZE counted; it is -1 before the first.
    "postgresql": """
SELECT CASE WHEN reltuples >= 0 THEN reltuples
            ELSE (SELECT coalesce(max(id) - min(id) + 1, 0) FROM lookups_knownlocation) END
FROM pg_class WHERE oid = 'lookups_knownlocation'::regclass
""",
}


def recall(
    provider: str, locations: Iterable[Location], *, matches_after: int, misses_after: int
) -> dict[Location, Finding]:
    """The findings about these locations that were looked up after those moments (Unix seconds)."""
    keys = sorted(map(_BY_KEY, locations))
    if not keys:
        return {}
    rows, values = query_of(keys, _KEY_TYPES)
    with connection.cursor() as cursor:
        cursor.execute(filled(_RECALL, rows=rows), [*values, provider, misses_after, matches_after])
        return {Location(row[0], row[1]): _finding(row) for row in cursor.fetchall()}


def remember(provider: str, findings: Mapping[Location, Finding]) -> None:
    """Keeps the findings, in place of earlier ones."""
    if not findings:
        return
    nearest = [finding.nearest for finding in findings.values() if finding.nearest]
    postcodes = {one.postcode: one.details for one in nearest}
    with transaction.atomic(), connection.cursor() as cursor:
        if postcodes:
            insert(
                cursor,
                _REMEMBER_POSTCODES,
                sorted([(postcode, *_details_of(details)) for postcode, details in postcodes.items()], key=_FIRST),
                ("text",) * 7 + _KEY_TYPES,
            )
        insert(
            cursor,
            _REMEMBER_LOCATIONS,
            sorted([(*_row(location, finding), provider) for location, finding in findings.items()]),
            (*_KEY_TYPES, "bigint", "integer", "text", "float8", "text"),
        )


def want(provider: str, locations: Iterable[Location]) -> None:
    """Notes that somebody asked about these known locations, for whoever asks again before they are too old."""
    keys = sorted(map(_BY_KEY, locations))
    if not keys:
        return
    rows, values = query_of(keys, _KEY_TYPES)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(filled(_WANT[connection.vendor], rows=rows), [*values, provider])


def wanted(provider: str) -> QuerySet[KnownLocation]:
    """Those that `want` noted, by how far was searched, the oldest first."""
    return KnownLocation.objects.filter(provider=provider, wanted=True).order_by("searched_m", "looked_up_at")


def details_of(postcode: str) -> PostcodeDetails | None:
    """What a provider said about this postcode the last time; None when none did."""
    found = Postcode.objects.filter(pk=postcode).values(*PostcodeDetails.__struct_fields__).first()
    return PostcodeDetails(**found) if found else None


def prune(*, before: int, limit: int) -> int:
    """Forgets the oldest locations that were looked up before that moment (Unix seconds), and returns their number."""
    return _forget_slice(KnownLocation.objects.filter(looked_up_at__lt=before).order_by("looked_up_at"), limit)[0]


def forget(selected: QuerySet[Any]) -> int:
    """Forgets these locations, or postcodes, in slices, and says how many; for a million, it must be called again."""
    end = time.monotonic() + LONGEST_FORGETTING
    total, rest = 0, selected.order_by("pk")
    while True:
        count, last = _forget_slice(rest, SLICE)
        total += count
        if count < SLICE or time.monotonic() > end:
            return total
        rest = selected.filter(pk__gt=last).order_by("pk")


def forget_postcodes(selected: QuerySet[Postcode]) -> int:
    """Forgets these postcodes, and the locations that are nearest to them; says how many postcodes there were."""
    nearest_to_them = KnownLocation.objects.filter(postcode__in=selected.order_by().values("pk"))
    forget(nearest_to_them)
    return 0 if nearest_to_them.exists() else forget(selected)


def _forget_slice(selected: QuerySet[Any], limit: int) -> tuple[int, Any]:
    """How many of the first rows are gone, and the last of them.

    A row that is being written just now is left: it is new.
    """
    with transaction.atomic():
        keys = list(selected.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        if keys:
            selected.model.objects.filter(pk__in=keys)._raw_delete(selected.db)
    return len(keys), keys[-1] if keys else None


def about_how_many() -> int:
    """How many locations are known, without counting them."""
    with connection.cursor() as cursor:
        cursor.execute(_ESTIMATE[connection.vendor])
        return int(cursor.fetchone()[0])


def _row(location: Location, finding: Finding) -> tuple[object, ...]:
    nearest = finding.nearest
    postcode, distance = (nearest.postcode, nearest.distance) if nearest else (None, None)
    return location.latitude, location.longitude, finding.looked_up_at, finding.searched, postcode, distance


def _finding(row: tuple[Any, ...]) -> Finding:
    if row[4] is None:
        return Finding(looked_up_at=row[2], searched=row[3])
    details = PostcodeDetails(
        outcode=row[6],
        incode=row[7],
        country=row[8],
        region=row[9],
        admin_district=row[10],
        admin_ward=row[11],
        latitude=row[12],
        longitude=row[13],
    )
    return Finding(looked_up_at=row[2], searched=row[3], nearest=Nearest(row[4], row[5], details))
