"""`/api/schema/`: the OpenAPI documents of the services as one, with what the gateway itself adds to each operation."""

import asyncio
import json
import time

import aiohttp
from aiohttp import web

from gateway import problems
from gateway.environment import Settings
from gateway.routes import Service, find_route
from service_kit.openapi import (
    Json,
    answer,
    array,
    content,
    document,
    operation,
    parameter,
    problem,
    struct,
    text,
    typed,
)

#: How long the document is given again before the services are asked: they may be new ones, with other operations.
SECONDS = 60.0
#: How long a service may take for its part, the first import of it included.
_ANSWER_SECONDS = 10.0
PATH = "/api/schema/"
_YAML = "application/yaml"

#: What the gateway may answer instead of the service: the slugs of each status, with spaces between.
_ITS_OWN = {
    400: "bad-request",
    405: "method-not-allowed",
    414: "target-too-long",
    421: "host-not-loopback",
    429: "too-many-requests too-many-requests-at-once",
    431: "headers-too-large",
    502: "service-failed",
    503: "service-unavailable service-busy auth-disagrees",
    504: "service-timeout",
}
_WITH_A_KEY = {401: "key-required unknown-key", 403: "scope-missing foreign-page"}
_WITH_A_BODY = {408: "client-too-slow", 413: "body-too-large", 507: "storage-full"}
_SECURITY: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "basic": {"type": "http", "scheme": "basic", "description": "The API key as the user name."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "Of a browser in which somebody has signed in.",
    },
}
_STATE = struct("How it is.", status=text())
_STATE["properties"]["missing"] = typed("object", "What is missing, and why.", additionalProperties=text())
_SUM = struct(
    "How all services are.",
    status=text("Whether all are ready.", enum=["ready", "not ready"]),
    missing=typed("object", "By service, what it lacks.", additionalProperties=text()),
    troubles=typed("object", "By service, what works less well, in sentences.", additionalProperties=array(text())),
    services=typed(
        "object",
        "By service, its figures. `_seconds` at the end of a name is a time, `_bytes` a size.",
        additionalProperties=typed("object"),
    ),
)
_MORE_ABOUT_ITSELF: Json = {
    "/healthz": {"get": operation("healthz", "Whether the gateway lives", {200: answer("It does.", content(_STATE))})},
    "/readyz": {
        "get": operation(
            "readyz",
            "Whether the gateway can take requests",
            {200: answer("It can.", content(_STATE)), 503: answer("It cannot, or not yet.", content(_STATE))},
        )
    },
    "/status/": {"get": operation("status", "How all services are", {200: answer("So.", content(_SUM))})},
    PATH: {
        "get": operation(
            "schema",
            "This document",
            {200: answer("OpenAPI 3.0.3.", content(typed("object"), _YAML, "application/json"))},
            parameters=[parameter("format", text("Without it, `Accept` decides.", enum=["json", "yaml"]))],
            problems={
                400: "invalid-parameter",
                502: "service-failed",
                503: "service-unavailable",
                504: "service-timeout",
            },
        )
    },
}


_EVENTS = operation(
    "get_events",
    "The upload, each time when it has changed: server-sent events",
    {
        # Without a schema: there are tools that take it for that of the whole stream, and others for that of an event.
        200: answer("`data` of an event is the upload, `id` its ETag.", {"text/event-stream": {}}),
        204: answer("Nothing will change any more: `Last-Event-ID` is of the last state."),
    },
    parameters=[
        parameter("id", text("The upload's.", format="uuid"), where="path"),
        parameter("Last-Event-ID", text("The `id` of the last event that you had."), where="header"),
    ],
    problems={400: "invalid-parameter", 404: "not-found", 503: "database-unavailable"},
)
_ITS_OWN_PART = document("Events", "1", {"/api/v1/uploads/{id}/events/": {"get": _EVENTS}}, {})


class Schema:
    """The one document. The services are asked once at a time, and not again for SECONDS."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings) -> None:
        self._session = session
        self._settings = settings
        self._question: asyncio.Task[dict[str, bytes]] | None = None
        self._asked = 0.0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """The document, as YAML or JSON. Raises `Problem`; half a document would be a wrong one."""
        kind = _kind(request)
        failed = self._question is not None and self._question.done() and self._question.exception() is not None
        if self._question is None or failed or time.monotonic() > self._asked + SECONDS:
            self._asked = time.monotonic()
            self._question = asyncio.create_task(self._ask())
        # Shielded: who asked first may leave, the others still wait for the answer.
        texts = await asyncio.shield(self._question)
        headers = {"Content-Type": kind, "Cache-Control": f"public, max-age={SECONDS:.0f}", "Vary": "Accept"}
        return web.Response(body=texts[kind], headers=headers)

    async def _ask(self) -> dict[str, bytes]:
        parts = await asyncio.gather(*(self._part(service) for service in self._settings.services))
        # YAML of some thousand lines takes a while, and others wait for the loop.
        return await asyncio.to_thread(_texts, merged(parts, keys_required=self._settings.keys_required))

    async def _part(self, service: Service) -> Json:
        url = self._settings.services[service].with_path("/internal/schema/")
        try:
            async with (
                asyncio.timeout(_ANSWER_SECONDS),
                self._session.get(url, headers=self._settings.internal_headers, allow_redirects=False) as said,
            ):
                if said.status == 200:
                    return dict(json.loads(await said.read()))
        except TimeoutError:
            raise problems.service_timeout(service, _ANSWER_SECONDS) from None
        except aiohttp.ClientConnectorError:
            raise problems.service_unavailable(service, f"{service.value} cannot be reached.") from None
        except (aiohttp.ClientError, OSError, ValueError):
            pass
        raise problems.service_failed(service)


def merged(parts: list[Json], *, keys_required: bool) -> Json:
    """One document of those of the services. A component that several have is the same in all of them."""
    paths: Json = {}
    schemas: Json = {}
    for part in [*parts, _ITS_OWN_PART]:
        schemas |= part["components"]["schemas"]
        for path, operations in part["paths"].items():
            route = find_route(path)
            if route is not None:
                needs_key = keys_required and route.needs_key
                paths[path] = {
                    method: _completed(one, route.scopes(method.upper()), needs_key=needs_key)
                    for method, one in operations.items()
                }
    whole = document("Postcodes for coordinate files", "1", paths | _MORE_ABOUT_ITSELF, schemas)
    whole["components"]["securitySchemes"] = _SECURITY
    return whole | {"servers": [{"url": "/"}]}


def _completed(one: Json, scopes: tuple[str, ...], *, needs_key: bool) -> Json:
    """The operation with the gateway's own answers, and the keys that open it."""
    responses = dict(one["responses"])
    own = _ITS_OWN | (_WITH_A_KEY if needs_key else {403: "foreign-page"})
    for status, slugs in (own | (_WITH_A_BODY if "requestBody" in one else {})).items():
        before = responses.get(str(status), {}).get("x-problem-types", [])
        names = [name.removeprefix("/problems/") for name in before]
        responses[str(status)] = problem(*dict.fromkeys([*names, *slugs.split()]))
    said = [one.get("description", ""), f"Scope of the key: {' or '.join(f'`{scope}`' for scope in scopes)}."]
    return {
        **one,
        "description": " ".join(filter(None, said if needs_key else said[:1])),
        "security": [{name: []} for name in _SECURITY] if needs_key else [],
        "responses": dict(sorted(responses.items())),
    }


def _texts(whole: Json) -> dict[str, bytes]:
    import yaml  # only here: it is needed once a minute at most

    text_of = json.dumps(whole, ensure_ascii=False)
    # Read again, so that no two places share an object: YAML would write the second as an alias.
    plain = json.loads(text_of)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    in_yaml = yaml.dump(plain, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)
    return {"application/json": text_of.encode(), _YAML: in_yaml.encode()}


def _kind(request: web.BaseRequest) -> str:
    """`?format=` decides, else `Accept`: JSON where it stands there and YAML does not, and YAML otherwise."""
    query = request.rel_url.query
    wanted = query.getall("format", [])
    for name in query:
        if name != "format":
            raise problems.invalid_parameter(name, f"There is no parameter {name!r}. There is: format.", ["format"])
    if len(wanted) > 1 or not {*wanted} <= {"json", "yaml"}:
        raise problems.invalid_parameter("format", "Accepted: json or yaml, once.", ["format"])
    accept = request.headers.get("Accept", "").lower()
    is_json = wanted == ["json"] or (not wanted and "application/json" in accept and "yaml" not in accept)
    return "application/json" if is_json else _YAML
