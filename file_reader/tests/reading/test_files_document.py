"""Each line of docs/files.md is true of an example: what is read, what is refused, and the words that one gets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.corpus import CASES
from tests.corpus.case import STATUS, No
from tests.corpus.reading import opened, read
from tests.documented import EXAMPLES
from tests.documented.example import Example
from tests.reading.test_reading_corpus import assert_rows

from uploads.problems import status_of
from uploads.reading.errors import ReadingError
from uploads.reading.notations import REASONS, Notation
from uploads.reading.other_readings import RULES as DOUBTS
from uploads.reading.preview import preview
from uploads.reading.warnings import RULES as WARNINGS

_DOCS = Path(__file__).resolve().parents[3] / "docs"
_CODE = re.compile(r"`([^`]*)`")
_WORDS = re.compile(r"(?<![\w*])\*([^*]+)\*(?![\w*])")
#: What is said by a code beside the words.
_SAID_BY_CODE = {*REASONS, *WARNINGS, *DOUBTS, "rows_in_quotes"} - {*Notation}


#: Lines whose examples take seconds.
_SLOW = ("CSV 100 times", "16 MiB of XML", "8 MiB of XML", "64 MiB of XML", "a table 20 times", "10,000 number formats")


@dataclass(frozen=True)
class Line:
    """A row of a table, or an item of a list: the section in which it stands, its key, and its text."""

    section: str
    key: str
    text: str

    @property
    def words(self) -> list[str]:
        """The patterns of the answers that it names."""
        without_code = _CODE.sub("", self.text)
        return [".*".join(map(re.escape, words.split("…"))) for words in _WORDS.findall(without_code)]

    @property
    def codes(self) -> set[str]:
        return _SAID_BY_CODE.intersection(_CODE.findall(self.text))

    @property
    def status(self) -> int:
        return int((re.findall(r"\b4\d\d\b", self.text.partition("*")[0]) or ["422"])[0])


def lines_of(text: str) -> Iterator[Line]:
    section = ""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("## "):
            section = line[3:]
        elif line.startswith("- "):
            yield Line(section, line[2:], line)
        elif line.startswith("|") and not line.startswith("|---") and not lines[number + 1].startswith("|---"):
            yield Line(section, line.split(" | ")[0].lstrip("| "), line)


LINES = list(lines_of((_DOCS / "files.md").read_text()))


@dataclass
class Answer:
    """What became of an example: all sentences and codes that were said of it."""

    error: ReadingError | None = None
    sentences: list[str] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    has_fix: bool = False


def answer_of(example: Example) -> Answer:
    reading = read(example.content, max_bytes=example.max_bytes, **example.declared)
    answer = Answer(reading.error)
    if reading.dialect is not None:
        said: list[dict[str, Any]] = []
        try:
            with opened(reading.content, reading.dialect.sheet) as table:
                said = preview(table, reading.dialect)["warnings"]
        except ReadingError as error:
            answer.error = error
        answer.sentences += [cast(str, warning["detail"]) for warning in said]
        answer.codes |= {warning["code"] for warning in said} | {row.reason for row in reading.rows if row.reason}
        answer.has_fix = any(warning["fix"] for warning in said)
        assert {name: getattr(reading.dialect, name) for name in example.dialect} == example.dialect
    if example.rows is not None:
        assert_rows(reading.rows, example.rows)
    if example.table:
        with opened(reading.content, reading.dialect.sheet if reading.dialect else "") as table:
            assert example.table in table.read().decode().replace("\r\n", "\n")
    if answer.error is not None:
        answer.sentences.append(answer.error.detail)
        answer.codes.add(answer.error.extra.get("doubt", ""))
        answer.has_fix = bool(answer.error.extra.get("fix"))
    return answer


def test_each_line_has_an_example_and_each_example_a_line() -> None:
    written = [(line.section, line.key) for line in LINES]
    assert sorted(written) == sorted((section, key) for section, of in EXAMPLES.items() for key in of)


def _params() -> Iterator[Any]:
    for line in LINES:
        marks = [pytest.mark.slow] if line.key.startswith(_SLOW) else []
        yield pytest.param(line, id=f"{line.section}: {line.key[:60]}", marks=marks)


@pytest.mark.parametrize("line", list(_params()))
def test_a_line_is_true_of_its_examples(line: Line) -> None:
    answers = [answer_of(example) for example in EXAMPLES[line.section][line.key]]
    assert answers
    for words in line.words:
        assert any(re.search(words, one, re.DOTALL) for answer in answers for one in answer.sentences), words
    for answer in answers:
        if answer.error is not None:
            assert any(re.search(words, answer.error.detail, re.DOTALL) for words in line.words), answer.error.detail
            assert status_of(answer.error) == STATUS.get(answer.error.slug, 422) == line.status
    assert {code for code in line.codes if not any(code in answer.codes for answer in answers)} == set()
    assert any(answer.has_fix for answer in answers) == ("`fix`" in line.text)


def test_each_reason_of_a_rejected_row_is_in_the_documents_and_in_the_corpus() -> None:
    table = (_DOCS / "problems.md").read_text().partition("| status | reason |")[2].partition("| `no_match`")[0]
    assert set(re.findall(r"^\|[^|]*\|([^|]*)\|", table, re.MULTILINE)) != set()
    written = {code for cell in re.findall(r"^\|[^|]*\|([^|]*)\|", table, re.MULTILINE) for code in _CODE.findall(cell)}
    rejected = {row.reason for case in CASES for row in case.rows if isinstance(row, No)}
    assert written == set(REASONS) == rejected | {"nul_byte"} & set(REASONS)
