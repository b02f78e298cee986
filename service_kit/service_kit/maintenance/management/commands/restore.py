"""`manage.py restore FILE`: a backup, into a database that was migrated and never used."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from service_kit.maintenance.backup import BackupError, restore


class Command(BaseCommand):
    help = "Reads a backup into a database that was migrated and never used. What can be derived is done again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what `manage.py backup` has written")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            summary = restore(file, import_string(settings.BACKUP_CONTENT))
        except BackupError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror}.") from error
        self.stdout.write(f"restored: {summary.records:,} records, {summary.files:,} files")
