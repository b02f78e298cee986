"""Whoever listens hears of every change, from one question a second, and of the end."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from a_resource import PATH, Resource, serving
from servers import Client, eventually, gateway, gateway_process, service

from gateway.limits import Limits

EVENTS = f"{PATH}events/"
QUICK = Limits(linger=0.1, event_poll=0.02)


@dataclass
class Stream:
    """What a listener hears."""

    answer: aiohttp.ClientResponse

    async def piece(self) -> str:
        """The next event or comment; nothing at the end."""
        async with asyncio.timeout(10):
            lines = []
            while (line := (await self.answer.content.readline()).decode()) not in ("\n", ""):
                lines.append(line)
        return "".join(lines)

    async def event(self) -> dict[str, str]:
        """The next event, by its fields; no field at the end."""
        while (piece := await self.piece()).startswith((":", "retry:")):
            pass
        return dict(line.split(": ", 1) for line in piece.splitlines())


@asynccontextmanager
async def listening(client: Client, path: str = EVENTS, **headers: str) -> AsyncIterator[Stream]:
    async with client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        yield Stream(answer)


async def test_the_state_comes_at_once_then_each_change_then_the_end() -> None:
    resource = Resource("first")
    async with serving(resource, QUICK) as client, listening(client) as stream:
        assert stream.answer.content_type == "text/event-stream"
        assert stream.answer.headers["Cache-Control"] == "no-cache"
        assert await stream.piece() == "retry: 2000\n"
        assert await stream.event() == {"id": '"1"', "data": f"{PATH} 1 first"}
        resource.change("second")
        assert await stream.event() == {"id": '"2"', "data": f"{PATH} 2 second"}
        resource.change("last", is_running=False)
        assert await stream.event() == {"id": '"3"', "data": f"{PATH} 3 last"}
        assert await stream.event() == {}
        asked = len(resource.asked)
    assert {etag for _, etag in resource.asked} == {None, '"1"', '"2"'}
    assert len(resource.asked) == asked


@pytest.mark.parametrize("path", [EVENTS, EVENTS.rstrip("/")])
async def test_what_has_ended_is_told_once(path: str) -> None:
    resource = Resource("a\nb")
    resource.is_running = False
    async with serving(resource, QUICK) as client:
        async with client.get(path) as answer:
            assert await answer.text() == f'retry: 2000\n\nid: "1"\ndata: {PATH} 1 a\ndata: b\n\n'
        # A browser comes back with the last id, and is told not to come again.
        async with client.get(path, headers={"Last-Event-ID": '"1"'}) as answer:
            assert (answer.status, await answer.read()) == (204, b"")
        resource.change(is_running=False)
        async with listening(client, **{"Last-Event-ID": '"1"'}) as stream:
            assert (await stream.event())["id"] == '"2"'


async def test_who_comes_back_gets_the_state_of_now() -> None:
    resource = Resource()
    async with serving(resource, QUICK) as client:
        async with listening(client) as stream:
            assert (await stream.event())["id"] == '"1"'
        resource.change()
        async with listening(client, **{"Last-Event-ID": '"1"'}) as stream:
            while (await stream.event())["id"] == '"1"':  # it is a moment old at most
                pass
            assert resource.asked[-1] == (None, '"1"')


async def test_however_many_listen_there_is_one_question_a_second() -> None:
    resource = Resource()
    async with serving(resource, Limits(event_poll=0.2)) as client:
        began = time.monotonic()
        await asyncio.gather(*(hear_one_change(client, resource) for _ in range(30)), change_soon(resource))
        seconds = time.monotonic() - began
    assert 2 <= len(resource.asked) <= 1 + seconds / 0.2


async def hear_one_change(client: Client, resource: Resource) -> None:
    async with listening(client) as stream:
        while (await stream.event())["id"] != '"2"':
            pass


async def change_soon(resource: Resource) -> None:
    await eventually(lambda: len(resource.asked) >= 2)
    resource.change()


async def test_nobody_asks_when_nobody_listens() -> None:
    resource = Resource()
    async with serving(resource, QUICK) as client:
        async with listening(client) as stream:
            await stream.event()
        async with asyncio.timeout(10):
            asked = -1
            while asked != len(resource.asked):
                asked = len(resource.asked)
                await asyncio.sleep(10 * QUICK.event_poll)


async def test_users_are_asked_for_apart() -> None:
    resource = Resource()
    async with (
        serving(resource, QUICK, keys_required=True) as client,
        listening(client, Authorization="Bearer key-of-ann") as ann,
        listening(client, Authorization="Bearer key-of-ben") as ben,
    ):
        await ann.event()
        await ben.event()
    assert {user for user, _ in resource.asked} == {"1", "2"}


@pytest.mark.parametrize("status", [404, 400, 503])
async def test_what_is_no_state_is_passed_on(status: int) -> None:
    resource = Resource()
    resource.status = status
    async with serving(resource, QUICK) as client, client.get(EVENTS) as answer:
        assert (answer.status, await answer.json()) == (status, {"type": "/problems/not-found"})


async def test_a_service_that_is_away_is_a_problem_and_no_stream() -> None:
    async with gateway(limits=QUICK) as client:
        assert (await client.problem("GET", EVENTS))["type"] == "/problems/service-unavailable"


async def test_what_does_not_tell_its_changes_has_no_events() -> None:
    async with serving(Resource(ETag=""), QUICK) as client:
        assert (await client.problem("GET", EVENTS))["status"] == 404


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS"])
async def test_events_are_only_read(method: str) -> None:
    resource = Resource()
    async with serving(resource, QUICK) as client, client.call(method, EVENTS) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert (resource.version, resource.asked) == (1, [])


async def test_head_tells_the_kind_only() -> None:
    async with serving(Resource(), QUICK) as client, client.call("HEAD", EVENTS) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "text/event-stream", b"")


async def test_a_query_is_the_services_to_judge() -> None:
    targets = []

    async def handler(request: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
        targets.append(request.raw_path)
        return aiohttp.web.Response(status=400, text="no")

    async with (
        service(handler) as backend,
        gateway(backend, limits=QUICK) as client,
        client.get(f"{EVENTS}?page=1") as answer,
    ):
        assert answer.status == 400
    assert targets == [f"{PATH}?page=1"]


@pytest.mark.parametrize("status", [None, 503, 429])
async def test_listeners_stay_while_the_service_is_away(status: int | None) -> None:
    resource = Resource()
    async with serving(resource, QUICK) as client, listening(client) as stream:
        await stream.event()
        resource.status = status
        assert await stream.piece() == ": the service does not answer\n"
        resource.status = 200
        assert await stream.piece() == ": the service answers again\n"
        resource.status = status
        assert await stream.piece() == ": the service does not answer\n"
        resource.change()
        resource.status = 200
        assert (await stream.event())["id"] == '"2"'


async def test_what_is_deleted_meanwhile_ends_with_the_problem() -> None:
    resource = Resource()
    async with serving(resource, QUICK) as client, listening(client) as stream:
        await stream.event()
        resource.status = 404
        assert await stream.event() == {"event": "problem", "data": '{"type": "/problems/not-found"}'}
        assert await stream.event() == {}


async def test_a_key_that_is_revoked_ends_its_streams_and_no_others() -> None:
    resource = Resource()
    limits = Limits(linger=0.1, event_poll=0.02, known_key=0.3)
    async with (
        serving(resource, limits, keys_required=True) as client,
        listening(client, Authorization="Bearer key-of-ann") as stream,
        listening(client, Authorization="Bearer other-key-of-ann") as other,
    ):
        await stream.event()
        await other.event()
        del resource.users["key-of-ann"]
        revoked = time.monotonic()
        problem = await stream.event()
        assert time.monotonic() - revoked < limits.known_key + 1  # a second for a busy machine
        assert (problem["event"], json.loads(problem["data"])["type"]) == ("problem", "/problems/unknown-key")
        assert await stream.event() == {}
        resource.change()
        assert (await other.event())["id"] == '"2"'


async def test_when_nothing_changes_there_is_a_comment_now_and_then() -> None:
    async with (
        serving(Resource(), Limits(linger=0.1, event_poll=0.02, event_silence=0.1)) as client,
        listening(client) as stream,
    ):
        await stream.event()
        assert await stream.piece() == await stream.piece() == ":\n"


async def test_one_caller_has_only_so_many_streams() -> None:
    limits = Limits(linger=0.1, event_poll=0.02, listeners_per_caller=1, listeners=2)
    async with (
        serving(Resource(), limits) as client,
        client.elsewhere() as other,
        listening(client) as stream,
        listening(other),
    ):
        await stream.event()
        async with client.get(EVENTS) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
            assert (await answer.json())["type"] == "/problems/too-many-requests-at-once"


async def test_all_together_have_only_so_many_streams_and_other_calls_are_served() -> None:
    async with serving(Resource(), Limits(linger=0.1, event_poll=0.02, listeners=1)) as client:
        async with listening(client) as stream:
            await stream.event()
            async with client.get(EVENTS) as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            async with client.get(PATH) as answer:
                assert answer.status == 200
        await eventually_listening(client)


async def eventually_listening(client: Client) -> None:
    """Until the gateway has seen that the other one has left."""
    async with asyncio.timeout(5):
        while True:
            async with client.get(EVENTS) as answer:
                if answer.status == 200:
                    return


async def test_listeners_leave_the_places_of_a_service_to_others() -> None:
    """Each of them waits for a service that hangs; others are served."""
    resource = Resource()
    limits = Limits(linger=0.1, event_poll=0.02)
    async with serving(resource, limits) as client, client.elsewhere() as other:
        resource.may_answer.clear()
        waiting = [asyncio.create_task(ended(client, f"/api/v1/uploads/{number}/events/")) for number in range(30)]
        await eventually(lambda: len(resource.asked) == 1)
        for one in (client, other):
            async with one.call("POST", PATH) as answer:
                assert answer.status == 200
        assert len(resource.asked) == 1
        resource.is_running = False
        resource.may_answer.set()
        await asyncio.gather(*waiting)


async def ended(client: Client, path: str) -> None:
    async with client.get(path) as answer:
        assert answer.status == 200


async def unhurried(client: Client) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that takes nothing yet, and for which the system keeps little."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.connect(("127.0.0.1", client.url.port))
    reader, writer = await asyncio.open_connection(sock=line)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    return reader, writer


async def test_who_is_slow_misses_states_but_not_the_newest() -> None:
    resource = Resource()
    async with serving(resource, Limits(linger=0.1, event_poll=0.002)) as client, listening(client) as quick:
        reader, writer = await unhurried(client)
        writer.write(f"GET {EVENTS} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        for _ in range(60):
            resource.change("x" * 60_000)
            while (await quick.event())["id"] != resource.etag:
                pass
        resource.change("the end", is_running=False)
        while (await quick.event())["id"] != resource.etag:
            pass
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        heard = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert heard.endswith(f"id: {resource.etag}\ndata: {PATH} {resource.version} the end\n\n".encode())
    assert heard.count(b"id: ") < 40


async def test_who_takes_nothing_is_cut_off() -> None:
    resource = Resource("x" * 60_000)
    limits = Limits(linger=0.1, event_poll=0.002, client_stall=0.3, listeners_per_caller=2)
    async with serving(resource, limits) as client, listening(client) as quick:
        _, writer = await unhurried(client)
        writer.write(f"GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        async with asyncio.timeout(20):
            while (await one_more(client)) == 429 or resource.version < 20:
                resource.change("x" * 60_000)
                await quick.event()
        writer.close()


async def one_more(client: Client) -> int:
    """The status for one more listener: 429 while the two others are there."""
    async with client.call("HEAD", EVENTS) as answer:
        return answer.status


async def test_pages_of_allowed_origins_may_listen() -> None:
    origin = "https://maps.example.org"
    settings = {"cors_allowed_origins": frozenset({origin})}
    async with serving(Resource(), QUICK, **settings) as client, listening(client, Origin=origin) as stream:
        assert stream.answer.headers["Access-Control-Allow-Origin"] == origin


async def test_streams_end_when_the_gateway_does() -> None:
    resource = Resource()
    async with service(resource) as backend:
        with gateway_process(FILE_READER_URL=str(backend)) as running:
            url = f"http://127.0.0.1:{running.port}{EVENTS}"
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                stream = Stream(answer)
                await stream.event()
                running.process.terminate()
                assert await stream.event() == {}
            assert await asyncio.to_thread(running.process.wait, 10) == 0
