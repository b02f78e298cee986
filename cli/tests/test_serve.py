"""The service on this machine: out of the wheel, for one command or until it is told to end."""

import csv
import json
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from conftest import Command, write_points
from country import POSTCODES
from postcodes_io import RunningPostcodesIo, running_postcodes_io
from stack import ROOT, free_port, wait_for

pytestmark = pytest.mark.timeout(400)
SERVICES = ("service_kit/service_kit", "gateway", "file_reader", "postcode_consumer", "contracts")
_KINDS = {".py", ".html", ".css", ".js", ".svg", ".json", ".csv", ".mo", ".txt"}


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Iterator[Command]:
    """The command as the wheel has it, without a server, a key or the repository. Nothing that it starts may stay."""
    package = tmp_path / "site-packages"
    zipfile.ZipFile(wheel).extractall(package)
    (tmp_path / "work").mkdir()
    environment = {"XDG_DATA_HOME": str(tmp_path / "data"), "DATA_DIR": "", "PROVIDER": "sandbox"}
    yield Command("", "", tmp_path / "home", tmp_path / "work", environment, package)
    _, alive = psutil.wait_procs(services_in(package), timeout=60)
    assert alive == []


def services_in(folder: Path) -> list[psutil.Process]:
    """The processes that work there."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_the_wheel_has_all_of_the_services_and_the_versions_that_the_tests_run_with(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = set(archive.namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for part in SERVICES
        for path in (ROOT / part).rglob("*")
        if path.suffix in _KINDS and "tests" not in path.parts and not path.match("requirements.*")
    }
    assert len(wanted) > 300
    assert {f"postcodes_cli/server/{name}" for name in wanted} - names == set()
    assert not any("/tests/" in name or name.endswith(".sqlite3") for name in names)
    (metadata,) = (archive.read(name).decode() for name in names if name.endswith("/METADATA"))
    extra = set(re.findall(r"^Requires-Dist: (\S+==[\w.]+).*extra == \"serve\"", metadata, re.MULTILINE))
    assert extra == set(re.findall(r"^(\S+==[\w.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))


def test_an_index_and_one_line_make_a_file_with_postcodes(installed: Command, tmp_path: Path) -> None:
    (installed.folder / "open.csv").write_text("postcode,latitude,longitude\nZZ1 1ZZ,51.501009,-0.141588\n")
    (installed.folder / "points.csv").write_text("name,lat,lon\npalace,51.501009,-0.141588\n")
    installed.environment["PROVIDER"] = ""
    made = installed("index", "open.csv")
    assert made.returncode == 0, made.stderr
    done = installed("geocode", "points.csv", "--serve")
    assert done.returncode == 0, done.stderr
    (row,) = csv.DictReader((installed.folder / "points.postcodes.csv").read_text().splitlines())
    assert row["result_postcode"] == "ZZ1 1ZZ"  # which no other provider knows
    assert {path.name for path in tmp_path.iterdir()} == {"data", "home", "site-packages", "work"}
    assert (tmp_path / "data" / "postcodes" / "server" / "index").is_dir()
    assert {path.name for path in installed.folder.iterdir()} == {"open.csv", "points.csv", "points.postcodes.csv"}
    again = installed("geocode", "points.csv", "--serve")
    assert (again.returncode, "it was there already" in again.stderr) == (0, True), again.stderr
    looked = installed("preview", "points.csv", "--serve")
    assert (looked.returncode, "palace" in looked.stdout) == (0, True), looked.stderr


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_whatever_ends_the_command_ends_its_server_and_the_same_line_goes_on(
    end: signal.Signals, installed: Command
) -> None:
    points = write_points(installed.folder / "points.csv", 60_000)
    heard = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731 - tests may run without it
    process = installed.start("geocode", "points.csv", "--serve", preexec_fn=heard)
    wait_for(lambda: list((installed.home / "uploads").glob("*.json")), "the file is there", seconds=120)
    services = services_in(installed.package)
    assert len(services) >= 6
    process.send_signal(end)
    _, errors = process.communicate(timeout=90)
    if end == signal.SIGINT:
        assert (process.returncode, b"The same line again" in errors) == (130, True), errors
    _, alive = psutil.wait_procs(services, timeout=60)
    assert alive == []
    if end == signal.SIGKILL:
        done = installed("geocode", "points.csv", "--serve")
        assert (done.returncode, "found where it was" in done.stderr) == (0, True), done.stderr
        result = installed.folder / "points.postcodes.csv"
        sent, answered = (
            [row["site"] for row in csv.DictReader(path.read_text().splitlines())] for path in (points, result)
        )
        assert answered == sent


def test_commands_on_one_folder_have_their_servers_one_after_the_other(installed: Command) -> None:
    names = [write_points(installed.folder / f"p{number}.csv", number).name for number in range(2)]
    commands = [installed.start("geocode", name, "--serve") for name in names]
    errors = [command.communicate(timeout=200)[1].decode() for command in commands]
    assert [command.returncode for command in commands] == [0, 0], errors
    assert sum("Waiting until it has ended" in said for said in errors) == 1, errors
    assert len(list(installed.folder.glob("*.postcodes.csv"))) == 2


def test_what_keeps_the_server_from_starting_is_told(installed: Command) -> None:
    write_points(installed.folder / "points.csv", 0)
    installed.environment["PROVIDER"] = "klingon"
    done = installed("geocode", "points.csv", "--serve")
    assert (done.returncode, "PROVIDER='klingon' is not known" in done.stderr) == (1, True), done.stderr
    installed.environment["PROVIDER"] = "local"
    without = installed("geocode", "points.csv", "--serve")
    assert (without.returncode, "postcodes index FILE" in without.stderr) == (2, True), without.stderr
    for other in (("--detach",), ("--server", "http://127.0.0.1:1")):
        assert installed("geocode", "points.csv", "--serve", *other).returncode == 2


def test_without_the_extra_it_says_what_to_install(installed: Command) -> None:
    program = "import sys; sys.modules['django'] = None; from postcodes_cli.__main__ import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program, "serve"],
        env={"PYTHONPATH": str(installed.package)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "postcodes-cli[serve]" in done.stderr) == (2, True), done.stderr


@pytest.fixture
def upstream() -> Iterator[RunningPostcodesIo]:
    with running_postcodes_io(POSTCODES, answer_fields="small") as running:
        yield running


def test_serve_runs_until_ctrl_c_and_rows_that_failed_can_be_tried_again(
    installed: Command, upstream: RunningPostcodesIo
) -> None:
    location = next(iter(POSTCODES))
    poison = (location.latitude, location.longitude)
    port = str(free_port())  # the other services find free ones themselves
    installed.environment |= {"GATEWAY_PORT": port} | {"PROVIDER": "postcodes_io", "POSTCODES_IO_URL": upstream.url}
    installed.environment |= {"GATEWAY_METRICS_PORT": "0", "WORKER_METRICS_PORT": "0"}
    (installed.folder / "points.csv").write_text("lat,lon\n{},{}\n".format(*poison))
    heard = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731 - tests may run without it
    server = installed.start("serve", preexec_fn=heard)
    installed.server = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        assert server.poll() is None
        try:
            return requests.get(f"{installed.server}/readyz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    wait_for(is_ready, "it is ready", seconds=120)
    used = installed("preview", "points.csv", "--serve")
    assert (used.returncode, f"{installed.server} has" in used.stderr) == (0, True), used.stderr
    second = installed("serve")
    assert (second.returncode, f"the server at {installed.server}" in second.stderr) == (1, True), second.stderr
    installed.environment["PROVIDER"] = "sandbox"
    other = installed("preview", "points.csv", "--serve")
    assert (other.returncode, "asks postcodes_io, not sandbox" in other.stderr) == (2, True), other.stderr
    installed.environment["PROVIDER"] = "postcodes_io"
    upstream.fail(poison=[poison])
    failed = installed("geocode", "points.csv")
    assert (failed.returncode, "uploads retry" in failed.stderr) == (3, True), failed.stderr
    upstream.recover()
    upload_id = json.loads(installed("geocode", "points.csv", "--json").stdout)["files"][0]["upload"]["id"]
    assert installed("uploads", "retry", upload_id).returncode == 0
    assert installed("geocode", "points.csv").returncode == 0
    server.send_signal(signal.SIGINT)
    server.communicate(timeout=90)
    assert server.returncode == 0
