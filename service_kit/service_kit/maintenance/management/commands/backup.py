"""`manage.py backup FILE`: what is to be kept, as one file."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from service_kit.maintenance.backup import BackupError, back_up


class Command(BaseCommand):
    help = "Writes what is to be kept of this service into one new file, also while it works. It has secrets in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a name that is free, such as backup-2026-05-01.tar")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            summary = back_up(file, import_string(settings.BACKUP_CONTENT))
        except BackupError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror}.") from error
        self.stdout.write(
            f"{file}: {summary.records:,} records, {summary.files:,} files, {file.stat().st_size:,} bytes"
        )
