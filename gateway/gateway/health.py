"""`/healthz` and `/readyz`: whether the gateway is alive, and whether it and the services can work."""

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


class Readiness:
    """Whether every service says that it is ready. Everybody may ask; the services are asked once at a time.

    The log has each new reason of a service that answers that it cannot work.
    """

    def __init__(self, session: aiohttp.ClientSession, settings: Settings, limits: Limits) -> None:
        self._session = session
        self._services = settings.services
        self._internal_headers = settings.internal_headers
        self._seconds = limits.readiness
        self._logged: dict[Service, str] = {}
        self._question: asyncio.Task[dict[str, str]] | None = None

    async def answer(self) -> web.Response:
        """200 when every service says that it is ready, else 503 that names each one that is not, and why."""
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask())
        # Shielded: who asked first may leave, the others still wait for the answer.
        if missing := await asyncio.shield(self._question):
            return _json(503, {"status": "not ready", "missing": missing})
        return _json(200, {"status": "ready"})

    async def _ask(self) -> dict[str, str]:
        reasons = await asyncio.gather(*(self._why_not_ready(service) for service in self._services))
        return {service.value: why for service, why in zip(self._services, reasons, strict=True) if why is not None}

    async def _why_not_ready(self, service: Service) -> str | None:
        url = self._services[service].with_path("/readyz")
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._session.get(url, headers=self._internal_headers, allow_redirects=False) as answer,
            ):
                if answer.status == 200:
                    self._logged.pop(service, None)
                    return None
                reason = _reason(answer.status, await answer.content.read(MAX_ANSWER_BYTES))
        except TimeoutError:
            return f"no answer within {self._seconds:g} s"
        except aiohttp.ClientConnectorError:
            return "cannot be reached"
        except (aiohttp.ClientError, OSError):
            return "broke off without an answer"
        if self._logged.get(service) != reason:
            self._logged[service] = reason
            logger.warning("not ready %s", details(service=service.value, why=reason))
        return reason


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
