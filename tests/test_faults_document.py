"""docs/faults.md and docs/security.md are tables of what there is: every fault and every promise has a test, and every
test that they name exists."""

import re

import pytest
from stack import ROOT

DOCUMENT = (ROOT / "docs" / "faults.md").read_text()
SECURITY = (ROOT / "docs" / "security.md").read_text()
FAULTS = range(1, 27)


def test_every_fault_has_a_row_with_a_test() -> None:
    numbers = re.findall(r"^\| (\d+) \|.*`[\w/]+\.py::test_\w+`", DOCUMENT, re.MULTILINE)
    assert {int(number) for number in numbers} == set(FAULTS)


def test_every_promise_has_a_test() -> None:
    promises = re.findall(r"^\| promise \| test \|\n\|---\|---\|\n((?:\|.*\n)+)", SECURITY, re.MULTILINE)
    rows = "".join(promises).splitlines()
    assert len(rows) > 20
    assert [row for row in rows if not re.search(r"`[\w/]+\.py::test_\w+`", row)] == []


@pytest.mark.parametrize("document", [DOCUMENT, SECURITY], ids=["faults", "security"])
def test_every_test_that_is_named_exists(document: str) -> None:
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", document)
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or f"def {name}(" not in (ROOT / path).read_text()
    ]
    assert missing == []


def test_every_test_of_a_fault_is_named() -> None:
    tests = {
        name
        for folder in ("file_reader/tests", "postcode_consumer/tests", "gateway/tests", "tests")
        for path in (ROOT / folder).rglob("test_*.py")
        for name in re.findall(r"^def (test_fault_\w+)\(", path.read_text(), re.MULTILINE)
    }
    assert sorted(name for name in tests if f"::{name}`" not in DOCUMENT) == []
