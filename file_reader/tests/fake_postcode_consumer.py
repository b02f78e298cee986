"""A stand-in for postcode_consumer: a real HTTP server, answers in the shape of the contract, faults on demand."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterable
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import nan
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
Location = tuple[float, float]
STATUSES = ["match", "no_match", "failed"]
REASONS = [None, "none_within_max_distance", "outside_uk", "upstream_rejected", "searched_to_2000_m", "not_covered"]
_AREA = ("country", "region", "admin_district", "admin_ward")


def contract(name: str) -> dict[str, Any]:
    """One file of the wire contract."""
    return json.loads((CONTRACTS / f"{name}.json").read_text())


def _known() -> dict[Location, dict[str, Any]]:
    results = contract("reverse_geocode/bulk_mixed")["response"]["body"]["results"]
    return {(result["latitude"], result["longitude"]): result for result in results}


KNOWN = _known()
MATCH = KNOWN[51.501009, -0.141588]
OUTSIDE_UK = KNOWN[0.0, 0.0]
IN_THE_SEA = KNOWN[56.0, 2.5]
_LETTERS = "ABDEFGHJLN"


def postcode_at(latitude: float, longitude: float) -> str:
    """The postcode that the stand-in gives to a location in the UK."""
    number = (round(latitude * 10_000) * 7_919 + round(longitude * 10_000)) % 1_000_000
    digits = f"{number:06d}"
    letters = "".join(_LETTERS[int(digit)] for digit in digits[3:])
    return f"{letters[0]}{digits[:2]} {digits[2]}{letters[1:]}"


def answer_to(latitude: float, longitude: float) -> dict[str, Any]:
    """The answer of the contract for the location; for others, one like it."""
    if known := KNOWN.get((latitude, longitude)):
        return known
    if not (49 < latitude < 61 and -9 < longitude < 3):
        return {**OUTSIDE_UK, "latitude": latitude, "longitude": longitude}
    postcode = postcode_at(latitude, longitude)
    outcode, incode = postcode.split()
    details = {**MATCH["postcode_details"], "outcode": outcode, "incode": incode,
               "latitude": latitude, "longitude": longitude}  # fmt: skip
    return {**MATCH, "latitude": latitude, "longitude": longitude, "postcode": postcode, "distance_m": 12.5,
            "postcode_details": details}  # fmt: skip


def as_columns(results: list[dict[str, Any]]) -> bytes:
    """Answers as columns, with the digest of the locations that they speak of."""
    places = list({result["postcode"]: result for result in results if result["postcode"] is not None}.values())
    numbers = {place["postcode"]: number for number, place in enumerate(places)}
    areas = [tuple((place["postcode_details"] or {}).get(name) for name in _AREA) for place in places]
    distances = [nan if result["distance_m"] is None else result["distance_m"] for result in results]
    asked = b"".join(
        np.array([result[name] for result in results], "<f8").tobytes() for name in ("latitude", "longitude")
    )
    return msgspec.msgpack.encode(
        {
            "status": bytes(STATUSES.index(result["status"]) for result in results),
            "reason": bytes(REASONS.index(result["reason"]) for result in results),
            "distance": np.array(distances, "<f8").tobytes(),
            "place": np.array([numbers.get(result["postcode"], -1) for result in results], "<i4").tobytes(),
            "postcodes": np.array([place["postcode"] for place in places], "S8").tobytes(),
            "area": np.arange(len(places), dtype="<u4").tobytes(),
            "areas": areas,
            "asked": blake2b(asked, digest_size=16).digest(),
        }
    )


def _write(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(content))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


def _kill_caller(handler: BaseHTTPRequestHandler) -> None:
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(line.laddr == handler.client_address for line in child.net_connections("tcp4")):
                child.kill()


class FakePostcodeConsumer:
    """Listens on a port of its own.

    `faults` are used up one a call ("none" is none); `always` is the fault of every call after them; `poison` are
    locations with which a call is answered 500; `failing` are locations that are answered `failed`; `answers` are
    answers of a test's own; whoever asks for one of the `deadly` ones is killed (kill -9), if it is a child of this
    process. While `gate` is cleared, calls wait. `postcodes` are those that it knows something about, without their
    spaces; what is in `found_for_somebody` it tells only those who ask for what it remembers.
    """

    def __init__(self) -> None:
        self.calls: list[list[Location]] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.faults: list[str] = []
        self.always: str | None = None
        self.poison: set[Location] = set()
        self.failing: set[Location] = set()
        self.deadly: set[Location] = set()
        self.answers: dict[Location, dict[str, Any]] = {}
        self.postcodes = {"SW1A1AA": contract("postcodes/known")["response"]["body"]}
        self.found_for_somebody: dict[str, Any] = {}
        #: The postcodes that were asked about, and the ports that asked.
        self.asked_about: list[tuple[str, int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def asked(self) -> list[Location]:
        """Every location that was asked for, in order, of all calls."""
        with self._lock:
            return [location for call in self.calls for location in call]

    def start(self) -> None:
        """Listens; after `stop`, on the same port again."""
        self._ended.clear()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                fake._answer_about_postcode(self)

            def do_POST(self) -> None:
                fake._answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *args: Any) -> None:
                pass  # a caller that hung up is what some tests are about

        self._server = Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Refuses connections from here on, and lets go of those that hang."""
        self._ended.set()
        self.gate.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            # Not server_close(): it would wait for connections that are kept alive.
            self._server.socket.close()
            self._server = None

    def wait_for_calls(self, count: int, seconds: float = 20) -> None:
        """Returns when that many calls have arrived."""
        end = time.monotonic() + seconds
        while len(self.calls) < count:
            assert time.monotonic() < end, f"{len(self.calls)} calls arrived, not {count}"
            time.sleep(0.01)

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = msgspec.msgpack.decode(handler.rfile.read(int(handler.headers["Content-Length"])))
        columns = (np.frombuffer(body[name], "<f8").tolist() for name in ("latitudes", "longitudes"))
        locations = list(zip(*columns, strict=True))
        with self._lock:
            self.calls.append(locations)
            self.bodies.append(body)
            self.headers.append(dict(handler.headers))
            fault = self.faults.pop(0) if self.faults else self.always
        self.gate.wait()
        if self.deadly.intersection(locations):
            _kill_caller(handler)
            return
        if fault is None and self.poison.intersection(locations):
            fault = "500"
        self._send(handler, fault, locations)

    def _answer_about_postcode(self, handler: BaseHTTPRequestHandler) -> None:
        postcode, remembered = re.fullmatch(r"/api/v1/postcodes/([^/?]*)/\?remembered=([01])", handler.path).groups()
        postcodes = {**self.postcodes, **self.found_for_somebody} if remembered == "1" else self.postcodes
        with self._lock:
            self.asked_about.append((postcode, handler.client_address[1]))
            self.headers.append(dict(handler.headers))
            fault = self.faults.pop(0) if self.faults else self.always
        if fault is not None:
            self._send(handler, fault, ())
        elif known := postcodes.get(postcode):
            _write(handler, 200, {"Content-Type": "application/json"}, known)
        else:
            unknown = contract("postcodes/unknown")["response"]
            _write(handler, unknown["status"], unknown["headers"], unknown["body"])

    def _send(self, handler: BaseHTTPRequestHandler, fault: str | None, locations: Iterable[Location]) -> None:
        status, content_type = 200, "application/vnd.postcode-columns+msgpack"
        headers: dict[str, str] = {}
        results = [self.answers.get(location) or answer_to(*location) for location in locations]
        for index, result in enumerate(results):
            if (result["latitude"], result["longitude"]) in self.failing:
                results[index] = {**OUTSIDE_UK, "latitude": result["latitude"], "longitude": result["longitude"],
                                  "status": "failed", "reason": "upstream_rejected"}  # fmt: skip
        body: Any = None
        match fault:
            case None | "none":
                pass
            case "503":
                answer = contract("reverse_geocode/upstream_unavailable")["response"]
                status, body, content_type, headers = (
                    503,
                    answer["body"],
                    "application/problem+json",
                    {"Retry-After": "1"},
                )
            case "500" | "400" | "429" | "502" | "504":
                status, body, content_type = int(fault), {"status": int(fault)}, "application/problem+json"
            case "short":
                results.pop()
            case "reordered":
                results.reverse()
            case "others":
                results[0] = {**results[0], "latitude": results[0]["latitude"] + 0.001}
            case "not columns" | "not json":
                results = []
            case "404 of a web server":
                status, content_type, body = 404, "text/html", "<html>Not found</html>"
            case "html":
                content_type = "text/html"
                body = "<html>Bad gateway</html>"
            case "hang":
                self._ended.wait()
                return
            case "hang up":
                handler.close_connection = True
                return
            case "drip":
                self._drip(handler)
                return
            case "endless":
                self._endless(handler)
                return
            case _:
                raise AssertionError(f"no such fault: {fault}")
        _write(handler, status, {**headers, "Content-Type": content_type}, body or as_columns(results))

    def _drip(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not self._ended.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    def _endless(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.end_headers()
        while not self._ended.is_set():
            handler.wfile.write(b" " * 1_000_000)
