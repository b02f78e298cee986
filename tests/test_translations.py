"""The sentences of the pages in other languages: none is missing, and what Django reads is what people have written."""

import re
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tools"), str(ROOT / "file_reader")]

from translations import LOCALES, UPLOADS, placeholders, sentences  # noqa: E402

from uploads.web.pages.script_words import SCRIPT_WORDS  # noqa: E402

LANGUAGES = sorted(LOCALES.glob("*/LC_MESSAGES/django.po"))


@pytest.fixture(params=LANGUAGES, ids=lambda path: path.parent.parent.name)
def language(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_sentences_are_found_in_templates_and_in_code() -> None:
    found = sentences()
    assert ("Get postcodes", "") in found
    assert ("Delete %(name)s?", "") in found
    assert ("%(number)s row failed", "%(number)s rows failed") in found
    assert (
        "Waiting for a worker. %(count)s upload is ahead",
        "Waiting for a worker. %(count)s uploads are ahead",
    ) in found
    assert ("The selected file is empty.", "") in found


def test_every_sentence_is_translated_and_no_other(language: Path) -> None:
    file = polib.pofile(str(language))
    assert sorted((entry.msgid, entry.msgid_plural) for entry in file) == sorted(sentences())
    assert [entry.msgid for entry in file if not entry.translated()] == []


def test_every_translation_has_a_place_for_each_value(language: Path) -> None:
    wrong = []
    for entry in polib.pofile(str(language)):
        for text in [entry.msgstr] if not entry.msgid_plural else entry.msgstr_plural.values():
            # One of something need not be counted.
            allowed = [placeholders(entry.msgid), placeholders(entry.msgid_plural or entry.msgid)]
            if placeholders(text) not in allowed:
                wrong.append(text)
    assert wrong == []


def test_what_django_reads_was_compiled_from_it(language: Path) -> None:
    compiled = polib.mofile(str(language.with_suffix(".mo")))
    written = polib.pofile(str(language))
    key = lambda entry: (entry.msgid, entry.msgstr, entry.msgstr_plural)  # noqa: E731
    assert sorted(map(key, compiled), key=str) == sorted(map(key, written), key=str)


def test_scripts_say_nothing_of_their_own() -> None:
    said = set()
    for path in (UPLOADS / "static" / "pages").glob("*.js"):
        code = re.sub(r"//.*|/\*[\s\S]*?\*/", "", path.read_text())
        for call in re.findall(r"say\(([^)]*)", code):
            said |= set(re.findall(r'"([a-z_]+)"', call))
        assert re.findall(r"""["'`>][A-Z][a-z]+(?: [a-z]|["'`<]).*""", code) == [], path
    assert said == SCRIPT_WORDS.keys()
