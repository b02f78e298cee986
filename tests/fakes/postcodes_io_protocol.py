"""postcodes.io's routes and rules, its mistakes included: what it accepts, what it refuses, and in which words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from aiohttp import web
from postcodes_io_answers import AnswerWriter
from postcodes_io_data import PostcodeTable
from postcodes_io_search import Found, PostcodeSearch, Question

MAX_BODY_BYTES = 102_400
MAX_LOCATIONS = 100
DEFAULT_LIMIT, MAX_LIMIT = 10, 100
DEFAULT_RADIUS, MAX_RADIUS = 100.0, 2000.0  # metres
ANSWERED_LOCATIONS = web.ResponseKey("answered_locations", list[Question])

_SERVER_ERROR = (
    "500 Server Error.\nFor an urgent fix email support@ideal-postcodes.co.uk. \n"
    "Alternatively submit an issue at https://github.com/ideal-postcodes/postcodes.io/issues\n"
)
_JSON_ADVICE = (
    "You need to submit a JSON object with an array of postcodes or geolocation objects.\n"
    "Also ensure that Content-Type is set to application/json\n"
)
_ECHOED = {"limit", "longitude", "latitude", "radius", "widesearch"}
_LEADING_FLOAT = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_LEADING_INTEGER = re.compile(r"\s*([+-]?\d+)")
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}")
_HEADERS = {"Access-Control-Allow-Origin": "*", "Connection": "keep-alive", "Keep-Alive": "timeout=5"}


class UpstreamError(Exception):
    """An answer that refuses: its HTTP status and postcodes.io's message."""

    def __init__(self, status: int = 500, message: str = _SERVER_ERROR) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def response(self) -> web.Response:
        return json_response(msgspec.json.encode({"status": self.status, "error": self.message}), status=self.status)


def json_response(body: bytes, *, status: int = 200) -> web.Response:
    """A response with the headers postcodes.io sends."""
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8", headers=_HEADERS)


class Protocol:
    """The handlers over one table of postcodes."""

    def __init__(self, table: PostcodeTable, search: PostcodeSearch, writer: AnswerWriter) -> None:
        self._table = table
        self._search = search
        self._writer = writer
        self._by_postcode: Any = None

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/postcodes", self.bulk)
        app.router.add_get("/postcodes", self.single)
        app.router.add_get("/postcodes/{postcode}", self.show)
        app.router.add_get("/postcodes/{postcode}/validate", self.validate)
        app.router.add_get("/ping", self.ping)
        app.router.add_get("/ready", self.ready)
        app.router.add_route("*", "/{anything:.*}", self.unknown)

    async def bulk(self, request: web.Request) -> web.Response:
        body = await _json_object(request)
        only = request.query["filter"].split(",") if request.query.get("filter") else None
        postcodes, locations = body.get("postcodes"), body.get("geolocations")
        if _truthy(postcodes):
            return self._lookup_postcodes(postcodes, only)
        if not _truthy(locations):
            raise UpstreamError(400, f"Invalid JSON query submitted. \n{_JSON_ADVICE}")
        if not isinstance(locations, list):
            raise UpstreamError(400, "Invalid data submitted. You need to provide a JSON array")
        if len(locations) > MAX_LOCATIONS:
            message = f"Too many locations submitted. Up to {MAX_LOCATIONS} locations can be bulk requested at a time"
            raise UpstreamError(400, message)
        defaults: dict[str, Any] = {
            name: request.query[name] for name in ("limit", "radius") if request.query.get(name)
        }
        if request.query.get("widesearch"):
            defaults["widesearch"] = True  # any text does it, "false" too
        return self._reverse_geocode(locations, defaults, only)

    def _reverse_geocode(self, locations: list[Any], defaults: dict[str, Any], only: list[str] | None) -> web.Response:
        queries = [{**defaults, **location} if isinstance(location, dict) else defaults for location in locations]
        questions = [_question(query) for query in queries]
        for question in questions:
            _refuse_what_the_database_refuses(question)
        answers = self._search.nearest(questions)
        found = [one for answer in answers for one in answer]
        objects = iter(self._objects(found, only))
        encode = msgspec.json.Encoder().encode
        parts = []
        for query, answer in zip(queries, answers, strict=True):
            echoed = query if query.keys() <= _ECHOED else {key: query[key] for key in query if key.lower() in _ECHOED}
            echo = encode(echoed).decode()
            result = f"[{','.join([next(objects) for _ in answer])}]" if answer else "null"
            parts.append(f'{{"query":{echo},"result":{result}}}')
        response = json_response(f'{{"status":200,"result":[{",".join(parts)}]}}'.encode())
        response[ANSWERED_LOCATIONS] = questions
        return response

    def _objects(self, found: list[Found], only: list[str] | None) -> list[str]:
        if only is None:
            return self._writer.with_distance(found)
        return self._writer.filtered([one.position for one in found], only)

    def _lookup_postcodes(self, postcodes: Any, only: list[str] | None) -> web.Response:
        if not isinstance(postcodes, list):
            raise UpstreamError(400, "Invalid data submitted. You need to provide a JSON array")
        if len(postcodes) > MAX_LOCATIONS:
            message = f"Too many postcodes submitted. Up to {MAX_LOCATIONS} postcodes can be bulk requested at a time"
            raise UpstreamError(400, message)
        parts = []
        for text in postcodes:
            if not isinstance(text, str):
                continue
            position = self._position(text)
            known = [] if position is None else [position]
            objects = self._writer.plain(known) if only is None else self._writer.filtered(known, only)
            echo = msgspec.json.encode(text).decode()
            parts.append(f'{{"query":{echo},"result":{objects[0] if objects else "null"}}}')
        return json_response(f'{{"status":200,"result":[{",".join(parts)}]}}'.encode())

    async def single(self, request: web.Request) -> web.Response:
        for latitude, longitude in (("latitude", "longitude"), ("lat", "lon")):
            if request.query.get(latitude) and request.query.get(longitude):
                query: dict[str, Any] = {"latitude": request.query[latitude], "longitude": request.query[longitude]}
                break
        else:
            raise UpstreamError(400, "No postcode query submitted. Remember to include query parameter")
        query |= {
            name: request.query[name]
            for name in ("limit", "radius", "widesearch", "wideSearch")
            if name in request.query
        }
        question = _question(query)
        _refuse_what_the_database_refuses(question)
        objects = self._writer.with_distance(self._search.nearest([question])[0])
        result = f"[{','.join(objects)}]" if objects else "null"
        response = json_response(f'{{"status":200,"result":{result}}}'.encode())
        response[ANSWERED_LOCATIONS] = [question]
        return response

    async def show(self, request: web.Request) -> web.Response:
        text = request.match_info["postcode"]
        if not _POSTCODE.fullmatch(text.strip().upper()):
            raise UpstreamError(404, "Invalid postcode")
        position = self._position(text)
        if position is None:
            raise UpstreamError(404, "Postcode not found")
        return json_response(f'{{"status":200,"result":{self._writer.plain([position])[0]}}}'.encode())

    async def validate(self, request: web.Request) -> web.Response:
        known = self._position(request.match_info["postcode"]) is not None
        return json_response(msgspec.json.encode({"status": 200, "result": known}))

    async def ping(self, _: web.Request) -> web.Response:
        return json_response(b'{"status":200,"result":"pong"}')

    async def ready(self, _: web.Request) -> web.Response:
        return json_response(b'{"status":200,"result":"Ready"}')

    async def unknown(self, _: web.Request) -> web.Response:
        raise UpstreamError(404, "Resource not found")

    def _position(self, text: str) -> int | None:
        compact = "".join(text.split()).upper()
        wanted = f"{compact[:-3]} {compact[-3:]}".encode()
        if self._by_postcode is None:  # 1.7 million are sorted only for those who look up a postcode
            self._by_postcode = np.argsort(self._table.postcode)
        place = int(np.searchsorted(self._table.postcode, wanted, sorter=self._by_postcode))
        if place == len(self._table) or self._table.postcode[self._by_postcode[place]] != wanted:
            return None
        return int(self._by_postcode[place])


async def _json_object(request: web.Request) -> dict[str, Any]:
    raw = await request.read()
    if len(raw) > MAX_BODY_BYTES or request.content_type != "application/json":
        raise UpstreamError
    if (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UpstreamError
    if not raw:
        return {}
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    if not isinstance(body, dict | list):
        raise UpstreamError(400, f"Invalid JSON submitted.\n{_JSON_ADVICE}")
    return body if isinstance(body, dict) else {}


def _question(query: Mapping[str, Any]) -> Question:
    """The question in a location object, read as JavaScript's parseInt and parseFloat read it."""
    reach = query.get("limit"), query.get("radius"), query.get("widesearch") or query.get("wideSearch")
    try:
        limit, radius, wide = _reach(*reach)
    except TypeError:  # a list or an object, which no cache can hold
        limit, radius, wide = _reach.__wrapped__(*reach)
    longitude, latitude = query.get("longitude"), query.get("latitude")
    if type(longitude) is not float or type(latitude) is not float:
        longitude, latitude = _parse(longitude, _LEADING_FLOAT), _parse(latitude, _LEADING_FLOAT)
        if math.isnan(longitude) or math.isnan(latitude):
            raise UpstreamError(400, "Invalid longitude/latitude submitted")
    return Question(latitude, longitude, limit, radius, wide)


@lru_cache(maxsize=1000, typed=True)  # the locations of a batch seldom differ in these
def _reach(limit: Any, radius: Any, wide: Any) -> tuple[int, float, bool]:
    count, metres = DEFAULT_LIMIT, DEFAULT_RADIUS
    if _truthy(limit):
        number = _parse(limit, _LEADING_INTEGER)
        if not math.isfinite(number):
            raise UpstreamError(400, "Invalid result limit submitted")
        count = min(int(number), MAX_LIMIT)
    if _truthy(radius):
        metres = min(_parse(radius, _LEADING_FLOAT), MAX_RADIUS)
        if math.isnan(metres):
            raise UpstreamError(400, "Invalid lookup radius submitted")
    if _truthy(wide):
        return min(count, DEFAULT_LIMIT), metres, True
    return count, metres, False


def _parse(value: Any, pattern: re.Pattern[str]) -> float:
    """The number, or the number a text begins with; NaN for everything else."""
    if isinstance(value, str):
        match = pattern.match(value)
        return float(match[1]) if match else math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value)


def _refuse_what_the_database_refuses(question: Question) -> None:
    if question.limit < 0 or (question.radius < 0 and not question.wide):
        raise UpstreamError
    if math.isinf(question.latitude) or math.isinf(question.longitude):
        raise UpstreamError


def _truthy(value: Any) -> bool:
    """As in JavaScript, where an empty array is true."""
    return isinstance(value, list | dict) or bool(value)
