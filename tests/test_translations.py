"""The sentences of the pages in other languages: none is missing, and what Django reads is what people have written."""

import re
import sys
from html.parser import HTMLParser
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


def test_a_sentence_that_counts_has_every_form_of_its_language(language: Path) -> None:
    file = polib.pofile(str(language))
    forms = re.search(r"nplurals=(\d)", file.metadata["Plural-Forms"])
    assert forms
    counting = [entry for entry in file if entry.msgid_plural]
    assert counting
    assert {tuple(sorted(entry.msgstr_plural)) for entry in counting} == {tuple(range(int(forms[1])))}


class Bare(HTMLParser):
    """The words of a page that stand in its template as they are."""

    def __init__(self, template: str) -> None:
        super().__init__()
        self.found: list[str] = []
        text = re.sub(r"(?s){% blocktranslate.*?{% endblocktranslate %}|{#.*?#}|{%.*?%}|{{.*?}}", " ", template)
        self.feed(re.sub(r"(?s)<(pre|code|tbody|svg)\b.*?</\1>", " ", text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("aria-label", "title", "alt", "placeholder"):
                self.handle_data(value or "")

    def handle_data(self, data: str) -> None:
        self.found += re.findall(r"[^\W\d_]{2,}", data)


@pytest.mark.parametrize("path", sorted((UPLOADS / "templates" / "pages").glob("*.html")), ids=lambda path: path.name)
def test_no_template_has_words_that_cannot_be_translated(path: Path) -> None:
    # Column names of the example are those of a file.
    allowed = {"site", "lat", "lon", "result", "status", "postcode", "distance", "admin", "district"}
    assert set(Bare(path.read_text()).found) - allowed == set()


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
