"""`manage.py ingest [SOURCE …]`: looks at sources now."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from uploads.accepting.ingest import Look, look
from uploads.models import Source


class Command(BaseCommand):
    help = (
        "Looks at sources now, all or those that are named, and accepts new and changed files, each version once. What"
        " is new is looked at again after its source's quiet seconds. Exit code 1: a source could not be looked at."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", nargs="*", help="the name of a source; default: all that are enabled")

    def handle(self, *args: Any, **options: Any) -> None:
        names = options["source"]
        sources = list(Source.objects.filter(name__in=names) if names else Source.objects.filter(enabled=True))
        if unknown := set(names) - {source.name for source in sources}:
            raise CommandError(f"There is no source {', '.join(sorted(unknown))}.")
        looks = {source: look(source) for source in sources}
        if any(first.left for first in looks.values()):
            time.sleep(max(source.quiet_seconds for source, first in looks.items() if first.left) + 0.05)
            for source, first in looks.items():
                if first.left:
                    again = look(source)
                    looks[source] = Look(first.accepted + again.accepted, first.refused + again.refused, again.left)
        failed = False
        for source, result in looks.items():
            source.refresh_from_db()
            failed |= bool(source.error)
            counts = f"{result.accepted} accepted, {result.refused} refused, {result.left} left"
            self.stdout.write(f"{source.name}: {counts}{'. ' * bool(source.error)}{source.error}")
        if failed:
            raise CommandError("A source could not be looked at.")
