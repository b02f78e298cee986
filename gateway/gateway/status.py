"""`/status/`: how the gateway and the services are, as a page for people, or as JSON.

Each service says of itself what others may know, and the gateway shows it, without knowing what it means: figures are
written by the ends of their names. It answers within a second, whatever a service does.
"""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from html import escape
from typing import Any

from aiohttp import web

from gateway import page
from gateway.environment import Settings
from gateway.health import Neighbours, Readiness
from gateway.limits import Limits
from gateway.routes import Service

_PART = "/internal/status/"
#: Its own name among the services.
_GATEWAY = "gateway"
_UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"))
_SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"))


@dataclass(frozen=True, slots=True)
class Part:
    """What one service says of itself, or why it says nothing."""

    missing: str | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    #: Figures that tell how much others use it.
    use: Mapping[str, Any] = field(default_factory=dict)
    #: Sentences for people.
    troubles: list[str] = field(default_factory=list)
    #: Paths of the look of the pages, from the service that has them.
    look: Mapping[str, str] = field(default_factory=dict)


class Status:
    """The sum. Everybody may ask; each service is asked once at a time, and not again for a moment."""

    def __init__(
        self,
        neighbours: Neighbours,
        readiness: Readiness,
        settings: Settings,
        limits: Limits,
        own_use: Callable[[], dict[str, float]],
    ) -> None:
        self._neighbours = neighbours
        self._readiness = readiness
        self._services = tuple(settings.services)
        self._seconds = limits.status
        self._kept_seconds = limits.status_kept
        self._answer_seconds = limits.status_answer
        self._own_use = own_use
        self._began = time.monotonic()
        self._questions: dict[Service, asyncio.Task[Part]] = {}
        self._ended: dict[Service, float] = {}
        self._look: Mapping[str, str] = {}

    async def answer(self, request: web.BaseRequest, may_see_use: Awaitable[bool]) -> web.Response:
        """200, also when something is missing: this address says how it is, and decides nothing."""
        of_services, with_use = await asyncio.gather(self._of_services(), may_see_use)
        parts = {_GATEWAY: self._own(), **of_services}
        parts = {name: replace(part, use=part.use if with_use else {}) for name, part in parts.items()}
        headers = {"Cache-Control": "no-store", "Vary": "Accept"}
        if page.is_wanted(request):
            return web.Response(text=_page(parts), content_type="text/html", charset="utf-8", headers=headers)
        return web.json_response(_summed(parts), headers=headers, dumps=partial(json.dumps, indent=2))

    async def look(self) -> Mapping[str, str]:
        """Paths of the look of the pages, as they were told last: who has them may be away now, and a browser keeps
        what is there for ever. Nothing while nobody has told them."""
        if not self._look:
            await self._of_services()
        return self._look

    def _own(self) -> Part:
        figures = {
            "up_seconds": round(time.monotonic() - self._began),
            # Bodies and answers that wait for somebody slow lie there.
            "disk_free_bytes": shutil.disk_usage(tempfile.gettempdir()).free,
        }
        return Part("is about to stop" if self._readiness.is_stopping else None, figures, self._own_use())

    async def _of_services(self) -> dict[str, Part]:
        """Who has not answered in time is not waited for, nor asked again meanwhile: whoever loads the page again and
        again does not fill the threads of a service that hangs."""
        now = time.monotonic()
        for service in self._services:
            if service not in self._questions or now > self._ended.get(service, now) + self._kept_seconds:
                self._ended.pop(service, None)
                self._questions[service] = asyncio.create_task(self._ask(service))
        await asyncio.wait(self._questions.values(), timeout=self._seconds)
        late = Part(f"no answer within {self._seconds:g} s")
        return {name.value: asked.result() if asked.done() else late for name, asked in self._questions.items()}

    async def _ask(self, service: Service) -> Part:
        try:
            missing = await self._neighbours.why_not_ready(service, seconds=self._answer_seconds)
            told = await self._neighbours.ask(service, _PART, seconds=self._answer_seconds)
            part = Part(missing or told) if isinstance(told, str) else _part(missing, *told)
            self._look = part.look or self._look
            return part
        finally:
            self._ended[service] = time.monotonic()


def _part(missing: str | None, status: int, body: bytes) -> Part:
    try:
        said = json.loads(body)
        if status == 200:
            look = {name: str(said[name]) for name in ("stylesheet", "icon") if name in said}
            return Part(missing, dict(said["figures"]), dict(said["use"]), [*map(str, said["troubles"])], look)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass
    return Part(missing or f"{_PART} answers {status}")


def _summed(parts: Mapping[str, Part]) -> dict[str, Any]:
    missing = {name: part.missing for name, part in parts.items() if part.missing}
    return {
        "status": "not ready" if missing else "ready",
        "missing": missing,
        "troubles": {name: part.troubles for name, part in parts.items() if part.troubles},
        "services": {name: {**part.figures, **part.use} for name, part in parts.items()},
    }


# --- for people ------------------------------------------------------------------------------------------------------
def _page(parts: Mapping[str, Part]) -> str:
    """In the look of the other pages, if the service that has their styles answers."""
    look = {name: path for part in parts.values() for name, path in part.look.items()}
    notices = "\n".join(_notices(parts))
    summary = "Something is not as it should be." if notices else "All parts work."
    main = f"""<h1>Status</h1>
<p class="lead">{summary}</p>
{f'<div class="block">{notices}</div>' if notices else ""}
{"".join(_card(name, part) for name, part in parts.items())}
<p class="hint block">As it was on {datetime.now(UTC):%d %B %Y at %H:%M:%S} UTC. Load the page again to look again.
Programs that do not ask for HTML get JSON.</p>"""
    return page.whole_page(f"{'Trouble' if notices else 'All parts work'} · Status", main, look)


def _notices(parts: Mapping[str, Part]) -> list[str]:
    lacking = [_notice("bad", f"{name} is not ready", part.missing) for name, part in parts.items() if part.missing]
    return lacking + [_notice("warn", name, trouble) for name, part in parts.items() for trouble in part.troubles]


def _notice(kind: str, head: str, text: str) -> str:
    return f'<div class="notice {kind}"><h2>{escape(head)}</h2><p>{escape(text)}</p></div>'


def _card(name: str, part: Part) -> str:
    pairs = "".join(
        f"<dt>{escape(_in_words(figure))}</dt><dd>{escape(written(figure, value))}</dd>\n"
        for figure, value in {**part.figures, **part.use}.items()
    )
    figures = f'<dl class="pairs inside">\n{pairs}</dl>\n' if pairs else ""
    state = "not ready" if part.missing else "ready"
    head = f'<div class="head"><h2>{escape(name)}</h2><p>{state}</p></div>\n'
    return f'<section class="card block">{head}{figures}</section>\n'


def _in_words(name: str) -> str:
    return name.removesuffix("_seconds").removesuffix("_bytes").replace("_", " ").capitalize()


def written(name: str, value: object) -> str:
    """A figure as people read it: `_seconds` at the end of its name is a time, `_bytes` a size."""
    if isinstance(value, list):
        return ", ".join(written(name, one) for one in value) or "none"
    if not isinstance(value, int | float):
        return str(value)
    if name.endswith("_seconds"):
        for seconds, unit in _UNITS:
            if value >= 2 * seconds:
                return f"{value / seconds:.0f} {unit}"
        return f"{value:g} s"
    if name.endswith("_bytes"):
        for size, unit in _SIZES:
            if value >= size:
                return f"{value / size:.1f} {unit}"
        return f"{value:,} bytes"
    return f"{value:,}"
