"""Whatever dies, and whenever: the same line gives the same file; nothing that is there is sent or fetched again."""

import subprocess
from pathlib import Path

import pytest
from conftest import Command, write_points
from proxy import Proxy
from stack import Stack, wait_for

from postcodes_cli import Client

ROWS = 12_000


@pytest.fixture
def through(command: Command, proxy: Proxy) -> Command:
    command.server = proxy.url
    write_points(command.folder / "points.csv", ROWS)
    return command


def reached(stage: str, proxy: Proxy, process: "subprocess.Popen[bytes]") -> None:
    """Waits until the command has come so far."""

    def look() -> bool:
        assert process.poll() is None, "it is done already"
        if stage == "sending":
            return proxy.to_server.held.is_set()
        if stage == "downloading":
            return proxy.to_client.held.is_set()
        return any(request.startswith("GET /api/v1/uploads/") and "?" not in request for request in proxy.requests)

    wait_for(look, stage)
    assert stage != "sending" or proxy.to_server.bytes > ROWS * 40


def arrange(stage: str, proxy: Proxy) -> None:
    size = ROWS * 90
    if stage == "sending":
        proxy.to_server.hold(after=size // 2)
    elif stage == "downloading":
        proxy.to_client.hold(after=size)


@pytest.mark.parametrize("stage", ["sending", "watching", "downloading"])
def test_the_command_is_killed(stage: str, through: Command, proxy: Proxy, client: Client, stack: Stack) -> None:
    arrange(stage, proxy)
    process = through.start("geocode", "points.csv", "-q")
    reached(stage, proxy, process)
    process.kill()
    process.communicate()
    out = through.folder / "points.postcodes.csv"
    assert not out.exists()
    proxy.to_server.go_on()
    proxy.to_client.go_on()
    # While the server has not noticed, the file is still arriving, and whoever sends it again is asked to come later.
    arriving = Path(stack.environment["DATA_DIR"]) / "uploads"
    wait_for(lambda: not list(arriving.rglob("*.part")), "the server has let go of what it got")
    proxy.count_anew()
    part = out.with_name(f"{out.name}.part")
    had = part.stat().st_size if part.exists() else 0

    done = through("geocode", "points.csv")

    assert done.returncode == 0, done.stderr
    upload = next(one for one in client.uploads() if one["filename"] == "points.csv")
    assert out.read_bytes() == b"".join(client.result(upload["id"]))
    assert proxy.sent_files() == (1 if stage == "sending" else 0)
    if stage == "downloading":
        assert had > out.stat().st_size // 3
        assert proxy.to_client.bytes < out.stat().st_size - had + 50_000
    assert sorted(path.name for path in through.folder.iterdir()) == ["points.csv", "points.postcodes.csv"]


def test_it_is_killed_when_the_file_was_accepted_and_nobody_has_told_it(
    through: Command, proxy: Proxy, client: Client
) -> None:
    write_points(through.folder / "points.csv", 0)  # small: its answer is the first
    proxy.to_client.hold(after=0)
    process = through.start("geocode", "points.csv", "-q")
    wait_for(proxy.to_client.held.is_set, "accepted")
    process.kill()
    process.communicate()
    proxy.to_client.go_on()

    done = through("geocode", "points.csv")

    assert done.returncode == 0, done.stderr
    size = (through.folder / "points.csv").stat().st_size
    sha256 = next(client.uploads())["sha256"]
    assert [one["size"] for one in client.uploads() if one["sha256"] == sha256] == [size]


def test_it_is_killed_when_the_result_has_its_name(through: Command, proxy: Proxy) -> None:
    assert through("geocode", "points.csv").returncode == 0
    out = through.folder / "points.postcodes.csv"
    before = out.stat()
    proxy.count_anew()
    assert through("geocode", "points.csv").returncode == 0
    assert out.stat() == before
    assert proxy.sent_files() == 0
    assert not any("/result." in request for request in proxy.requests)


@pytest.mark.parametrize("stage", ["sending", "watching", "downloading"])
def test_the_network_is_cut(stage: str, through: Command, proxy: Proxy, client: Client) -> None:
    if stage == "sending":
        proxy.to_server.cut_after = ROWS * 50
    elif stage == "downloading":
        proxy.to_client.cut_after = ROWS * 70
    process = through.start("geocode", "points.csv")
    if stage == "watching":
        reached(stage, proxy, process)
        proxy.cut()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    out = through.folder / "points.postcodes.csv"
    upload = next(one for one in client.uploads() if one["filename"] == "points.csv")
    assert out.read_bytes() == b"".join(client.result(upload["id"]))
    assert proxy.sent_files() == (2 if stage == "sending" else 1)
    assert proxy.to_client.bytes < out.stat().st_size * 1.1 + 100_000


@pytest.mark.parametrize("victim", ["-m gateway", "reader_config.wsgi"])
@pytest.mark.parametrize("stage", ["sending", "watching", "downloading"])
def test_the_server_is_killed(
    stage: str, victim: str, through: Command, proxy: Proxy, client: Client, stack: Stack
) -> None:
    arrange(stage, proxy)
    process = through.start("geocode", "points.csv", "--timeout", "60")
    reached(stage, proxy, process)
    for one in stack.processes(victim):
        one.kill()
    proxy.to_server.go_on()
    proxy.to_client.go_on()
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 0, errors
    out = through.folder / "points.postcodes.csv"
    upload = next(one for one in client.uploads() if one["filename"] == "points.csv")
    assert out.read_bytes() == b"".join(client.result(upload["id"]))
    assert sum(one["sha256"] == upload["sha256"] for one in client.uploads()) == 1


def test_other_options_are_another_upload(through: Command, proxy: Proxy, tmp_path: Path) -> None:
    first, second, third = (
        through("geocode", "points.csv", "--detach", *more).stdout
        for more in ((), ("--max-distance", "100"), ("--max-distance", "100"))
    )
    assert first != second == third
    assert proxy.sent_files() == 2
