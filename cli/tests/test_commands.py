"""The commands beside geocode."""

import csv
import json
import stat
from pathlib import Path

import pytest
from conftest import Command
from scripted import Scripted, document

from postcodes_cli import Client


def test_one_location_and_many_are_looked_up_also_with_negative_numbers(command: Command) -> None:
    for line in (("51.501009", "-0.141588"), ("51.501009,-0.141588",)):
        done = command("lookup", *line)
        assert (done.returncode, done.stdout) == (0, "SW1A 1AA\n"), done.stderr
    many = command("lookup", "-", stdin=b"51.501009,-0.141588\n0 0\n")
    assert [line.split(",")[3] for line in many.stdout.splitlines()] == ["postcode", "SW1A 1AA", ""]
    in_json = command("lookup", "51.501009", "-0.141588", "--json", "--max-distance", "50")
    assert json.loads(in_json.stdout)["postcode"] == "SW1A 1AA"


@pytest.mark.parametrize("line", [(), ("1",), ("north", "1"), ("95", "1"), ("1", "1", "--max-distanse", "5")])
def test_a_location_that_is_none_is_wrong_usage(command: Command, line: tuple[str, ...]) -> None:
    assert command("lookup", *line).returncode == 2


def test_a_postcode_is_shown_and_one_that_nobody_knows_is_an_error(command: Command) -> None:
    assert "Westminster" in command("postcode", "sw1a", "1aa").stdout
    unknown = command("postcode", "ZZ99 9ZZ")
    assert (unknown.returncode, unknown.stdout) == (1, "")


def test_a_preview_shows_what_would_be_read(command: Command, points: Path) -> None:
    done = command("preview", "points.csv")
    assert done.returncode == 0, done.stderr
    assert "Buckingham Palace, London" in done.stdout
    assert "utf-8" in done.stdout
    assert "\x1b" not in done.stdout
    assert json.loads(command("preview", "points.csv", "--json").stdout)["columns"][0] == "site"


def test_an_upload_is_listed_watched_downloaded_and_deleted(command: Command, points: Path, client: Client) -> None:
    upload_id = command("geocode", "points.csv", "--detach").stdout.strip()
    assert command("uploads", "watch", upload_id).returncode == 0
    assert upload_id in command("uploads", "list").stdout
    assert json.loads(command("uploads", "show", upload_id, "--json").stdout)["rows"]["read"] == 82
    assert command("uploads", "download", upload_id, "-o", "out.csv").returncode == 0
    assert (command.folder / "out.csv").read_bytes() == b"".join(client.result(upload_id))
    assert command("uploads", "download", upload_id, "-o", "out.csv").returncode == 2
    assert command("uploads", "pause", upload_id).returncode == 1  # it has ended
    rejected = command("rows", "--upload", upload_id, "--status", "rejected")
    assert len(rejected.stdout.splitlines()) == 3
    assert command("uploads", "delete", upload_id, "--yes").returncode == 0
    assert command("uploads", "show", upload_id).returncode == 1


def test_what_is_refused_prints_no_header_and_a_wrong_id_is_told(command: Command) -> None:
    for line, code, said in (
        (("rows", "--status", "bogus"), 2, "match, no_match"),
        (("lookup", "-"), 2, "latitude"),
        (("rows", "--upload", "abc"), 2, "abc is not the ID of an upload"),
        (("uploads", "cancel", "abc"), 2, "abc is not the ID of an upload"),
        (("uploads", "cancel", "00000000-0000-4000-8000-000000000000"), 1, "no upload"),
    ):
        done = command(*line, stdin=b"95,0\n")
        assert (done.returncode, done.stdout, said in done.stderr) == (code, "", True), done


def test_a_rejected_row_shows_what_stands_in_the_file(command: Command, client: Client) -> None:
    (command.folder / "points.csv").write_text('name,lat,lon\nfine,51.5,-0.1\n"Typing, error",95.1,-3.2\n')
    upload_id = command("geocode", "points.csv", "--detach").stdout.strip()
    client.wait(upload_id)
    (row,) = csv.DictReader(command("rows", "--upload", upload_id, "--status", "rejected").stdout.splitlines())
    assert (row["line"], row["raw"], row["reason"]) == ("3", '"Typing, error",95.1,-3.2', "latitude_out_of_range")


def test_status_is_told_in_words(command: Command) -> None:
    shown = dict(line.split(maxsplit=1) for line in command("status").stdout.splitlines()[2:])
    assert (shown["ready"].strip(), shown["key"].strip()) == ("yes", "yes")
    halted = {"status": "not ready", "missing": {"file_reader": "no answer in time"}}
    with Scripted(document(halted)) as server:
        done = command("status", "--server", server.url)
    assert done.returncode == 5
    assert "file_reader: no answer in time" in done.stdout
    assert not any(word in done.stdout for word in ("True", "False", "None", "{"))


def test_rows_are_found_around_a_point_with_negative_numbers(command: Command, client: Client) -> None:
    (command.folder / "points.csv").write_text("lat,lon\n-51.694,-57.862\n51.501009,-0.141588\n")
    upload_id = command("geocode", "points.csv", "--detach").stdout.strip()
    client.wait(upload_id)
    for near in (["--near", "-51.694,-57.862", "--radius", "50"], ["--bbox", "-58,-52,-57,-51"]):
        done = command("rows", "--upload", upload_id, *near)
        assert done.returncode == 0, done.stderr
        assert [line.split(",")[1:4] for line in done.stdout.splitlines()[1:]] == [["1", "-51.694", "-57.862"]]
    west = command("rows", "--upload", upload_id, "--near=51.501,-0.1416", "--radius", "50")
    assert [line.split(",")[6] for line in west.stdout.splitlines()] == ["postcode", "SW1A 1AA"]


def test_a_key_is_kept_for_its_owner_alone_and_forgotten(command: Command, key: str) -> None:
    command.key = ""
    assert command("status").returncode == 4
    assert command("login", stdin=b"no-such-key\n").returncode == 4
    assert command("login", stdin=f"{key}\n".encode()).returncode == 0
    assert stat.S_IMODE((command.home / "login.json").stat().st_mode) == 0o600
    assert command("status", "--json").returncode == 0
    command.server = ""  # the server of the last login is the usual one
    assert command("status").returncode == 0
    assert command("logout").returncode == 0
    assert key not in (command.home / "login.json").read_text()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_completion(command: Command, shell: str) -> None:
    assert "_POSTCODES_COMPLETE" in command("completion", shell).stdout
    command.environment = {"_POSTCODES_COMPLETE": "bash_complete", "COMP_WORDS": "postcodes up", "COMP_CWORD": "1"}
    assert "uploads" in command().stdout


def test_every_command_has_help_with_examples() -> None:
    from click import Context, Group

    from postcodes_cli.main import cli

    def commands(group: Group, path: str) -> list[str]:
        without = []
        for name, one in group.commands.items():
            text = one.get_help(Context(one, info_name=name))
            if "Examples:" not in text or f"postcodes {path}{name}".strip() not in text:
                without.append(f"{path}{name}")
            if isinstance(one, Group):
                without += commands(one, f"{name} ")
        return without

    assert commands(cli, "") == []
