"""docs/faults.md is a table of what there is: every fault has a test, and every test that it names exists."""

import re

from stack import ROOT

DOCUMENT = (ROOT / "docs" / "faults.md").read_text()
FAULTS = range(1, 27)


def test_every_fault_has_a_row_with_a_test() -> None:
    numbers = re.findall(r"^\| (\d+) \|.*`[\w/]+\.py::test_\w+`", DOCUMENT, re.MULTILINE)
    assert {int(number) for number in numbers} == set(FAULTS)


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", DOCUMENT)
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
