"""`manage.py forget_locations`: what was asked upstream is forgotten, all of it or what is older."""

import argparse
import time
from typing import Any

from django.core.management.base import BaseCommand

from lookups.answers import DAY
from lookups.memory.known_locations import forget
from lookups.models import KnownLocation, Postcode


class Command(BaseCommand):
    help = "Forgets the locations that were asked of an external API. They are asked again when somebody wants them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true", help="all of them, and the postcodes that they found")
        which.add_argument("--older-than", metavar="DAYS", type=_days, help="those that were asked before so many days")

    def handle(self, *args: Any, **options: Any) -> None:
        """Forgets in slices: lookups go on meanwhile."""
        locations = KnownLocation.objects.all()
        if options["older_than"] is not None:
            locations = locations.filter(looked_up_at__lte=int(time.time()) - options["older_than"] * DAY)
        count = _forget_all(locations)
        if options["all"]:
            _forget_all(Postcode.objects.all())
        self.stdout.write(f"Forgotten: {count:,} locations.")


def _forget_all(selected: Any) -> int:
    total = 0
    while count := forget(selected):
        total += count
    return total


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise argparse.ArgumentTypeError("a whole number of days")
    return int(text)
