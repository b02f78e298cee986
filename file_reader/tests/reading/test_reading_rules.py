"""Each rule by which a file is asked back is needed: without it, a file of the corpus is read in another way."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.corpus import CASES
from tests.corpus.case import Case
from tests.corpus.reading import opened, read

from uploads.reading.detecting.doubts import Rules
from uploads.reading.detecting.doubts.degrees import ABOVE, CANDIDATES, DEGREES, PRECISION, SIDES
from uploads.reading.detecting.doubts.grid import BRITISH, EXCHANGED, METRES
from uploads.reading.detecting.doubts.places import PLACES
from uploads.reading.detecting.unread import UNREAD
from uploads.reading.other_readings import RULES as OTHER_READINGS
from uploads.reading.records import read_rows

_TABLES: list[Rules] = [CANDIDATES, DEGREES, SIDES, ABOVE, PRECISION, EXCHANGED, METRES, BRITISH, PLACES]
_SLUGS = ("columns-not-found", "reading-doubtful")
_ASKED_BACK = [case for case in CASES if case.fault and case.fault.slug in _SLUGS and not case.wrong]


@pytest.mark.parametrize(("rules", "name"), [pytest.param(rules, name, id=name) for rules in _TABLES for name in rules])
def test_without_a_rule_a_file_is_read_in_another_way(rules: Rules, name: str, take_out: Callable[..., None]) -> None:
    assert all(map(_as_expected, _ASKED_BACK[:3]))
    take_out(rules, name)
    assert not all(map(_as_expected, _ASKED_BACK))


@pytest.mark.parametrize("name", OTHER_READINGS)
def test_without_another_reading_a_file_is_read_as_it_is(name: str, take_out: Callable[..., None]) -> None:
    doubtful = [case for case in _ASKED_BACK if case.fault and case.fault.extra.get("doubt") == name]
    assert all(map(_as_expected, doubtful))
    take_out(OTHER_READINGS, name)
    assert not all(map(_as_expected, doubtful))


@pytest.mark.parametrize(
    "without",
    [
        {"side_column": None},
        {"silent_sides": []},
        {"west_flags": []},
        {"second": None},
        {"is_lettered": False},
        {"is_british": False},
        {"is_of_world": False},
    ],
    ids=lambda without: next(iter(without)),
)
def test_without_what_held_for_the_first_rows_others_are_read_in_another_way(without: dict[str, Any]) -> None:
    assert any(_is_read_otherwise(case, without) for case in CASES if case.rows and len(case.content) < 20_000)


def _is_read_otherwise(case: Case, without: dict[str, Any]) -> bool:
    reading = read(case.content, max_bytes=case.max_bytes, **case.declared)
    if reading.dialect is None or (other := replace(reading.dialect, **without)) == reading.dialect:
        return False
    with opened(reading.content, other.sheet) as table:
        return list(read_rows(table, other)) != reading.rows


@pytest.mark.parametrize("name", UNREAD)
def test_without_its_rule_a_way_that_is_not_read_is_not_named(name: str, take_out: Callable[..., None]) -> None:
    take_out(UNREAD, name)
    assert not all(map(_as_expected, _ASKED_BACK))


def _as_expected(case: Case) -> bool:
    reading = read(case.content, **case.declared)
    if reading.error is None or case.fault is None:
        return reading.error is case.fault
    return case.fault.mentions in reading.error.detail and all(
        reading.error.extra.get(name) == value for name, value in case.fault.extra.items()
    )
