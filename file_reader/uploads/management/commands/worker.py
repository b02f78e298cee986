"""`manage.py worker`: loads files and geocodes chunks until it is told to stop."""

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from uploads.work.loop import work
from uploads.work.worker import Worker

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Loads uploaded files and geocodes their rows until SIGTERM; as many as you like may run, on many machines."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        logger.info("worker started")
        work(Worker(is_stopping=stop.is_set))
        logger.info("worker stopped")
