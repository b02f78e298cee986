"""What gunicorn serves in tests of faults: reader_config.wsgi, whose process is killed where X-Killed says so.

`/durability` tells what the connection to the database promises.
"""

import json
import os
import signal
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from django.db import connection
from django.db.models.signals import pre_save

from reader_config.wsgi import application as reader
from uploads.models import Upload


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/durability":
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(_durability()).encode()]
    moment = environ.get("HTTP_X_KILLED")
    if moment == "before the upload is inserted":
        pre_save.connect(_die, sender=Upload, weak=False)
    answer = reader(environ, start_response)
    if moment == "before the answer is sent":
        _die()
    return answer


def _die(**kwargs: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _durability() -> dict[str, str]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            asked = {name: f"PRAGMA {name}" for name in ("journal_mode", "synchronous")}
        else:
            asked = {name: f"SHOW {name}" for name in ("fsync", "synchronous_commit")}
        told = {}
        for name, question in asked.items():
            cursor.execute(question)
            told[name] = str(cursor.fetchone()[0])
    return told
