"""`manage.py show_upload ID`: the work on one upload, and what happens next."""

import textwrap
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from uploads.models import Upload
from uploads.work.inspection import Inspection, Table, inspect_upload

#: The widest line, in characters.
WIDTH = 100
_SHOWN_IDS = 5


class Command(BaseCommand):
    help = "Shows the work on one upload: its chunks, leases and faults, and what happens next."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", help="the id, its first characters, or the number that the logs have: upload=17")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(as_text(inspect_upload(_find(options["id"]))))


def _find(text: str) -> int:
    """The upload's number. Digits are a number if an upload has it, and the beginning of an id otherwise."""
    sought = text.strip().removeprefix("upload=")
    if sought.isdecimal() and len(sought) < 10 and Upload.objects.filter(pk=int(sought)).exists():
        return int(sought)
    found = _by_beginning(sought.replace("-", "").lower())
    if not found:
        raise CommandError(f"No upload has the number or the id {text!r}. One that was deleted may be gone for good.")
    if len(found) > 1:
        ids = ", ".join(f"{public_id}" for _, public_id in found[:_SHOWN_IDS])
        more = " and more" if len(found) > _SHOWN_IDS else ""
        raise CommandError(f"{text!r} is the beginning of several ids: {ids}{more}. Give more characters.")
    return found[0][0]


def _by_beginning(digits: str) -> list[tuple[int, UUID]]:
    if not digits or len(digits) > 32 or set(digits) - set("0123456789abcdef"):
        return []
    span = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return list(
        Upload.objects.filter(public_id__range=span).order_by("id").values_list("pk", "public_id")[: _SHOWN_IDS + 1]
    )


def as_text(inspection: Inspection) -> str:
    parts = [[_pair(name, text) for name, text in inspection.facts]]
    parts += [_table(table) for table in inspection.tables if table.lines]
    parts.append(["What happens next", *(line for said in inspection.next for line in _wrapped(said, "  ", "    "))])
    return "\n\n".join("\n".join(part) for part in parts)


def _pair(name: str, text: str) -> str:
    return "\n".join(_wrapped(text, f"{name:<14}", " " * 14))


def _table(table: Table) -> list[str]:
    rows = [table.columns, *table.lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [table.title, *(f"  {line}" for line in lines), *([f"  {table.note}"] if table.note else [])]


def _wrapped(text: str, first: str, others: str) -> list[str]:
    # A file's name is anybody's text, and a terminal obeys control characters.
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return textwrap.wrap(shown, WIDTH, initial_indent=first, subsequent_indent=others)
