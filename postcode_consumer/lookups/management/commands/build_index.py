"""`manage.py build_index FILE`: open postcode data → the index that the provider `local` reads."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lookups.index.build import build
from lookups.index.file import BuildRunningError
from lookups.index.sources import ACCEPTED, SourceRefusedError


class Command(BaseCommand):
    help = f"Builds the index of postcodes for PROVIDER=local. {ACCEPTED}"
    # It needs no database, and works before there is one.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="the file as it was downloaded")
        parser.add_argument(
            "--output", metavar="DIR", type=Path, default=settings.LOCAL_INDEX, help="instead of LOCAL_INDEX"
        )

    def handle(self, *args: Any, file: Path, output: Path, **options: Any) -> None:
        try:
            summary = build(file, output, self._progress)
        except (SourceRefusedError, BuildRunningError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or output}: {error.strerror}.") from error
        skipped = ", ".join(f"{count:,} {reason}" for reason, count in sorted(summary.skipped.items())) or "none"
        self.stdout.write(
            f"{summary.postcodes:,} live postcodes at {summary.places:,} places, in {summary.seconds:.1f} s\n"
            f"skipped: {skipped}\n"
            f"index: {output.resolve()}, {summary.size / 1e6:.0f} MB"
        )

    def _progress(self, records: int) -> None:
        """One line that moves on a terminal, one a million elsewhere."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r{records:,} postcodes read", ending="")
        elif records % 1_000_000 == 0:
            self.stderr.write(f"{records:,} postcodes read")
