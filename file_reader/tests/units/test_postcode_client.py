"""The client of postcode_consumer: it asks in columns, and believes only what answers its question."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.fake_postcode_consumer import contract

from uploads.work.postcode_client import CONTENT_TYPE, FanOut, OutageError, PostcodeClient, RefusedError

EXAMPLE = contract("reverse_geocode/columns_mixed")
QUESTION = msgspec.msgpack.decode(bytes.fromhex(EXAMPLE["request"]["body_hex"]))
ANSWER = msgspec.msgpack.decode(bytes.fromhex(EXAMPLE["response"]["body_hex"]))
LATITUDES, LONGITUDES = (np.frombuffer(QUESTION[name], "<f8") for name in ("latitudes", "longitudes"))


@contextmanager
def answering(status: int, body: bytes) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A server that gives this answer to every call, and the content types and bodies of the calls."""
    calls: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            calls.append((self.headers["Content-Type"], sent))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", calls
    finally:
        server.shutdown()
        server.server_close()


def ask(url: str) -> FanOut:
    async def once() -> FanOut:
        client = PostcodeClient(url, "token", per_call=5_000, in_flight=2)
        try:
            distance = QUESTION["max_distance"]
            return await client.reverse_geocode(LATITUDES, LONGITUDES, max_distance=distance, seconds=20)
        finally:
            await client.close()

    return asyncio.run(once())


def outcome_of(http_status: int, **changed: Any) -> FanOut:
    """What comes of an answer in which some members are others."""
    with answering(http_status, msgspec.msgpack.encode(ANSWER | changed)) as (url, _):
        return ask(url)


def test_the_contracts_question_is_asked_and_its_answer_is_understood() -> None:
    with answering(200, bytes.fromhex(EXAMPLE["response"]["body_hex"])) as (url, calls):
        looked_up = ask(url)
    assert calls == [(CONTENT_TYPE, bytes.fromhex(EXAMPLE["request"]["body_hex"]))]
    assert looked_up.error is None
    answers = looked_up.answers
    assert answers.status.tolist() == [0, 1, 1, 0, 0, 0, 0]
    assert answers.reason.tolist() == [0, 1, 2, 0, 0, 0, 0]
    found = [answers.postcodes[place].decode() if place >= 0 else None for place in answers.place]
    assert found == ["SW1A 1AA", None, None, "SW1A 1AA", "SW1A 2AA", "EH1 2NG", "SW1A 1AA"]
    assert answers.areas[answers.area[answers.place[5]]] == ("Scotland", None, "City of Edinburgh", None)
    assert np.nan_to_num(answers.distance, nan=-1).tolist() == [0.0, -1, -1, 54.6, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "changed",
    [
        {"asked": bytes(16)},
        {"asked": b""},
        {"status": ANSWER["status"][:-1]},
        {"status": ANSWER["status"][:-1] + b"\x03"},
        {"status": ANSWER["status"][::-1]},
        {"reason": ANSWER["reason"] + b"\0"},
        {"reason": b"\x06" + ANSWER["reason"][1:]},
        {"distance": ANSWER["distance"][8:] + ANSWER["distance"][:8]},
        {"distance": ANSWER["distance"][:-1]},
        {"place": np.full(7, 3, "<i4").tobytes()},
        {"place": np.full(7, -1, "<i4").tobytes()},
        {"place": np.full(7, 1 << 30, "<i4").tobytes()},
        {"postcodes": ANSWER["postcodes"][:-8]},
        {"postcodes": ANSWER["postcodes"][:-1]},
        {"postcodes": b"\0" * 8 + ANSWER["postcodes"][8:]},
        {"postcodes": b"SW1A\x001AA" + ANSWER["postcodes"][8:]},
        {"postcodes": "SW1Ä1AA".encode() + ANSWER["postcodes"][8:]},
        {"postcodes": b"SW1A;1AA" + ANSWER["postcodes"][8:]},
        {"area": np.full(3, 2, "<u4").tobytes()},
        {"areas": []},
        {"areas": [["England", "London", "Westminster"]] * 2},
        {"areas": [[1, 2, 3, 4]] * 2},
        {"areas": None},
    ],
)
def test_an_answer_with_a_contradiction_is_an_outage_and_nothing_of_it_is_kept(changed: dict[str, Any]) -> None:
    looked_up = outcome_of(200, **changed)
    assert isinstance(looked_up.error, OutageError)
    assert looked_up.error.reason == "unusable_answer"
    assert set(looked_up.answers.status.tolist()) == {255}


@pytest.mark.parametrize(
    ("status", "kind"), [(401, RefusedError), (400, RefusedError), (500, RefusedError), (415, OutageError),
                         (429, OutageError), (502, OutageError), (503, OutageError), (504, OutageError)],
)  # fmt: skip
def test_other_answers_are_refusals_or_outages(status: int, kind: type[Exception]) -> None:
    looked_up = outcome_of(status)
    assert type(looked_up.error) is kind
