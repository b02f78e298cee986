"""The form of log lines, which all services share."""

import asyncio
import io
import json
import logging
from select import PIPE_BUF
from typing import Any

import pytest

from gateway.logs import TurnHandler, details
from service_kit.environment import SettingError
from service_kit.logs import JsonFormatter, RequestIdFilter, SpelledRecord, TextFormatter, formatter, work_for


def as_json(message: str, *arguments: object, exc_info: Any = None) -> dict[str, Any]:
    record = logging.LogRecord("a.logger", logging.WARNING, "file", 1, message, arguments, exc_info)
    RequestIdFilter().filter(record)
    line = JsonFormatter("gateway").format(record)
    assert "\n" not in line
    return dict(json.loads(line))


@pytest.mark.parametrize(
    ("message", "arguments", "event", "fields"),
    [
        ("worker started", (), "worker started", {}),
        ("upload loaded upload=%s rows=%d", (7, 300), "upload loaded", {"upload": 7, "rows": 300}),
        ("put back chunk=%s-%s why=%r seconds=%.1f", (7, 3, "a b", 1.25), "put back",
         {"chunk": "7-3", "why": "'a b'", "seconds": 1.2}),
        ("row failed row=%s reason=gave_up", (5,), "row failed", {"row": 5, "reason": "gave_up"}),
        ("database trouble: %s", ("x=1",), "database trouble: x=1", {}),
        ("login failed user=%s attempt=%s of %s", ("ann", 3, 5), "login failed user=ann attempt=3 of 5", {}),
        ("request %s", (details(path="/a b\n", status=200),), "request", {"path": "/a b\n", "status": 200}),
        ("not ready %s", (details(service="file_reader"),), "not ready", {"service_": "file_reader"}),
    ],
)  # fmt: skip
def test_a_line_is_an_object_with_what_happened_and_its_fields(
    message: str, arguments: tuple[object, ...], event: str, fields: dict[str, object]
) -> None:
    line = as_json(message, *arguments)
    assert line.pop("event") == event
    assert line.pop("time").endswith("Z")
    assert line == {"level": "WARNING", "service": "gateway", "request_id": "-"} | fields


def test_a_traceback_stays_in_its_line_and_the_request_is_that_of_the_work() -> None:
    with work_for("monday"):
        try:
            raise ValueError("two\nlines")
        except ValueError as error:
            line = as_json("it failed", exc_info=(ValueError, error, error.__traceback__))
    assert line["request_id"] == "monday"
    assert "two\nlines" in line["traceback"]


@pytest.mark.parametrize(
    ("wanted", "kind"), [("json", JsonFormatter), ("text", TextFormatter), ("auto", JsonFormatter)]
)
def test_the_form_is_that_of_the_setting(wanted: str, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", wanted)
    assert type(formatter("gateway")) is kind


def test_on_a_terminal_lines_are_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOG_FORMAT", raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert type(formatter("gateway")) is TextFormatter


def test_a_form_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", "xml")
    with pytest.raises(SettingError, match="LOG_FORMAT='xml'"):
        formatter("gateway")


@pytest.mark.parametrize("form", [JsonFormatter, TextFormatter])
def test_a_line_that_was_spelled_is_as_any_other(form: type[TextFormatter]) -> None:
    fields = {"path": '/"a" b\n', "status": 200, "duration_ms": 0.5, "user": None}
    usual = logging.LogRecord("a.logger", logging.INFO, "file", 1, "request %s", (details(fields),), None)
    spelled = SpelledRecord("a.logger", "request", json.dumps(fields))
    for record in (usual, spelled):
        record.created, record.msecs = 1.5, 500.0
        RequestIdFilter().filter(record)
    assert form("gateway").format(spelled) == form("gateway").format(usual)


class Pipe(io.StringIO):
    """Keeps what was written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        self.pieces.append(text)
        return len(text)


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
def logger(pipe: Pipe) -> logging.Logger:
    logger = logging.Logger("by itself")  # noqa: LOG001 - others know nothing of it
    logger.addHandler(TurnHandler(pipe))
    return logger


async def test_the_lines_of_a_turn_are_written_together_when_it_is_over(logger: logging.Logger, pipe: Pipe) -> None:
    for _ in range(2):
        logger.info("one")
        logger.info("two")
        assert not pipe.pieces
        await asyncio.sleep(0)
        assert pipe.pieces == ["one\ntwo\n"]
        pipe.pieces.clear()


async def test_a_warning_is_written_at_once_after_the_lines_before_it(logger: logging.Logger, pipe: Pipe) -> None:
    logger.info("one")
    logger.warning("two")
    assert pipe.pieces == ["one\ntwo\n"]
    logger.info("three")
    await asyncio.sleep(0)
    assert pipe.pieces[1:] == ["three\n"]


def test_without_a_loop_a_line_is_written_at_once(logger: logging.Logger, pipe: Pipe) -> None:
    logger.info("one")
    assert pipe.pieces == ["one\n"]


async def test_many_lines_are_written_in_pieces_that_a_pipe_takes_whole(logger: logging.Logger, pipe: Pipe) -> None:
    lines = [f"{number} {'x' * 300}\n" for number in range(100)]
    for line in lines:
        logger.info(line[:-1])
    await asyncio.sleep(0)
    assert "".join(pipe.pieces) == "".join(lines)
    assert len(pipe.pieces) < 10
    assert all(len(piece) <= PIPE_BUF and piece.endswith("\n") for piece in pipe.pieces)


async def test_a_line_that_cannot_be_formed_costs_no_other(
    logger: logging.Logger, pipe: Pipe, capsys: pytest.CaptureFixture[str]
) -> None:
    logger.info("rows=%d", "many")
    logger.info("one")
    await asyncio.sleep(0)
    assert pipe.pieces == ["one\n"]
    assert "Logging error" in capsys.readouterr().err
