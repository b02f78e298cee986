"""Where calls for others end up: the very address that was checked is the one that is connected to."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.receiver import Receiver

from uploads.outbound import CallError, called

PUBLIC = "93.184.216.34"


class Network:
    """Names lead where a test says, one answer a look-up, and whatever is connected to is written down; nothing
    leaves the machine: it is the receiver that answers."""

    def __init__(self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[list[str]] = []
        self.looked_up: list[str] = []
        self.connected: list[Any] = []
        connect = socket.socket.connect

        def getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
            self.looked_up.append(host)
            found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (number, port, 0, 0))
                if ":" in number
                else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port))
                for number in found
            ]

        def connected(sock: socket.socket, address: Any) -> None:
            self.connected.append(address)
            connect(sock, receiver.host)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        monkeypatch.setattr(socket.socket, "connect", connected)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def network(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Network:
    return Network(receiver, monkeypatch)


def call(url: str, *, allowed: Any = ()) -> int:
    async def status() -> int:
        async with called("POST", url, seconds=5, allowed=allowed) as answer:
            return answer.status

    return asyncio.run(status())


def test_a_name_of_the_internet_is_called_at_the_address_that_it_had(network: Network, receiver: Receiver) -> None:
    network.answers = [[PUBLIC], ["127.0.0.1"]]
    assert call("http://hooks.example.org/") == 204
    assert network.looked_up == ["hooks.example.org"]
    assert network.connected == [(PUBLIC, 80)]
    assert receiver.calls[0][0]["host"] == "hooks.example.org"


@pytest.mark.parametrize(
    "number",
    ["127.0.0.1", "169.254.169.254", "10.0.0.1", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "::1", "::", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "fe80::1", "fd00:ec2::254", "2002:7f00:1::"],
)  # fmt: skip
def test_a_name_that_leads_inside_is_refused_whatever_it_said_before(network: Network, number: str) -> None:
    network.answers = [[PUBLIC], [number]]
    assert call("http://hooks.example.org/") == 204
    with pytest.raises(CallError, match="refused"):
        call("http://hooks.example.org/")
    assert network.connected == [(PUBLIC, 80)]


def test_of_several_addresses_those_inside_are_left_out(network: Network) -> None:
    network.answers = [["127.0.0.1", PUBLIC]]
    assert call("http://hooks.example.org/") == 204
    assert network.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[fe80::1]",
     "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "localhost.", "127.0.0.1."],
)  # fmt: skip
def test_no_spelling_of_an_address_gets_past(host: str, network: Network) -> None:
    network.answers = [["127.0.0.1"]]  # what the C library makes of those that are no numbers to Python
    with pytest.raises(CallError, match="refused"):
        call(f"http://{host}/")
    assert network.connected == []


def test_a_name_that_can_be_none_is_refused() -> None:
    with pytest.raises(CallError, match="refused"):
        call(f"http://{'a' * 64}.example.org/")


def test_another_port_is_refused_unless_it_is_allowed_for_this_host(network: Network) -> None:
    network.answers = [[PUBLIC]]
    with pytest.raises(CallError, match="refused"):
        call("http://hooks.example.org:8080/")
    assert call("http://hooks.example.org:8080/", allowed={("hooks.example.org", 8080)}) == 204
    network.answers = [["10.0.0.1"]]
    assert call("http://hooks.example.org:8080/", allowed={("hooks.example.org", 8080)}) == 204
    assert network.connected == [(PUBLIC, 8080), ("10.0.0.1", 8080)]


def test_a_redirection_is_not_followed(network: Network, receiver: Receiver) -> None:
    network.answers = [[PUBLIC]]
    receiver.statuses, receiver.headers = [302], {"Location": "http://169.254.169.254/"}
    assert call("http://hooks.example.org/") == 302
    assert network.connected == [(PUBLIC, 80)]


def test_a_proxy_of_the_environment_is_not_asked(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://10.0.0.1:3128")
    monkeypatch.setenv("http_proxy", "http://10.0.0.1:3128")
    network.answers = [[PUBLIC]]
    assert call("http://hooks.example.org/") == 204
    assert network.connected == [(PUBLIC, 80)]


def test_tls_asks_for_the_name_and_not_for_the_address(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _, name, __: asked.append(name)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, pytest.raises(OSError):  # it has no certificate to show
            context.wrap_socket(connection, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver.host = listener.getsockname()
        network = Network(receiver, monkeypatch)
        network.answers = [[PUBLIC]]
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        with pytest.raises(CallError):
            call("https://hooks.example.org/")
        thread.join()
    assert asked == ["hooks.example.org"]
    assert network.connected == [(PUBLIC, 443)]
