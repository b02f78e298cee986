"""A server that says what it is told to, one answer after the other: for faults that a real one has not at hand."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Seconds before anything is said.
    silent: float = 0.0
    #: Of the body, only so much comes before the connection ends.
    cut: int | None = None
    #: Whether it comes before the body of the request has been read.
    early: bool = False


def problem(status: int, slug: str, detail: str = "Because.", **more: Any) -> Answer:
    headers = {"Content-Type": "application/problem+json", "X-Request-Id": "req-1"}
    if "retry_after" in more:
        headers["Retry-After"] = str(more.pop("retry_after"))
    said = {"type": f"/problems/{slug}", "title": "A title", "status": status, "detail": detail, **more}
    return Answer(status, json.dumps(said).encode(), headers)


def document(value: Any, **headers: str) -> Answer:
    return Answer(200, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


class Scripted:
    """Says these answers in turn, the last one for ever; `seen` are the requests: method, path, headers, body."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self._answers = list(answers)
        self._tls = tls
        self.connections: list[socket.socket] = []
        self.seen: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self.times: list[float] = []
        self.sent_after_an_answer: int | None = None

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                answer = outer._answers.pop(0) if len(outer._answers) > 1 else outer._answers[0]
                body = b"" if answer.early else self.rfile.read(size)
                outer.times.append(time.monotonic())
                outer.seen.append((self.command, self.path, dict(self.headers), body))
                time.sleep(answer.silent)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body[: answer.cut])
                self.close_connection = answer.cut is not None
                if answer.early:
                    outer.sent_after_an_answer = len(self.rfile.read(size))
                    self.close_connection = True

            do_GET = do_POST = do_DELETE = do_CONNECT = _answer

            def setup(self) -> None:
                outer.connections.append(self.request)
                super().setup()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if self._tls:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def end_connections(self) -> None:
        """As a server ends those that nobody has used for long."""
        for one in self.connections:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
