"""`manage.py worker`: loads files and geocodes chunks until it is told to stop."""

import logging
import signal
import threading
from contextlib import closing
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from service_kit import metrics
from uploads import counters
from uploads.files.alive import SignOfLife
from uploads.work.bell import Bell
from uploads.work.loop import work
from uploads.work.pauses import IDLE_POLL_SECONDS
from uploads.work.worker import Worker

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Loads uploaded files and geocodes their rows until SIGTERM; as many as you like may run, on many machines."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--idle-poll-seconds",
            type=float,
            default=IDLE_POLL_SECONDS,
            help="How often it looks for work while no upload is open, beside being woken; default: %(default)s.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        counters.begin()
        metrics.listen(settings.METRICS_HOST, settings.WORKER_METRICS_PORT)
        logger.info("worker started")
        with closing(Bell()) as bell:
            work(Worker(is_stopping=stop.is_set), bell=bell, idle_poll_seconds=options["idle_poll_seconds"])
        SignOfLife().end()
        logger.info("worker stopped")
