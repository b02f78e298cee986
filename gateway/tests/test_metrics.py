"""The gateway's own port for Prometheus: requests by route, outcomes, and what is the case."""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from servers import NOBODY, Client, gateway, service

RED = re.compile(r'gateway_request_seconds_count\{method="(\w+)",route="([^"]+)",status="(\d+)"\} (\d+)')


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def measured() -> AsyncIterator[tuple[Client, int]]:
    port = free_port()
    async with service() as url, gateway(url, NOBODY, metrics_port=port) as client:
        yield client, port


async def shown(client: Client, port: int) -> str:
    async with client.session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        return await answer.text()


def counts(text: str) -> dict[tuple[str, str, int], int]:
    return {(method, route, int(status)): int(count) for method, route, status, count in RED.findall(text)}


async def test_requests_are_counted_by_method_route_and_status_and_never_by_address() -> None:
    async with measured() as (client, port):
        before = counts(await shown(client, port))
        for target in ("/api/v1/uploads/one/", "/api/v1/uploads/two/rows/?postcode=SW1A1AA", "/nowhere/", "/healthz"):
            async with client.get(target) as answer:
                await answer.read()
        await client.problem("POST", "/api/v1/reverse-geocode/?latitude=51.501009")
        async with client.call("PROPFIND", "/api/v1/rows/") as answer:
            await answer.read()
        text = await shown(client, port)
    more = {key: count - before.get(key, 0) for key, count in counts(text).items() if count != before.get(key, 0)}
    assert more == {
        ("GET", "/api/v1/uploads/", 200): 2,
        ("GET", "none", 404): 1,
        ("GET", "/healthz", 200): 1,
        ("POST", "/api/v1/reverse-geocode/", 503): 1,
        ("other", "/api/v1/rows/", 200): 1,
    }
    assert "SW1A1AA" not in text
    assert "51.501009" not in text
    assert "uploads/one" not in text


async def test_durations_fall_into_buckets_that_add_up() -> None:
    async with measured() as (client, port):
        async with client.get("/api/v1/rows/") as answer:
            await answer.read()
        text = await shown(client, port)
    labels = 'method="GET",route="/api/v1/rows/",status="200"'
    assert f'gateway_request_seconds_bucket{{le="30.0",{labels}}}' in text
    found = [float(line.split()[-1]) for line in text.splitlines() if "seconds_bucket{le=" in line and labels in line]
    assert found == sorted(found)
    assert found[-1] >= 1
    total = re.search(
        rf"gateway_request_seconds_sum{{{{{labels}}}}} ([0-9.e-]+)".replace("{{", "{").replace("}}", "}"), text
    )
    assert total is not None
    assert 0 < float(total[1]) < 60


async def test_what_is_the_case_at_the_moment_is_shown() -> None:
    async with measured() as (client, port):
        async with client.get("/api/v1/rows/") as answer:
            await answer.read()
        text = await shown(client, port)
        assert "gateway_connections 1.0" in text
        assert "gateway_requests_in_flight 0.0" in text
        assert 'gateway_places_limit{service="file_reader"} 13.0' in text
        assert 'gateway_outcomes_total{outcome="answered"}' in text
        assert "process_resident_memory_bytes" in text


async def test_the_public_door_has_no_metrics_and_the_port_of_metrics_has_nothing_else() -> None:
    async with measured() as (client, port):
        async with client.get("/metrics") as answer:
            assert answer.status == 404
        async with client.session.get(f"http://127.0.0.1:{port}/api/v1/rows/") as answer:
            assert answer.status == 404


async def test_a_port_that_is_taken_keeps_nobody_from_serving() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with service() as url, gateway(url, metrics_port=port) as client, client.get("/api/v1/rows/") as answer:
            assert answer.status == 200
