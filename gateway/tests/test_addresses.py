"""Where a call comes from: the services and the log are told, and nobody but a trusted proxy decides."""

import ipaddress
import logging

import pytest
from servers import gateway, service

from gateway.addresses import Network, is_loopback_name, network_of

PROXIES = (ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("10.0.0.0/8"))


async def told(proxies: tuple[Network, ...], **headers: str) -> dict[str, str]:
    """What the service is told of a call from 127.0.0.1 with these headers."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        service() as backend,
        gateway(backend, trusted_proxies=proxies) as client,
        client.get("/admin/", headers=sent) as answer,
    ):
        seen = [(name.lower(), value) for name, value in (await answer.json())["headers"]]
    assert len(seen) == len(dict(seen))
    return {name: value for name, value in seen if name.startswith("x-forwarded")}


async def test_nobody_but_a_trusted_proxy_says_for_whom_it_calls() -> None:
    said = {"X_Forwarded_For": "203.0.113.7", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "bank.example"}
    assert await told((), **said) == {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http"}
    assert await told(PROXIES, **said) == {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("6.6.6.6, 203.0.113.7", "203.0.113.7"),  # what stands before it, the client may have written itself
        ("6.6.6.6, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, unknown", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
async def test_the_client_is_the_last_one_that_is_no_trusted_proxy(forwarded: str, address: str) -> None:
    assert (await told(PROXIES, X_Forwarded_For=forwarded))["x-forwarded-for"] == address


async def test_the_log_says_from_where_a_call_came(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await told(PROXIES, X_Forwarded_For="203.0.113.7")
    assert "path=/admin/ address=203.0.113.7 status=200" in caplog.text


def test_neighbours_of_one_ipv6_network_are_one_caller() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("192.0.2.1") != network_of("192.0.2.2")


def test_loopback_has_these_names_and_no_others() -> None:
    names = ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8080"]
    assert [name for name in names if not is_loopback_name(name)] == []
    others = ["", "example.org", "localhost.example.org", "127.0.0.1.example.org", "0.0.0.0", "[::]", "localhost:x"]
    others += ["10.0.0.1:8080", "localhost@example.org", "example.org:127.0.0.1", "127.0.0.1:80@example.org", "::1"]
    assert [name for name in others if is_loopback_name(name)] == []
