"""HTTP out of the standard library: one call at a time, on a connection that is kept for the next one.

It is all that the client asks for, and the command starts in half the time that importing `requests` takes.
"""

import os
import selectors
import socket
import sys
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from postcodes_cli.errors import UnreachableError
from postcodes_cli.sending import PIECE_BYTES

_GONE = (BrokenPipeError, ConnectionResetError)
_UNPACK_GZIP = 16 + zlib.MAX_WBITS


class Answer(AbstractContextManager["Answer"]):
    """What a call has brought. Read it, take its pieces, or close it. Raises UnreachableError when it breaks off."""

    def __init__(
        self, response: HTTPResponse, url: str, connection: HTTPConnection, connections: "Connections"
    ) -> None:
        self._response = response
        self._connection = connection
        self._connections = connections
        self._body: bytes | None = None
        #: Of a call that was not sent to its end: the connection is of no use any more.
        self.is_last = False
        self.url = url
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers

    def read(self) -> bytes:
        """All of it, unpacked, as often as it is wanted."""
        if self._body is None:
            self._body = b"".join(self.pieces())
            if self.headers.get("Content-Encoding") == "gzip":
                try:
                    self._body = zlib.decompress(self._body, _UNPACK_GZIP)
                except zlib.error as error:
                    raise UnreachableError(f"the answer cannot be unpacked: {error}") from error
        return self._body

    def pieces(self) -> Iterator[bytes]:
        """As it comes, packed or not."""
        try:
            while piece := self._response.read(PIECE_BYTES):
                yield piece
            if left := self._response.length:
                raise UnreachableError(f"the connection broke off {left:,} bytes before the end of the answer")
        except (OSError, HTTPException) as error:
            raise UnreachableError(f"the connection broke off while the answer came: {_why(error)}") from error
        finally:
            self.close()

    def close(self) -> None:
        if self._response.isclosed() and not self.is_last:
            self._connections.keep(self._connection)
        else:  # what is left of it would be taken for the next answer
            self._connection.close()
            self._response.close()

    def __exit__(self, *_: object) -> None:
        self.close()


class Connections:
    """To one server. Raises ValueError for an address, a proxy or certificates with which nothing can be done."""

    def __init__(self, server: str) -> None:
        self._server = urlsplit(server)
        if self._server.scheme not in ("http", "https") or not self._server.hostname:
            raise ValueError(f"{server!r} is no address of a server, such as http://127.0.0.1:8080")
        self._proxy = _proxy_of(self._server)
        self._idle: HTTPConnection | None = None
        secure = {"context": _certificates()} if self._server.scheme == "https" else {}
        self._options: dict[str, Any] = {"blocksize": PIECE_BYTES, **secure}

    def close(self) -> None:
        if self._idle is not None:
            self._idle.close()
            self._idle = None

    def keep(self, connection: HTTPConnection) -> None:
        """For the next call, if there is none that is kept already."""
        if self._idle is None:
            self._idle = connection
        elif self._idle is not connection:
            connection.close()

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: Any, *, connecting: float, answering: float
    ) -> Answer:
        """One call; `target` is path and query. `connecting` seconds may pass until the server takes the connection,
        `answering` seconds without a sign of life after that. Raises UnreachableError."""
        where = f"{self._server.scheme}://{self._server.netloc.rpartition('@')[2]}{self._server.path}"
        connection = self._taken()
        try:
            # Before its first answer, a connection may have other things to read: those of TLS.
            is_used = connection.sock is not None
            if not is_used:
                connection.timeout = connecting
                connection.connect()
            connection.sock.settimeout(answering)
            if isinstance(body, Iterable) and not isinstance(body, bytes):
                body = _Until(body, connection.sock if is_used else None)
            # What was refused before all of it was sent has its answer on the way.
            with suppress(*_GONE):
                connection.request(method, self._target(target), body, self._headers(headers))
            answer = Answer(connection.getresponse(), where + target, connection, self)
        except (OSError, HTTPException) as error:
            connection.close()
            raise UnreachableError(f"{where} cannot be reached: {_why(error)}") from error
        except BaseException:  # Ctrl-C, too, leaves an answer that would be taken for the next one
            connection.close()
            raise
        answer.is_last = isinstance(body, _Until) and not body.is_over
        return answer

    def _taken(self) -> HTTPConnection:
        """The connection that is kept if it still stands, or a new one."""
        kept, self._idle = self._idle, None
        if kept is not None:
            if kept.sock is None or not _has_news(kept.sock):
                return kept
            kept.close()
        kind = HTTPSConnection if self._server.scheme == "https" else HTTPConnection
        if self._proxy is None:
            return kind(self._server.hostname or "", self._server.port, **self._options)
        connection = kind(self._proxy.hostname or "", self._proxy.port or 8080, **self._options)
        if self._server.scheme == "https":
            connection.set_tunnel(self._server.hostname or "", self._server.port, headers=_login(self._proxy))
        return connection

    def _target(self, target: str) -> str:
        through = f"http://{self._server.netloc.rpartition('@')[2]}" if self._proxy and not self._is_secure else ""
        return f"{through}{self._server.path}{target}"

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        login = _login(self._proxy) if self._proxy and not self._is_secure else {}
        return {**login, **headers}

    @property
    def _is_secure(self) -> bool:
        return self._server.scheme == "https"


class _Until:
    """A body in pieces, until the server has answered: then nobody wants the rest."""

    def __init__(self, pieces: Iterable[bytes], connection: socket.socket | None) -> None:
        self._pieces = pieces
        self._connection = connection
        self.is_over = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            yield piece
            if self._connection is not None and _has_news(self._connection):
                return
        self.is_over = True


def _has_news(connection: socket.socket) -> bool:
    """Whether there is something to read, such as that the server has closed it, without having been asked."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return bool(selector.select(0))


def _proxy_of(server: SplitResult) -> SplitResult | None:
    """That of the environment, or of the system where it has such settings."""
    if sys.platform not in ("darwin", "win32") and not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import getproxies, proxy_bypass

    known = getproxies()
    given = known.get(server.scheme) or known.get("all")
    host = server.hostname or ""
    if not given or proxy_bypass(f"{host}:{server.port}" if server.port else host):
        return None
    proxy = urlsplit(given if "://" in given else f"http://{given}")
    if proxy.scheme != "http" or not proxy.hostname:
        raise ValueError(f"The proxy {proxy.scheme}://{proxy.hostname} cannot be used, only one of http://")
    return proxy


def _login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    words = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(words.encode()).decode()}"}


def _certificates() -> Any:
    """Those of REQUESTS_CA_BUNDLE, a file or a folder, or of Mozilla."""
    import ssl

    given = os.environ.get("REQUESTS_CA_BUNDLE")
    if not given:
        import certifi

        given = certifi.where()
    try:
        if Path(given).is_dir():
            return ssl.create_default_context(capath=given)
        return ssl.create_default_context(cafile=given)
    except OSError as error:
        raise ValueError(f"The certificates of REQUESTS_CA_BUNDLE={given} cannot be read: {error}") from None


def _why(error: BaseException) -> str:
    """In words that say something to people."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
