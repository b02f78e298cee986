"""Fast bulk writes, one module for each database.

Django's `bulk_create` writes 30,000 rows a second and its `bulk_update` 3,000; what is here is 10 and 100 times as
fast (docs/decisions/0003). The names read like Django's. All of them run in the caller's transaction.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from types import ModuleType
from typing import NamedTuple

from django.db import connection

from uploads.bulk import postgresql, sqlite


class NewRow(NamedTuple):
    """A row as it is read: the columns in the order in which they are written."""

    id: int
    upload_id: int
    latitude: float | None
    longitude: float | None
    status: int
    reason: str | None
    line: int | None
    raw: str | None


class Result(NamedTuple):
    """What was found for one row; `distance_m` in metres."""

    id: int
    status: int
    reason: str | None
    postcode: str | None
    distance_m: float | None


class PostcodeDetails(NamedTuple):
    """What the answer says about a postcode."""

    postcode: str
    outcode: str
    incode: str
    country: str | None
    region: str | None
    admin_district: str | None
    admin_ward: str | None
    latitude: float | None
    longitude: float | None


def _database() -> ModuleType:
    return postgresql if connection.vendor == "postgresql" else sqlite


def bulk_create_rows(rows: Sequence[NewRow]) -> None:
    """Inserts rows; an id that is already there is an IntegrityError."""
    _database().insert_rows(rows)


def bulk_update_results(results: Sequence[Result]) -> None:
    """Writes the results of rows that exist, which are neighbours: their range of ids goes into the statement."""
    if results:
        _database().update_results(results)


def bulk_create_postcodes(postcodes: Iterable[PostcodeDetails]) -> None:
    """Inserts the postcodes that are not known yet.

    Sorted, so that two workers that insert the same ones wait for each other in the same order and cannot deadlock.
    """
    _database().insert_postcodes(sorted(postcodes, key=itemgetter(0)))
