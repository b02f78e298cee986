"""What the client does when the server, or the way to it, is not well."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from scripted import Answer, Scripted, document, problem
from stack import wait_for

from postcodes_cli import (
    BusyError,
    Client,
    KeyRefusedError,
    ProblemError,
    RetryableError,
    UnexpectedAnswerError,
    UnreachableError,
)

FOUND = document({"postcode": "SW1A 1AA"})


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    "fault",
    [
        problem(429, "too-many-requests", retry_after=0),
        problem(503, "service-busy", retry_after=0),
        problem(504, "service-timeout"),
        Answer(502, b"<html>nginx</html>", {"Content-Type": "text/html"}),
        Answer(200, b'{"postcode": "SW1A', cut=8),
        Answer(200, FOUND.body, silent=1.5),
    ],
    ids=["429", "503", "504", "502 of a proxy", "cut", "silent"],
)
def test_what_may_pass_is_tried_again(fault: Answer) -> None:
    told: list[RetryableError] = []
    with Scripted(fault, FOUND) as server, Client(server.url, on_retry=lambda error, _: told.append(error)) as client:
        client._transport._answer_seconds = 1.0
        assert client.lookup(1, 1)["postcode"] == "SW1A 1AA"
        assert len(server.seen) == 2
    assert len(told) == 1


def test_the_time_that_the_server_asks_for_is_kept() -> None:
    with Scripted(problem(503, "service-busy", retry_after=1), FOUND) as server, Client(server.url) as client:
        client.lookup(1, 1)
    assert server.times[1] - server.times[0] >= 1.0


def test_a_time_that_is_too_long_is_left_to_the_caller() -> None:
    with Scripted(problem(429, "quota-exceeded", retry_after=3600)) as server, Client(server.url, timeout=2) as client:
        with pytest.raises(BusyError) as busy:
            client.lookup(1, 1)
        assert (busy.value.retry_after, len(server.seen)) == (3600.0, 1)


def test_it_is_given_up_when_the_time_is_over(nobody: str) -> None:
    with Client(nobody, timeout=0.5) as client, pytest.raises(UnreachableError, match="refused"):
        client.lookup(1, 1)


def test_what_will_not_pass_is_not_tried_again() -> None:
    with Scripted(problem(400, "invalid-location", index=3)) as server, Client(server.url) as client:
        with pytest.raises(ProblemError) as refused:
            client.lookup(1, 1)
        error = refused.value
        assert (error.type, error.members["index"], error.request_id) == ("invalid-location", 3, "req-1")
        assert len(server.seen) == 1


def test_keys_that_are_refused_have_an_error_of_their_own() -> None:
    for status in (401, 403):
        with Scripted(problem(status, "x")) as server, Client(server.url) as client, pytest.raises(KeyRefusedError):
            client.lookup(1, 1)


def test_another_server_is_told_from_ours() -> None:
    page = Answer(200, b"<html>", {"Content-Type": "text/html"})
    with Scripted(page) as server, Client(server.url) as client, pytest.raises(UnexpectedAnswerError, match="html"):
        client.lookup(1, 1)


def test_a_redirection_is_not_followed_with_the_key() -> None:
    away = Answer(302, b"", {"Location": "http://127.0.0.1:1/"})
    with Scripted(away) as server, Client(server.url, "secret") as client, pytest.raises(UnexpectedAnswerError):
        client.lookup(1, 1)


def test_the_key_and_the_options_go_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "a b.csv").write_text("lat,lon\n1,1\n")
    with Scripted(document({"id": "x"})) as server, Client(server.url, "secret") as client:
        client.upload(tmp_path / "a b.csv", has_header=True, max_distance=5)
        method, path, headers, body = server.seen[0]
    assert (method, path) == ("POST", "/api/v1/uploads/?filename=a+b.csv&has_header=true&max_distance=5")
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Content-Digest"].startswith("sha-256=:")
    assert body == b"lat,lon\n1,1\n"


def test_an_upload_that_is_sent_again_has_the_same_key_and_the_whole_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"lat,lon\n1,1\n")
    busy = problem(409, "upload-in-flight", retry_after=0)
    with Scripted(busy, document({"id": "x"})) as server, Client(server.url) as client:
        assert client.upload(tmp_path / "a.csv")["id"] == "x"
        first, second = ((headers["Idempotency-Key"], body) for _, _, headers, body in server.seen)
    assert first == second


def test_what_is_refused_on_its_way_is_not_sent_to_its_end(tmp_path: Path) -> None:
    size = 64 << 20
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(size)
    busy = replace(problem(409, "upload-in-flight", retry_after=0), early=True)
    done = document({"id": "x"})
    with Scripted(document({}), busy, document({}), done) as server, Client(server.url) as client:
        assert client.upload(tmp_path / "a.csv")["id"] == "x"
        assert len(server.seen[3][3]) == size
        sent = wait_for(lambda: server.sent_after_an_answer, "the rest of the first attempt")
        assert 0 < sent < size // 2


def test_a_large_file_is_not_sent_to_a_server_that_refuses_the_key(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"lat,lon\n" + b"1,1\n" * 400_000)
    with Scripted(problem(401, "unknown-key")) as server, Client(server.url) as client:
        with pytest.raises(KeyRefusedError):
            client.upload(tmp_path / "a.csv")
        assert [method for method, *_ in server.seen] == ["GET"]


def test_an_outage_does_not_end_the_watch() -> None:
    going = {"id": "x", "state": "geocoding"}
    answers = (document(going), problem(503, "service-unavailable", retry_after=0), document(going | {"state": "done"}))
    with Scripted(*answers) as server, Client(server.url) as client:
        assert [seen["state"] for seen in client.watch("x", interval=0.01)] == ["geocoding", "done"]


def test_an_upload_that_has_not_changed_is_not_shown_again() -> None:
    going = document({"id": "x", "state": "geocoding"}, ETag='"1"')
    answers = (going, Answer(304, b""), document({"id": "x", "state": "done"}))
    with Scripted(*answers) as server, Client(server.url) as client:
        assert len(list(client.watch("x", interval=0.01))) == 2
        assert server.seen[1][2]["If-None-Match"] == '"1"'


def test_the_tree_of_errors_is_the_one_that_is_drawn() -> None:
    from postcodes_cli import errors

    drawn: dict[str, list[str]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        before, found, _ = line.partition("Error ")
        if not found or " " in before.lstrip("│├└─ "):
            continue
        name = before.lstrip("│├└─ ") + "Error"
        depth = (len(before) - len(before.lstrip("│├└─ "))) // 4
        path[depth:] = [name]
        drawn.setdefault(name, []).extend(path[depth - 1 : depth] if depth else ["Exception"])
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    meant = {kind.__name__: {base.__name__ for base in kind.__bases__} for kind in kinds}
    assert {name: set(bases) for name, bases in drawn.items()} == meant
