"""`manage.py worker`: loads files and geocodes chunks until it is told to stop."""

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from uploads.worker import Worker, database_is_away

logger = logging.getLogger(__name__)

#: How often an idle worker looks for work, in seconds.
POLL_SECONDS = 0.25
_MAX_DATABASE_PAUSE = 5.0


class Command(BaseCommand):
    help = "Loads uploaded files and geocodes their rows until SIGTERM; as many as you like may run, on many machines."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        logger.info("worker started")
        worker = Worker(is_stopping=stop.is_set)
        trouble = 0
        while not stop.is_set():
            try:
                if not worker.run_once():
                    stop.wait(POLL_SECONDS)
                trouble = 0
            except Exception as error:
                if not database_is_away(error):
                    raise
                # The database restarts, or its disk is full: what was not committed is done again.
                trouble += 1
                logger.warning("database trouble, trying again: %s", error)
                worker.database_was_away()
                connection.close()
                stop.wait(min(_MAX_DATABASE_PAUSE, 0.2 * 2**trouble))
        try:
            worker.stop()
        except Exception as error:
            if not database_is_away(error):
                raise
            logger.warning("leases are left to run out: %s", error)
        logger.info("worker stopped")
