"""`manage.py maintenance`: tidies up once, or every so many seconds."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connection

from service_kit.database_errors import database_is_away
from service_kit.maintenance.running import BusyError, Outcome, maintain


class Command(BaseCommand):
    help = (
        "Tidies up: removes what is over, and what nobody uses. It may run at any time and anywhere, by cron or by"
        " hand: of all machines one does it at a time. Exit code 1: a job failed; the others were done."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="change nothing, and say what would be done")
        parser.add_argument("--quiet", action="store_true", help="print nothing: the log has it, too")
        parser.add_argument(
            "--every", metavar="SECONDS", type=float, help="go on until SIGTERM, with a run every so many seconds"
        )

    def handle(self, *args: Any, dry_run: bool, quiet: bool, every: float | None, **options: Any) -> None:
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        while True:
            lines, failed = _run(dry_run, stop)
            if not quiet:
                self.stdout.write("\n".join(lines))
            if every is None:
                break
            connection.close()
            if stop.wait(every):
                return
        if failed:
            raise CommandError(f"These failed: {', '.join(failed)}. The log says why.")


def _run(dry_run: bool, stop: threading.Event) -> tuple[list[str], list[str]]:
    """What there is to print, and the jobs that failed."""
    try:
        outcomes = maintain(dry_run=dry_run, is_stopping=stop.is_set)
    except BusyError:
        return ["Another run is under way: nothing was done."], []
    except Error as error:
        if not database_is_away(error):
            raise
        return [f"The database is away: {error}".strip()], ["all of them, because the database is away"]
    lines = [_line(outcome, "would do" if dry_run else "done") for outcome in outcomes]
    return lines, [outcome.job for outcome in outcomes if outcome.error]


def _line(outcome: Outcome, word: str) -> str:
    what = f"failed: {outcome.error}" if outcome.error else f"{word}: {outcome.done:,}"
    return f"{outcome.job:<22} {what}  ({outcome.seconds:.1f} s)"
