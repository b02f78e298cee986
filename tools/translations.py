#!/usr/bin/env python3
"""Brings the files of translations up to date: `make translations`.

New sentences of the pages come into each `locale/*/LC_MESSAGES/django.po`, to be translated; others leave it. Then the
`.mo` that Django reads is compiled from it. This does what makemessages and compilemessages do, which need GNU gettext.
A new language begins with a `.po` that has nothing but a header (docs/pages.md).
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
from django.template import Engine
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

UPLOADS = Path(__file__).resolve().parent.parent / "file_reader" / "uploads"
LOCALES = UPLOADS / "locale"
_PAGES = UPLOADS / "web" / "pages"
_TEMPLATES = UPLOADS / "templates"
#: What is imported as gettext, gettext_lazy and ngettext.
_CALLS = {"_": 1, "lazy": 1, "ngettext": 2}
#: A sentence, and its plural or "".
Sentence = tuple[str, str]


def sentences() -> dict[Sentence, list[str]]:
    """All sentences of the pages, with the files that have them."""
    found: dict[Sentence, list[str]] = {}
    for path in sorted([*_TEMPLATES.glob("pages/*.html"), *_PAGES.glob("*.py"), UPLOADS / "templatetags" / "pages.py"]):
        for sentence in _of_template(path) if path.suffix == ".html" else _of_code(path):
            places = found.setdefault(sentence, [])
            if path.name not in places:
                places.append(path.name)
    return found


def _of_code(path: Path) -> Iterator[Sentence]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
            texts = [ast.literal_eval(argument) for argument in node.args[: _CALLS[node.func.id]]]
            yield texts[0], texts[1] if len(texts) > 1 else ""


def _of_template(path: Path) -> Iterator[Sentence]:
    libraries = {"i18n": "django.templatetags.i18n", "static": "django.templatetags.static"}
    engine = Engine(libraries=libraries | {"pages": "uploads.templatetags.pages"})
    yield from _of_nodes(engine.from_string(path.read_text()).nodelist)


def _of_nodes(nodes: Iterator[Node]) -> Iterator[Sentence]:
    for node in nodes:
        if isinstance(node, TranslateNode):
            yield str(node.filter_expression.var.literal), ""
        elif isinstance(node, BlockTranslateNode):
            plural = node.render_token_list(node.plural)[0] if node.plural else ""
            yield node.render_token_list(node.singular)[0], plural
        for name in node.child_nodelists:
            yield from _of_nodes(getattr(node, name, None) or ())
        for _, inner in getattr(node, "conditions_nodelists", ()):
            yield from _of_nodes(inner)


def placeholders(text: str) -> set[str]:
    """The places for values in a sentence: %(name)s, and {name} for scripts."""
    return set(re.findall(r"%\(\w+\)s|\{\w+\}|%%", text))


def update(path: Path) -> int:
    """Brings one `.po` up to date, and compiles it. How many sentences have no translation."""
    before = polib.pofile(str(path))
    old = {(entry.msgid, entry.msgid_plural): entry for entry in before}
    file = polib.POFile(wrapwidth=110)
    file.header, file.metadata = before.header, before.metadata
    forms = re.search(r"nplurals=(\d)", before.metadata["Plural-Forms"])
    if not forms:
        raise SystemExit(f"{path} does not say how many Plural-Forms there are")
    for (single, plural), places in sentences().items():
        entry = old.get((single, plural)) or polib.POEntry(
            msgid=single, msgid_plural=plural, msgstr_plural=dict.fromkeys(range(int(forms[1])), "") if plural else {}
        )
        entry.occurrences = [(place, "") for place in places]
        file.append(entry)
    file.save(str(path))
    file.save_as_mofile(str(path.with_suffix(".mo")))
    return len(file.untranslated_entries())


if __name__ == "__main__":
    for folder in sorted(LOCALES.iterdir()):
        missing = update(folder / "LC_MESSAGES" / "django.po")
        print(f"{folder.name}: {missing} sentences are not translated")
