"""The provider `local`: its index missing, damaged, of another version, replaced in use; Northern Ireland."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.calls import PATH, assert_problem
from tests.fake_postcodes_io import PALACE
from tests.index_files import plain

from lookups.answers import Answer, Location
from lookups.country import NORTH, SOUTH
from lookups.deadline import Deadline
from lookups.errors import ProviderUnavailableError
from lookups.index import file as index_file
from lookups.index.build import build
from lookups.index.candidates import REACH
from lookups.providers import local
from lookups.providers.local import Local

LARNE = (54.8578, -5.8236)
CAMPBELTOWN = (55.4250, -5.6050)
PORTPATRICK = (54.8420, -5.1170)
SCOTTISH = [("DG9 8AA", *PORTPATRICK), ("PA28 6AA", *CAMPBELTOWN), ("G1 1AA", 55.8609, -4.2514)]


def ask(provider: Local, *places: tuple[float, float], max_distance: float = 20_000) -> list[Answer]:
    return provider.reverse_geocode([Location(*place) for place in places], max_distance, Deadline(5))


def make(folder: Path, places: list[tuple[str, float, float]]) -> Path:
    folder.mkdir(exist_ok=True)
    build(plain(folder / "places.csv", places), folder)
    return folder / index_file.NAME


def why_not(folder: Path) -> str:
    with pytest.raises(ProviderUnavailableError) as refused:
        ask(Local(folder), PALACE)
    return refused.value.detail


# --- An index that cannot be used ------------------------------------------------------------------------------------
def test_a_missing_index_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    # Every caller sees it: not where the folder is.
    assert "There is no index of postcodes in LOCAL_INDEX. Build it with `make index FILE=…`" in why_not(tmp_path)


def test_a_missing_index_is_logged_once_and_not_at_every_lookup(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    provider = Local(tmp_path)
    assert [provider.missing() is None for _ in range(3)] == [False] * 3
    assert len(caplog.records) == 1
    assert f"in {tmp_path}." in caplog.text


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:10],
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: content[:-100] + bytes([content[-100] ^ 1]) + content[-99:],
        lambda content: content[:30] + b"?" + content[31:],
        lambda content: b"postcode,latitude,longitude\n",
    ],
    ids=["empty", "header torn", "cut off", "longer", "a bit in the arrays", "a byte in the header", "something else"],
)
def test_a_damaged_index_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = make(tmp_path, SCOTTISH)
    path.write_bytes(damage(path.read_bytes()))
    assert f"The index LOCAL_INDEX/{path.name} is damaged. Build it with" in why_not(tmp_path)


@pytest.mark.parametrize("version", [1, 3])
def test_an_index_of_another_version_is_refused_with_the_command_that_makes_it_anew(
    tmp_path: Path, version: int
) -> None:
    path = make(tmp_path, SCOTTISH)
    content = bytearray(path.read_bytes())
    content[8] = version
    path.write_bytes(content)
    told = f"has version {version} of the format, and version 2 is read here. Build it with `make index FILE=…`"
    assert told in why_not(tmp_path)


def test_an_index_that_must_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / index_file.NAME).mkdir()
    assert "cannot be read: Is a directory" in why_not(tmp_path)


# --- An index that is replaced ---------------------------------------------------------------------------------------
def test_an_index_that_is_built_later_is_taken_up_without_a_restart(tmp_path: Path) -> None:
    provider = Local(tmp_path)
    assert "no index" in str(provider.missing())
    make(tmp_path, SCOTTISH)
    assert provider.missing() is None
    assert ask(provider, CAMPBELTOWN)[0].postcode == "PA28 6AA"


def test_a_new_index_replaces_the_old_one_in_a_running_process(tmp_path: Path) -> None:
    make(tmp_path, SCOTTISH)
    provider = Local(tmp_path)
    make(tmp_path, [("ZZ1 1ZZ", *CAMPBELTOWN)])
    assert ask(provider, CAMPBELTOWN)[0].postcode == "ZZ1 1ZZ"


@pytest.mark.parametrize("fault", ["damaged", "gone"])
def test_the_old_index_answers_while_the_new_one_cannot_be_used(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = make(tmp_path, SCOTTISH)
    provider = Local(tmp_path)
    path.unlink()
    if fault == "damaged":
        path.write_bytes(b"nonsense")
    with caplog.at_level(logging.ERROR):
        answers = [ask(provider, CAMPBELTOWN)[0].postcode for _ in range(3)]
    assert answers == ["PA28 6AA"] * 3
    assert provider.missing() is None
    # Said once, not at every lookup.
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert ("damaged" if fault == "damaged" else "There is no index") in record.message


def test_the_old_index_answers_while_another_thread_loads_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, SCOTTISH)
    provider = Local(tmp_path)
    make(tmp_path, [("ZZ1 1ZZ", *CAMPBELTOWN)])
    load, begun, may_end = index_file.load, threading.Event(), threading.Event()

    def slow(folder: Path) -> index_file.Places:
        begun.set()
        assert may_end.wait(10)
        return load(folder)

    monkeypatch.setattr(index_file, "load", slow)
    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(ask, provider, CAMPBELTOWN)
        assert begun.wait(10)
        assert ask(provider, CAMPBELTOWN)[0].postcode == "PA28 6AA"
        may_end.set()
        assert other.result(10)[0].postcode == "ZZ1 1ZZ"


def test_an_index_is_loaded_once_however_many_threads_wait_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    provider = Local(tmp_path)
    make(tmp_path, SCOTTISH)
    load, all_ask = index_file.load, threading.Barrier(8)

    def slow(folder: Path) -> index_file.Places:
        time.sleep(0.2)
        return load(folder)

    def ask_with_the_others(_: int) -> str | None:
        all_ask.wait(10)
        return ask(provider, CAMPBELTOWN)[0].postcode

    monkeypatch.setattr(index_file, "load", slow)
    with caplog.at_level(logging.INFO), ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask_with_the_others, range(8))) == {"PA28 6AA"}
    assert sum("index loaded" in record.message for record in caplog.records) == 1


def test_lookups_go_on_while_the_index_is_replaced_again_and_again(tmp_path: Path) -> None:
    """Every answer is of one whole index: all its postcodes are of one generation."""
    places = [(52 + n / 1_000, -1.5) for n in range(200)]
    generations = [
        [(f"AA{g} {n % 10}{chr(65 + n // 26)}{chr(65 + n % 26)}", *p) for n, p in enumerate(places)] for g in range(5)
    ]
    make(tmp_path, generations[0])
    provider = Local(tmp_path)
    stop, seen, mixed = threading.Event(), set(), []

    def look_up() -> None:
        while not stop.is_set():
            outcodes = {answer.postcode.split()[0] for answer in ask(provider, *places) if answer.postcode}
            seen.update(outcodes)
            if len(outcodes) != 1:
                mixed.append(outcodes)

    threads = [threading.Thread(target=look_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    for generation in generations[1:]:
        make(tmp_path, generation)
        ask(provider, places[0])
    stop.set()
    for thread in threads:
        thread.join()
    assert mixed == []
    assert "AA4" in {answer.postcode.split()[0] for answer in ask(provider, *places) if answer.postcode}


# --- Northern Ireland ------------------------------------------------------------------------------------------------
def test_without_northern_ireland_nobody_there_gets_a_scottish_postcode(tmp_path: Path) -> None:
    make(tmp_path, [*SCOTTISH, ("KA1 1AA", 54.8578, -5.60)])
    provider = Local(tmp_path)
    in_larne, between = ask(provider, LARNE, (54.8578, -5.62))
    assert (in_larne.status, in_larne.reason) == ("no_match", "not_covered")
    assert (between.status, between.reason) == ("no_match", "not_covered")


def test_without_northern_ireland_the_scottish_coast_keeps_its_postcodes(tmp_path: Path) -> None:
    make(tmp_path, SCOTTISH)
    answers = ask(Local(tmp_path), CAMPBELTOWN, PORTPATRICK, (54.85, -5.0), (55.31, -5.65))
    assert [answer.postcode for answer in answers] == ["PA28 6AA", "DG9 8AA", "DG9 8AA", "PA28 6AA"]


def test_what_is_too_far_east_to_measure_to_northern_ireland_is_out_of_reach_of_it() -> None:
    latitudes = np.linspace(SOUTH, NORTH, 1_000)
    assert (local._metres_to_northern_ireland(latitudes, np.full(1_000, local._OUT_OF_REACH)) > REACH).all()


def test_with_northern_ireland_it_is_answered(tmp_path: Path) -> None:
    make(tmp_path, [*SCOTTISH, ("BT40 1AA", *LARNE)])
    answers = ask(Local(tmp_path), LARNE, (54.8578, -5.62))
    assert [answer.postcode for answer in answers] == ["BT40 1AA", "BT40 1AA"]


# --- In the service --------------------------------------------------------------------------------------------------
def test_a_lookup_without_an_index_is_an_outage_and_no_answer(
    call: Callable[..., Any], service_provider: Callable[..., None], tmp_path: Path
) -> None:
    service_provider(PROVIDER="local", LOCAL_INDEX=tmp_path)
    response = call("POST", PATH, {"locations": [{"latitude": PALACE[0], "longitude": PALACE[1]}]})
    problem = assert_problem(response, "upstream-unavailable", 503)
    assert "Build it with" in problem["detail"]
