"""Each rule by which a file is asked back is needed: without it, a file of the corpus is read in another way."""

import pytest
from tests.corpus import CASES
from tests.corpus.case import Case
from tests.corpus.reading import read

from uploads.reading.detecting.doubts import Rules
from uploads.reading.detecting.doubts.degrees import CANDIDATES, DEGREES
from uploads.reading.detecting.doubts.grid import BRITISH, METRES

_TABLES: list[Rules] = [CANDIDATES, DEGREES, METRES, BRITISH]
_ASKED_BACK = [case for case in CASES if case.fault and case.fault.slug == "columns-not-found" and not case.wrong]


@pytest.mark.parametrize(("rules", "name"), [pytest.param(rules, name, id=name) for rules in _TABLES for name in rules])
def test_without_a_rule_a_file_is_read_in_another_way(rules: Rules, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(map(_as_expected, _ASKED_BACK[:3]))
    monkeypatch.delitem(rules, name)
    assert not all(map(_as_expected, _ASKED_BACK))


def _as_expected(case: Case) -> bool:
    reading = read(case.content, **case.declared)
    if reading.error is None or case.fault is None:
        return reading.error is case.fault
    return case.fault.mentions in reading.error.detail and all(
        reading.error.extra.get(name) == value for name, value in case.fault.extra.items()
    )
