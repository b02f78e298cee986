"""One request and its answer, as the access log tells it."""

import logging
import re
import time
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quoted

from aiohttp import web
from multidict import CIMultiDict

from gateway.addresses import Network, client_address, client_scheme, network_of
from gateway.logs import begin_request
from gateway.metrics import Requests
from service_kit.logs import SpelledRecord

logger = logging.getLogger("gateway.access")

#: All requests of this process.
REQUESTS = Requests()
#: What follows in a path tells where somebody lives.
_POSTCODES = "/api/v1/postcodes/"
#: The status that is logged when there was nobody left to answer; never sent.
CLIENT_GONE = 499
#: A request to a proxy names the host, too (RFC 9112, 3.2.2); the header Host does not count then.
_ABSOLUTE = re.compile("https?://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)


class Exchange:
    """What is known of a request while it is answered. Sizes are those of the bodies, in bytes."""

    def __init__(
        self, request: web.BaseRequest, trusted_proxies: Sequence[Network] = (), *, tiles_origin: str = ""
    ) -> None:
        self.request_id = begin_request(request)
        self.method = request.method
        #: Path and query string, as they were sent.
        self.target = request.raw_path
        #: Name and port under which the client knows the gateway; HTTP/1.0 may leave them out.
        self.host = request.headers.get("Host")
        if not self.target.startswith("/") and (absolute := _ABSOLUTE.fullmatch(self.target)):
            self.host, rest = absolute.groups()
            self.target = rest if rest.startswith("/") else f"/{rest}"
        self.path = self.target.partition("?")[0]
        self.address = client_address(request, trusted_proxies)
        self.scheme = client_scheme(request, trusted_proxies)
        #: Where a page may get pictures besides.
        self.tiles_origin = tiles_origin
        #: What the answer says besides, whoever gives it.
        self.headers: CIMultiDict[str] = CIMultiDict()
        #: Whether the answer is for the holder of the key alone.
        self.private = False
        #: Whether the answer is a page of the gateway's own, wherever that is.
        self.is_page = False
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.user_id: int | None = None
        #: The beginning of the API key, by which people know it.
        self.key = ""
        self.outcome = "answered"
        #: The pattern of the path, for metrics: a path itself may name somebody.
        self.route = "none"
        self._began = time.monotonic()

    @property
    def caller(self) -> str:
        """Whose requests are counted together: those of one user, or else of one address."""
        return network_of(self.address) if self.user_id is None else f"user {self.user_id}"

    def end(self) -> None:
        """Count the request, and write its one line. The query string is left out: it tells where people live."""
        seconds = time.monotonic() - self._began
        REQUESTS.count(self.method, self.route, self.status, self.outcome, seconds)
        path = f"{_POSTCODES}..." if self.path.startswith(_POSTCODES) else self.path
        fields = (
            f'{{"method": {quoted(self.method)}, "path": {quoted(path)}, "address": {quoted(self.address)}, '
            f'"status": {self.status}, "bytes_in": {self.bytes_in}, "bytes_out": {self.bytes_out}, '
            f'"duration_ms": {seconds * 1000:.1f}, "user": {"null" if self.user_id is None else self.user_id}, '
            f'"key": {quoted(self.key) if self.key else "null"}, "outcome": "{self.outcome}"}}'
        )
        logger.handle(SpelledRecord(logger.name, "request", fields))
