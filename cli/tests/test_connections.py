"""How the client comes to its server: proxies, certificates, and connections that are kept."""

import gzip
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from scripted import Answer, Scripted, document

from postcodes_cli import Client, UnreachableError

FOUND = document({"postcode": "SW1A 1AA"})


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_a_proxy_is_asked_with_its_own_password_and_not_for_what_is_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted(FOUND) as proxy, Scripted(FOUND) as server:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//ann:p%40ss@"))
        with Client("http://postcodes.example:8080/under", "secret") as client:
            assert client.lookup(1, 1)["postcode"] == "SW1A 1AA"
        _, path, headers, _ = proxy.seen[0]
        assert path.startswith("http://postcodes.example:8080/under/api/v1/reverse-geocode/?")
        assert (headers["Host"], headers["Proxy-Authorization"]) == ("postcodes.example:8080", "Basic YW5uOnBAc3M=")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with Client(server.url) as client:
            client.lookup(1, 1)
        assert len(server.seen) == len(proxy.seen) == 1
        assert "Proxy-Authorization" not in server.seen[0][2]
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(ValueError, match="socks5"):
        Client("http://postcodes.example")


def test_an_encrypted_server_is_asked_through_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted(Answer(407)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        tunnelled = Client("https://postcodes.example", "secret", timeout=0.1)
        with tunnelled as client, pytest.raises(UnreachableError, match="407"):
            client.lookup(1, 1)
        method, path, headers, _ = proxy.seen[0]
        assert (method, path) == ("CONNECT", "postcodes.example:443")
        assert "Authorization" not in headers


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
def test_only_certificates_that_are_trusted_are_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", "key.pem", "-out", "cert.pem"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *names]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with Scripted(FOUND, tls=context) as server:
        address = server.url.replace("http://127.0.0.1", "https://localhost")
        with Client(address, timeout=0.1) as client, pytest.raises(UnreachableError, match="certificate verify failed"):
            client.lookup(1, 1)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))
        with Client(address) as client:
            assert client.lookup(1, 1)["postcode"] == "SW1A 1AA"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nothing.pem"))
    with pytest.raises(ValueError, match="REQUESTS_CA_BUNDLE"):
        Client("https://localhost")


def test_one_connection_serves_many_calls_and_one_that_was_closed_is_replaced() -> None:
    told: list[object] = []
    with Scripted(FOUND) as server, Client(server.url, on_retry=lambda error, _: told.append(error)) as client:
        for _ in range(3):
            client.lookup(1, 1)
        assert len(server.connections) == 1
        server.end_connections()  # on loopback, the client knows at once
        client.lookup(1, 1)
        assert (len(server.connections), told) == (2, [])


def test_a_result_that_is_left_in_the_middle_does_not_disturb_the_next_call() -> None:
    whole = Answer(200, b"x" * 2_000_000, {"ETag": '"1"'})
    with Scripted(whole, FOUND) as server, Client(server.url) as client:
        pieces = client.result("1")
        assert next(pieces)[:1] == b"x"
        assert client.lookup(1, 1)["postcode"] == "SW1A 1AA"
        pieces.close()  # type: ignore[attr-defined]
        assert client.lookup(1, 1)["postcode"] == "SW1A 1AA"


def test_an_answer_may_be_packed() -> None:
    packed = Answer(200, gzip.compress(FOUND.body), {"Content-Encoding": "gzip"})
    broken = Answer(200, b"\x1f\x8bno", {"Content-Encoding": "gzip"})
    with Scripted(broken, packed) as server, Client(server.url) as client:
        assert client.lookup(1, 1)["postcode"] == "SW1A 1AA"
        assert len(server.seen) == 2
