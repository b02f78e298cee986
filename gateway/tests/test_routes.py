"""Which paths exist, and whose they are."""

from itertools import product
from posixpath import normpath
from urllib.parse import unquote

import pytest
from aiohttp import web
from servers import gateway, service

from gateway.routes import ROUTES, Service, find_route


@pytest.mark.parametrize(
    ("target", "owner"),
    [
        ("/api/v1/reverse-geocode/?latitude=51.5&longitude=-0.1", Service.POSTCODE_CONSUMER),
        ("/api/v1/reverse-geocode", Service.POSTCODE_CONSUMER),
        ("/api/v1/uploads/", Service.FILE_READER),
        ("/api/v1/uploads", Service.FILE_READER),
        ("/api/v1/uploads/7f/result.csv", Service.FILE_READER),
        ("/api/v1/rows/?near=51.5,-0.1&radius=100", Service.FILE_READER),
        ("/api/v1/postcodes/SW1A%201AA/", Service.FILE_READER),
        ("/admin/", Service.FILE_READER),
        ("/admin", Service.FILE_READER),
        ("/admin/uploads/upload/?q=..", Service.FILE_READER),
        ("/admin/lookups/lookups/knownlocation/?q=SW1A", Service.POSTCODE_CONSUMER),
        ("/admin/lookups/static/admin/css/base.css", Service.POSTCODE_CONSUMER),
        ("/admin/lookups", Service.POSTCODE_CONSUMER),
        ("/admin/lookupsX/", Service.FILE_READER),
        ("/static/admin/css/base.css", Service.FILE_READER),
    ],
)
async def test_a_path_of_the_table_reaches_its_service(target: str, owner: Service) -> None:
    async def named_file_reader(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="file_reader")

    async def named_postcode_consumer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="postcode_consumer")

    async with (
        service(named_file_reader) as file_reader,
        service(named_postcode_consumer) as postcode_consumer,
        gateway(file_reader, postcode_consumer) as client,
        client.get(target) as answer,
    ):
        assert (answer.status, await answer.text()) == (200, owner.value)


UNREACHABLE = [
    "/uploadsX/",
    "/login/more",
    "/preview/more",
    "/internal/authenticate/",
    "/internal/",
    "/metrics",
    "/favicon.ico",
    "/api/",
    "/api/v1/",
    "/api/v1/uploadsX/",
    "/api/v1/reverse-geocode/more/",
    "/api/v1/upl%6fads/",
    "/api/v1/uploads/../../../internal/authenticate/",
    "/api/v1/uploads/%2e%2e/%2e%2e/%2e%2e/internal/authenticate/",
    "/api/v1/uploads/.%2E/x",
    "/api/v1/uploads/%2E%2e%2Fx",
    "/api/v1/uploads/x%5c%2e%2e%5cinternal/",
    "/api/v1/uploads/%2e%2e%2finternal/?page=1",
    "/api/v1/Uploads/",
    "/API/v1/uploads/",
    "/api//v1/uploads/",
    "/api/v1/;/uploads/",
    "/%61dmin/",
    "/admin%2flogin/",
    "/%69nternal/authenticate/",
    "/internal%2fauthenticate/",
    "/api/v1/uploads/..%2f..%2f..%2finternal/authenticate/",
    "/api/v1/uploads/..\\..\\internal/",
    "/api/v1/uploads/%2e%2e%5cinternal/",
    "/api/v1/uploads/./x",
    "/api/v1/uploads/..",
    "/static/../internal/authenticate/",
    "//internal/authenticate/",
    "/healthz/",
    "/readyz/",
    "/readyz/more",
    "//readyz",
    "/readyz%2f",
    "http://127.0.0.1/internal/authenticate/",
    "http://127.0.0.1/api/v1/uploads/../../../internal/authenticate/",
]


async def test_every_other_path_is_not_found_and_no_service_hears_of_it() -> None:
    heard: list[str] = []

    async def hear(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(request.raw_path)
        return web.Response()

    async with service(hear) as backend, gateway(backend, backend) as client:
        for target in UNREACHABLE:
            answer = await client.send(
                f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            assert answer.startswith(b"HTTP/1.1 404 "), (target, answer)
            assert b'"type": "/problems/not-found"' in answer
    assert heard == []


UPWARDS = [
    "..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..;", "..%00", "%c0%ae%c0%ae", "..%c0%af", "\\..", ".", "", "%09..",
    "..%20",
]  # fmt: skip
SLASHES = ["/", "%2f", "%252f", "%5c", "\\", "/./"]


async def test_no_trick_leads_out_of_a_route() -> None:
    """From below each route, in every spelling of up and of slash: what a service hears is below that route still."""
    heard: list[str] = []

    async def hear(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(request.raw_path)
        return web.Response()

    async with service(hear) as backend, gateway(backend, backend) as client:
        for route, up, slash, target in product(ROUTES, UPWARDS, SLASHES, ("internal/authenticate/", "metrics")):
            path = route.path + slash.join([up] * route.path.count("/") + [target])
            heard.clear()
            async with client.get(path) as answer:
                assert answer.status in (200, 400, 404), path
            # The service unquotes once, and might then follow dots.
            left = [raw for raw in heard if not normpath(unquote(raw).replace("\\", "/")).startswith(route.path[:-1])]
            assert left == [], path
            assert set(heard) <= {path}


@pytest.mark.parametrize("target", ["/api/v1/uploads/a..b/", "/static/...", "/api/v1/rows/?next=../x"])
def test_dots_that_are_no_dot_segment_are_let_through(target: str) -> None:
    assert find_route(target) is not None


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
@pytest.mark.parametrize(
    ("path", "allowed"), [("/api/v1/rows/", "GET, HEAD"), ("/api/v1/uploads/7f/", "GET, HEAD, POST, DELETE")]
)
async def test_methods_about_the_connection_are_not_passed_on(method: str, path: str, allowed: str) -> None:
    async with service() as backend, gateway(backend) as client:
        answer = await client.send(f"{method} {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.0 405 "), answer
    assert b"application/problem+json" in answer
    assert f"\r\nAllow: {allowed}\r\n".encode() in answer


async def test_an_address_that_names_its_host_is_the_same_address() -> None:
    target = "http://localhost:8080/api/v1/rows/?near=51.5%2C0"
    async with service() as backend, gateway(backend) as client:
        answer = await client.send(f"GET {target} HTTP/1.0\r\nHost: another\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.0 200 "), answer
    assert b'"target": "/api/v1/rows/?near=51.5%2C0"' in answer
    assert b'["Host", "localhost:8080"]' in answer
    assert b"another" not in answer
