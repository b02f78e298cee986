"""The brokers that tests use: those they are told, or a Redis that they start; and a line to them that can be cut."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import kombu
import redis
from stack import free_port, wait_for

QUEUE = "uploads"


def find_brokers() -> dict[str, str]:
    """What there is: the broker's name → its URL, or a program that is one."""
    found = {
        "RabbitMQ": os.environ.get("TEST_RABBITMQ_URL"),
        "Redis": os.environ.get("TEST_REDIS_URL") or shutil.which("redis-server") or shutil.which("valkey-server"),
    }
    return {name: where for name, where in found.items() if where}


@contextmanager
def running_broker(where: str) -> Iterator[str]:
    """The URL of a broker without messages: that of `find_brokers`, or that of the program, started for the block."""
    if "://" in where:
        wipe(where)
        yield where
        wipe(where)
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [where, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        url = f"redis://127.0.0.1:{port}/0"
        try:
            wait_for(lambda: _answers(port), "the broker answers")
            yield url
        finally:
            server.terminate()
            server.wait(timeout=30)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wipe(url: str) -> None:
    """Takes from the broker whatever the service keeps there."""
    if url.startswith("redis"):
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        return
    with kombu.Connection(url) as connection, connection.channel() as channel:
        channel.queue_delete(QUEUE)


def looks_waiting(url: str) -> int:
    """How many messages wait in the queue."""
    if url.startswith("redis"):
        with redis.Redis.from_url(url) as client:
            return int(client.llen(QUEUE))
    with kombu.Connection(url) as connection, connection.SimpleQueue(QUEUE) as queue:
        return int(queue.qsize())


class Line:
    """A TCP line to a server: open, refusing, or silent (it takes everything and nothing comes back)."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._state = "refusing"
        self._listener: socket.socket | None = None
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port = free_port()

    def open(self) -> None:
        self._set("open")

    def refuse(self) -> None:
        """Cuts what is connected, and lets nobody in."""
        self._set("refusing")

    def fall_silent(self) -> None:
        """What is connected stays so, and new connections are taken; but nothing goes through any more."""
        self._state = "silent"

    def _set(self, state: str) -> None:
        self._state = "closing"
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
        for line in self._sockets:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for line in self._sockets:
            line.close()
        if self._listener is not None:
            self._listener.close()
        self._listener, self._sockets, self._threads = None, [], []
        self._state = state
        if state == "open":
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._start(self._accept, self._listener)

    def _start(self, function: object, *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self._sockets.append(near)
            if self._state == "open":
                far = socket.create_connection(self._target, timeout=5)
                far.settimeout(None)
                self._sockets.append(far)
                self._start(self._pump, near, far)
                self._start(self._pump, far, near)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                while self._state == "silent":
                    time.sleep(0.05)
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@contextmanager
def line_to(url: str) -> Iterator[tuple[Line, str]]:
    """A line to the server of that URL, refusing at first, and the URL that leads through it."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    default = 6379 if url.startswith("redis") else 5672
    line = Line(parts.hostname, parts.port or default)
    user = parts.netloc.rpartition("@")
    try:
        yield line, parts._replace(netloc=f"{user[0]}{user[1]}127.0.0.1:{line.port}").geturl()
    finally:
        line.refuse()
