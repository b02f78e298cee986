"""A network that fails when it is told to: a TCP proxy before a real server, which counts what goes through."""

import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self


class Proxy:
    """Forwards 127.0.0.1:`port` to that port.

    `to_server` and `to_client` are the two directions; `requests` what was asked for, as method and path.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self.to_server, self.to_client = Direction(), Direction()
        self.requests: list[str] = []
        self.is_away = False
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for direction in (self.to_server, self.to_client):
            direction.go_on()
        self.cut()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Ends all connections at once."""
        with self._lock:
            ended, self._open = self._open, []
        for one in ended:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def go_away(self) -> None:
        """Ends all connections, and whoever comes now is turned away."""
        self.is_away = True
        self.cut()

    def count_anew(self) -> None:
        self.to_server.bytes = self.to_client.bytes = 0
        self.requests = []

    def sent_files(self) -> int:
        """How often a file was sent."""
        return sum(request.startswith("POST /api/v1/uploads/?") for request in self.requests)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_away:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open += [client, server]
            for ends in ((client, server, self.to_server), (server, client, self.to_client)):
                threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket, direction: "Direction") -> None:
        with suppress(OSError):
            while data := one.recv(1 << 14):
                if direction is self.to_server:
                    self.requests += re.findall(r"^((?:GET|POST|DELETE) \S+) HTTP/1.1\r$", data.decode("latin-1"), re.M)
                direction.bytes += len(data)
                if direction.cuts_now():
                    self.cut()
                    return
                direction.hold_if_told()
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@dataclass
class Direction:
    """What goes one way. After so many bytes in all it is cut once, or held until `go_on`."""

    bytes: int = 0
    cut_after: int | None = None
    hold_after: int | None = None
    held: threading.Event = field(default_factory=threading.Event)
    _going: threading.Event = field(default_factory=threading.Event)

    def hold(self, after: int) -> None:
        self.hold_after = after
        self.held.clear()
        self._going.clear()

    def go_on(self) -> None:
        self.hold_after = None
        self._going.set()

    def cuts_now(self) -> bool:
        if self.cut_after is None or self.bytes < self.cut_after:
            return False
        self.cut_after = None
        return True

    def hold_if_told(self) -> None:
        if self.hold_after is not None and self.bytes > self.hold_after:
            self.held.set()
            self._going.wait(60)
