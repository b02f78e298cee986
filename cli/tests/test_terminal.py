"""What people see: in terminals, without colours, in logs, at Ctrl-C, and when they press tab."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted import Answer, Scripted, document, problem
from stack import ROOT
from terminal import Terminal

COMMAND = [sys.executable, "-m", "postcodes_cli"]
_STYLES = re.compile(r"\x1b\[[\d;]*m")


def upload(state: str, progress: float, read: int, answered: int, **more: Any) -> Answer:
    counts = dict.fromkeys(("no_match", "failed", "rejected"), 0)
    return document(
        {
            "id": "1",
            "state": state,
            "progress": progress,
            "rows": {"read": read, "matched": answered, "pending": read - answered, **counts},
            "rows_per_second": 1.0,  # since the beginning, with all that was waited for
            "eta_seconds": 3600.0,
            "waiting": None,
            "created_at": "2026-01-01T00:00:00Z",
            "finished_at": "2026-01-01T00:00:01Z",
            "warnings": [],
            "reasons": {},
            "error": None,
            **more,
        }
    )


BEGUN = (
    upload("received", 0.0, 0, 0),
    upload("received", 0.0, 0, 0),
    upload("loading", 0.2, 600_000, 500_000),
    upload("loading", 0.4, 1_100_000, 1_000_000),
    upload("geocoding", 0.7, 2_500_000, 1_750_000),
    upload("geocoding", 0.8, 2_500_000, 2_000_000),
    upload("geocoding", 0.99996, 2_500_000, 2_499_900),
)
ENDED = (upload("done", 1.0, 3, 3), Answer(200, b"a\n1\n2\n3\n", {"ETag": '"1"'}))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    package = str(ROOT / "cli")
    return {
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "HOME": str(tmp_path),
        "POSTCODES_HOME": str(tmp_path / "home"),
        "PYTHONPATH": package,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    (made / "points with a rather long name.csv").write_text("lat,lon\n1,1\n")
    return made


def shown(folder: Path, environment: dict[str, str], columns: int, *options: str) -> Terminal:
    """What a terminal of so many columns has seen when a file is done."""
    with Scripted(*BEGUN, *ENDED) as server:
        line = [*COMMAND, "geocode", "points with a rather long name.csv", "--server", server.url, *options]
        with Terminal(line, folder, environment, columns) as terminal:
            assert terminal.wait() == 0, terminal.text
    return terminal


@pytest.mark.parametrize("columns", [80, 200])
def test_progress_fits_into_the_terminal_and_agrees_with_itself(
    columns: int, folder: Path, environment: dict[str, str]
) -> None:
    terminal = shown(folder, environment, columns)
    lines = [line for line in re.split(r"[\r\n]+", terminal.text) if "Finding" in line]
    assert max(map(len, lines)) <= columns
    assert _STYLES.search(terminal.raw)
    percents = [int(found[1]) for line in lines if (found := re.search(r" (\d+) % ", line))]
    assert percents == sorted(percents)
    assert {20, 40, 70, 80, 99} <= {*percents}
    told = re.findall(r" (\d+) % .*?([\d.]+) ([kM]) of (?:about )?([\d.]+) M rows", "\n".join(lines))
    assert {total for *_, total in told} == {"2.5"}  # while it is read, too
    for percent, count, unit, total in told:
        share = float(count) * (1 if unit == "M" else 1e-3) / float(total)
        assert abs(share * 100 - int(percent)) < 3
    assert ("points with a rather long name.csv" in "".join(lines)) == (columns == 200)
    assert "1.0 rows/s" not in terminal.text
    assert "1:00:00 left" not in terminal.text


@pytest.mark.parametrize("how", ["NO_COLOR", "--no-color"])
def test_without_colours_nothing_is_bold_either(how: str, folder: Path, environment: dict[str, str]) -> None:
    environment |= {"NO_COLOR": "1"} if how == "NO_COLOR" else {}
    terminal = shown(folder, environment, 80, *(["--no-color"] if how != "NO_COLOR" else []))
    assert "Finding" in terminal.text
    assert _STYLES.findall(terminal.raw) == []
    options = ["--no-color"] if how != "NO_COLOR" else []
    with Scripted(document({"status": "ready"}), document({})) as server:
        for line in (["status", "--server", server.url], ["uploads", "show", "no-id"], ["status", "--server", "x"]):
            with Terminal([*COMMAND, *line, *options], folder, environment) as told:
                told.wait()
            assert _STYLES.findall(told.raw) == [], told.raw
    with Scripted(problem(500, "internal-error")) as server:
        with Terminal([*COMMAND, "status", "--server", server.url, *options], folder, environment) as told:
            assert told.wait() == 1
        assert ("A title" in told.text, _STYLES.findall(told.raw)) == (True, [])


def test_a_log_has_a_line_for_each_tenth_and_no_sequences(folder: Path, environment: dict[str, str]) -> None:
    with Scripted(*BEGUN, *ENDED) as server:
        line = [*COMMAND, "geocode", "points with a rather long name.csv", "--server", server.url]
        done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert not {"\x1b", "\r"} & {*done.stderr}
    told = [line for line in done.stderr.splitlines() if "Finding" in line]
    assert [int(re.findall(r"(\d+) %", line)[0]) for line in told] == [0, 20, 40, 70, 80, 99, 100]
    assert "500 k of about 2.5 M rows" in told[1]


def test_time_in_which_the_server_was_away_is_in_no_rate(folder: Path, environment: dict[str, str]) -> None:
    looks = [upload("geocoding", 0.1 + number / 100, 1_000, 100 + 10 * number) for number in range(16)]
    away = problem(503, "service-unavailable", retry_after=4)
    waiting = upload("geocoding", 0.2, 1_000, 250, waiting={"since": "", "reason": "upstream_busy", "detail": ""})
    answers = (*BEGUN[:1], *looks[:8], away, *looks[8:], *[waiting] * 8, *looks[-1:], *ENDED)
    with Scripted(*answers) as server:
        line = [*COMMAND, "geocode", "points with a rather long name.csv", "--server", server.url]
        with Terminal(line, folder, environment, 200) as terminal:
            assert terminal.wait() == 0, terminal.text
    rates = [int(rate) for rate in re.findall(r"(\d+) rows/s", terminal.text)]
    assert len({*re.findall(r"(\d+) of 1000 rows +\d:\d\d left", terminal.text)}) > 5
    assert min(rates) >= 12  # ten rows in half a second, on a machine that has other things to do
    assert "waiting: upstream busy" in terminal.text


def test_ctrl_c_is_quiet_while_the_command_is_still_being_loaded(folder: Path, environment: dict[str, str]) -> None:
    package = folder / "package"
    package.mkdir()
    (package / "click.py").write_text(
        f"import os, signal, sys\nos.kill({os.getpid()}, signal.SIGUSR1)\nsys.stdin.read()"
    )
    came: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: came.append(number))
    environment["PYTHONPATH"] += f"{os.pathsep}{package}"
    program = f"import sys; sys.path.insert(0, {str(package)!r}); from postcodes_cli.__main__ import run; run()"
    heard = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731 - tests may run without it
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heard,
    )
    try:
        while not came and process.poll() is None:
            signal.sigtimedwait([], 0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        signal.signal(signal.SIGUSR1, before)
        process.kill()
    assert (process.returncode, errors) == (-signal.SIGINT, b"")


@pytest.fixture
def shell(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment of a shell that has the command, and the completion that it prints."""
    programs = folder.parent / "bin"
    programs.mkdir()
    command = programs / "postcodes"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m postcodes_cli "$@"\n')
    command.chmod(0o755)
    (folder / "points.csv").write_text("")
    (folder / "points with a rather long name.csv").unlink()
    environment |= {"PATH": f"{programs}{os.pathsep}{environment['PATH']}", "XDG_CONFIG_HOME": str(folder.parent)}
    yield environment
    shutil.rmtree(programs)


#: How a shell is started without what its user has set, and how it takes the completion.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(postcodes completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -U compinit; compinit -u -D; eval "$(postcodes completion zsh)"'),
    "fish": (["fish", "--no-config", "--interactive"], "postcodes completion fish | source"),
}


@pytest.mark.parametrize("name", SHELLS)
def test_tab_completes_commands_options_and_files(name: str, folder: Path, shell: dict[str, str]) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    line, taken = SHELLS[name]
    with Terminal(line, folder, shell, 120) as terminal:
        terminal.type(f"{taken}; echo rea''dy\n")
        terminal.wait_for("ready\r\n")
        for typed, rest in (("uploads can", "cel"), ("geocode --str", "ict"), ("geocode poi", "nts.csv")):
            terminal.type(f"postcodes {typed}\t")
            terminal.wait_for(f"postcodes {typed}{rest}")
            terminal.type("\x15")  # the line is given up
        terminal.type("exit\n")
        terminal.wait()
    assert "Traceback" not in terminal.text


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_descriptions_are_whole_in_fish(folder: Path, shell: dict[str, str]) -> None:
    line = ["fish", "--no-config", "-c", "postcodes completion fish | source; complete -C 'postcodes upl'"]
    done = subprocess.run(line, cwd=folder, env=shell, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("uploads\tList, watch, download")
