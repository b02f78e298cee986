"""One request and its answer, as the access log tells it."""

import logging
import time

from aiohttp import web

from gateway.logs import begin_request, details

logger = logging.getLogger("gateway.access")

#: The status that is logged when there was nobody left to answer; never sent.
CLIENT_GONE = 499


class Exchange:
    """What is known of a request while it is answered. Sizes are those of the bodies, in bytes."""

    def __init__(self, request: web.BaseRequest) -> None:
        self.request_id = begin_request(request)
        self.method = request.method
        self.path = request.raw_path.partition("?")[0]
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.user_id: int | None = None
        self.outcome = "answered"
        self._began = time.monotonic()

    def log(self) -> None:
        """Write the one line. The query string is left out: it tells where people live."""
        logger.info(
            "request %s",
            details(
                method=self.method,
                path=self.path,
                status=self.status,
                bytes_in=self.bytes_in,
                bytes_out=self.bytes_out,
                duration_ms=f"{(time.monotonic() - self._began) * 1000:.1f}",
                user=self.user_id,
                outcome=self.outcome,
            ),
        )
