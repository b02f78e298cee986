"""A network that fails when it is told to: a TCP proxy before a real server, which counts what goes through."""

import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self


@dataclass
class Proxy:
    """Forwards 127.0.0.1:`port` to that port. Each connection carries what the client sends and what comes back."""

    target: int
    #: Cuts the connection after so many bytes more to the server, or from it; None for never.
    cut_sent: int | None = None
    cut_received: int | None = None
    sent: int = 0
    received: int = 0
    #: What was asked for: method and path.
    requests: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
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

    def forget(self) -> None:
        self.sent = self.received = 0
        self.requests = []

    def uploads(self) -> int:
        """How often a file was sent."""
        return sum(request.startswith("POST /api/v1/uploads/?") for request in self.requests)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open += [client, server]
            for one, other, is_sent in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._carry, args=(one, other, is_sent), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket, is_sent: bool) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                if is_sent:
                    self.requests += re.findall(r"^((?:GET|POST|DELETE) \S+) HTTP/1.1\r$", data.decode("latin-1"), re.M)
                    self.sent += len(data)
                else:
                    self.received += len(data)
                left = self.cut_sent if is_sent else self.cut_received
                if left is not None and left <= len(data):
                    other.sendall(data[:left])
                    self.cut_sent = self.cut_received = None
                    self.cut()
                    return
                if left is not None:
                    if is_sent:
                        self.cut_sent = left - len(data)
                    else:
                        self.cut_received = left - len(data)
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
