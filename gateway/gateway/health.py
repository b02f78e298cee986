"""`/healthz` and `/readyz`: whether the gateway is alive, and whether it can take requests."""

import asyncio
import json
import logging
from collections.abc import Mapping

import aiohttp
from aiohttp import web

from gateway.environment import Settings
from gateway.limits import Limits
from gateway.logs import details
from gateway.routes import Service

logger = logging.getLogger("gateway.health")

MAX_REASON_LENGTH = 300
MAX_ANSWER_BYTES = 65_536


def alive() -> web.Response:
    """The gateway answers: that is all `/healthz` says."""
    return _json(200, {"status": "ok"})


class Neighbours:
    """Asks the services whether they are ready. The log has each new reason of one that says that it cannot work."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings) -> None:
        self._session = session
        self._services = settings.services
        self._internal_headers = settings.internal_headers
        self._logged: dict[Service, str] = {}

    async def why_not_ready(self, service: Service, *, seconds: float) -> str | None:
        """What the service says that it lacks, or why it says nothing for so long; None when it is ready."""
        answer = await self.ask(service, "/readyz", seconds=seconds)
        if isinstance(answer, str):
            return answer
        status, body = answer
        if status == 200:
            self._logged.pop(service, None)
            return None
        reason = _reason(status, body)
        if self._logged.get(service) != reason:
            self._logged[service] = reason
            logger.warning("not ready %s", details(service=service.value, why=reason))
        return reason

    async def ask(self, service: Service, path: str, *, seconds: float) -> tuple[int, bytes] | str:
        """Status and body of the service's answer; or why there is none in that time."""
        url = self._services[service].with_path(path)
        try:
            async with (
                asyncio.timeout(seconds),
                self._session.get(url, headers=self._internal_headers, allow_redirects=False) as answer,
            ):
                return answer.status, await answer.content.read(MAX_ANSWER_BYTES)
        except TimeoutError:
            return f"no answer within {seconds:g} s"
        except aiohttp.ClientConnectorError:
            return "cannot be reached"
        except (aiohttp.ClientError, OSError):
            return "broke off without an answer"


class Readiness:
    """Whether this gateway can take requests.

    It begins when each service has been ready once: so its settings and theirs fit, and what was started together is
    there. From then on it says nothing of them: all gateways have the same ones, and each answers for one that is away.
    Everybody may ask; the services are asked once at a time.
    """

    def __init__(self, neighbours: Neighbours, settings: Settings, limits: Limits) -> None:
        #: Set when the gateway is about to stop.
        self.is_stopping = False
        self._neighbours = neighbours
        self._seconds = limits.readiness
        self._not_yet = list(settings.services)
        self._question: asyncio.Task[dict[str, str]] | None = None

    async def answer(self) -> web.Response:
        """200, or 503 that names what is missing, and why."""
        if missing := await self.missing():
            return _json(503, {"status": "not ready", "missing": missing})
        return _json(200, {"status": "ready"})

    async def missing(self) -> dict[str, str]:
        """What keeps the gateway from taking requests."""
        if self.is_stopping:
            return {"gateway": "is about to stop"}
        if not self._not_yet:
            return {}
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask())
        # Shielded: who asked first may leave, the others still wait for the answer.
        return await asyncio.shield(self._question)

    async def _ask(self) -> dict[str, str]:
        asked = self._not_yet
        reasons = await asyncio.gather(
            *(self._neighbours.why_not_ready(service, seconds=self._seconds) for service in asked)
        )
        missing = {service: why for service, why in zip(asked, reasons, strict=True) if why is not None}
        self._not_yet = list(missing)
        return {service.value: why for service, why in missing.items()}


def _reason(status: int, body: bytes) -> str:
    """What the service itself says is missing, when it says so in the usual form."""
    try:
        missing = json.loads(body)["missing"]
        reason = "; ".join(f"{what}: {why}" for what, why in missing.items())
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        reason = ""
    return (reason or f"answers {status}")[:MAX_REASON_LENGTH]


def _json(status: int, body: Mapping[str, object]) -> web.Response:
    return web.json_response(body, status=status, headers={"Cache-Control": "no-store"})
