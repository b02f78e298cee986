"""The settings with which a file is sent, as fields of the form: nothing chosen is "find out"."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

Choices = dict[str, "str | Promise"]
_CHOICES: dict[str, tuple[Promise, Choices]] = {
    "has_header": (lazy("First line"), {"true": lazy("Column names"), "false": lazy("A row")}),
    "delimiter": (
        lazy("Separator"),
        {
            "comma": lazy("Comma"),
            "semicolon": lazy("Semicolon"),
            "tab": lazy("Tab"),
            "pipe": lazy("Vertical bar"),
        },
    ),
    "encoding": (lazy("Encoding"), {name: name for name in ("utf-8", "windows-1252", "utf-16")}),
    "decimal": (lazy("Decimal sign"), {".": lazy("Point"), ",": lazy("Comma")}),
}
_TYPED = ("latitude", "longitude", "max_distance")


class Select(NamedTuple):
    """A field with choices. What was said otherwise, as with the API, is one of them, too."""

    name: str
    label: Promise
    choices: Choices
    chosen: str


class Settings:
    """Those that were said before."""

    def __init__(self, said: Mapping[str, str]) -> None:
        self.said = said

    @property
    def selects(self) -> Iterator[Select]:
        for name, (label, choices) in _CHOICES.items():
            chosen = self.said.get(name, "")
            more: Choices = {chosen: chosen} if chosen and chosen not in choices else {}
            yield Select(name, label, choices | more, chosen)

    @property
    def others(self) -> dict[str, str]:
        """Those that the form has no field for."""
        return {name: value for name, value in self.said.items() if name not in _CHOICES and name not in _TYPED}
