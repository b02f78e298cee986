"""`postcodes geocode` as it is typed: what is written where, what is said, and every exit code."""

import csv
import hashlib
import json
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from conftest import Command, write_points
from proxy import Proxy
from scripted import Answer, Scripted, document
from stack import wait_for

from postcodes_cli import Client


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_a_result_is_written_beside_the_file_and_told_of(command: Command, points: Path) -> None:
    done = command("geocode", "points.csv")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert rows_of(command.folder / "points.postcodes.csv")[0]["result_postcode"] == "SW1A 1AA"
    assert "82 rows in" in done.stderr
    assert "78 match" in done.stderr
    assert "1 outside uk" in done.stderr
    assert "Written to points.postcodes.csv" in done.stderr
    assert "--status rejected" in done.stderr
    assert "\r" not in done.stderr
    assert "\x1b" not in done.stderr
    assert sorted(path.name for path in command.folder.iterdir()) == ["points.csv", "points.postcodes.csv"]


def test_the_same_line_again_sends_and_writes_nothing(command: Command, points: Path) -> None:
    command("geocode", "points.csv")
    written = (command.folder / "points.postcodes.csv").stat()
    again = command("geocode", "points.csv")
    assert again.returncode == 0, again.stderr
    assert "it was there already" in again.stderr
    assert (command.folder / "points.postcodes.csv").stat() == written


def test_standard_input_becomes_standard_output(command: Command, points: Path) -> None:
    done = command("geocode", "-", "-o", "-", stdin=points.read_bytes())
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("LM-001")
    assert "82 rows" in done.stderr
    implied = command("geocode", "-", "--columns", "name,result_postcode", stdin=points.read_bytes())
    assert implied.stdout.splitlines()[3] == "Tower of London,EC3N 4AB"


@pytest.mark.parametrize(
    ("form", "begins"), [("geojson", b"{"), ("ndjson", b"{"), ("xlsx", b"PK"), ("parquet", b"PAR1")]
)
def test_every_format_is_told_by_an_option_or_by_the_name(
    command: Command, points: Path, form: str, begins: bytes
) -> None:
    assert command("geocode", "points.csv", "--format", form).returncode == 0
    assert command("geocode", "points.csv", "-o", f"out.{form}").returncode == 0
    by_option, by_name = (command.folder / name for name in (f"points.postcodes.{form}", f"out.{form}"))
    assert by_option.read_bytes() == by_name.read_bytes()
    assert by_name.read_bytes().startswith(begins)


def test_many_files_have_one_summary_and_results_are_left_out(command: Command) -> None:
    for number in range(6):
        write_points(command.folder / f"p{number}.csv", number)
    (command.folder / "bad.csv").write_text("a,b\n1,2\n")
    done = command("geocode", "*.csv")
    assert done.returncode == 6
    assert "7 files: 507 rows" in done.stderr
    assert "1 of the files need" in done.stderr
    again = command("geocode", *sorted(path.name for path in command.folder.glob("p*.csv")), "-q")
    assert (again.returncode, again.stderr) == (0, "")
    assert len(list(command.folder.glob("*.postcodes.csv"))) == 6


def test_a_file_is_packed_on_its_way_and_is_the_same_file_there(command: Command, proxy: Proxy, client: Client) -> None:
    path = write_points(command.folder / "points.csv", 5_000)
    command.server = proxy.url
    packed = command("geocode", "points.csv", "--compress", "--json")
    assert packed.returncode == 0, packed.stderr
    assert proxy.to_server.bytes < path.stat().st_size / 3
    upload = json.loads(packed.stdout)["files"][0]["upload"]
    assert upload["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    command.home = command.folder / "another"  # what was sent is not remembered: it is sent again, as it is
    again = command("geocode", "points.csv", "--json", "--force")
    assert json.loads(again.stdout)["files"][0]["upload"]["id"] == upload["id"]
    assert proxy.sent_files() == 2


def test_results_go_to_a_folder_which_is_made(command: Command, points: Path) -> None:
    write_points(command.folder / "more.csv", 1)
    assert command("geocode", "points.csv", "-o", "of/one/").returncode == 0
    assert (command.folder / "of" / "one" / "points.postcodes.csv").exists()
    assert command("geocode", "points.csv", "more.csv", "-o", "of/two").returncode == 0
    assert len(list((command.folder / "of" / "two").iterdir())) == 2
    refused = command("geocode", "points.csv", "more.csv", "-o", "more.csv")
    assert (refused.returncode, "is a file" in refused.stderr) == (2, True), refused.stderr


@pytest.mark.parametrize("columns", ["nam", "name,name", "name_3", "column_9", '"name'])
def test_a_column_that_there_is_not_is_told_before_anything_is_sent(
    columns: str, command: Command, proxy: Proxy, client: Client
) -> None:
    (command.folder / "points.csv").write_text("name,name,,lat,lon\na,b,c,51.501009,-0.141588\n")
    command.server = proxy.url
    for line in (("points.csv",), ("points.csv", "-o", "-")):
        done = command("geocode", *line, "--columns", columns)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert proxy.sent_files() == 0
    assert [path.name for path in command.folder.iterdir()] == ["points.csv"]


def test_columns_are_called_as_in_the_result(command: Command) -> None:
    (command.folder / "points.csv").write_text("name,name,,lat,lon\na,b,c,51.501009,-0.141588\n")
    (command.folder / "bare.csv").write_text("a,51.501009,-0.141588\nb,51.501009,-0.141588\n")
    named = command("geocode", "points.csv", "--columns", "name_2,column_3,result_postcode", "-o", "-")
    assert named.stdout.splitlines() == ["name_2,column_3,result_postcode", "b,c,SW1A 1AA"], named.stderr
    bare = command("geocode", "-", "--columns", "column_1", stdin=(command.folder / "bare.csv").read_bytes())
    assert bare.stdout.split() == ["a", "b"], bare.stderr
    upload_id = command("geocode", "points.csv", "--detach").stdout.strip()
    refused = command("uploads", "download", upload_id, "--columns", "nam")
    assert (refused.returncode, list(command.folder.glob("*.part"))) == (2, [])


def test_json_is_one_document(command: Command, points: Path) -> None:
    (command.folder / "bad.csv").write_text("a,b\n1,2\n")
    done = command("geocode", "points.csv", "bad.csv", "--json", "-q")
    said = json.loads(done.stdout)["files"]
    assert [one["exit_code"] for one in said] == [0, 6]
    assert said[0]["upload"]["rows"]["matched"] == 78
    assert said[1]["error"]["columns_seen"] == ["a", "b"]


def test_detached_it_prints_the_id_and_the_same_line_takes_the_result(command: Command, points: Path) -> None:
    sent = command("geocode", "points.csv", "--detach")
    upload_id = sent.stdout.strip()
    assert (sent.returncode, len(upload_id)) == (0, 36)
    taken = command("geocode", "points.csv", "--json")
    assert json.loads(taken.stdout)["files"][0]["upload"]["id"] == upload_id


def test_again_makes_another_upload(command: Command, points: Path, client: Client) -> None:
    first, second = (command("geocode", "points.csv", "--detach", *more).stdout for more in ((), ("--again",)))
    assert first != second
    assert command("geocode", "points.csv", "--detach").stdout == second


def test_a_deleted_upload_is_sent_again(command: Command, points: Path, client: Client) -> None:
    first = command("geocode", "points.csv", "--detach").stdout.strip()
    client.delete(first)
    second = command("geocode", "points.csv", "--detach")
    assert second.returncode == 0
    assert second.stdout.strip() != first


# --- exit codes ----------------------------------------------------------------------------------------------------
def test_2_for_wrong_usage(command: Command, points: Path) -> None:
    (command.folder / "points.postcodes.csv").write_text("somebody's\n")
    lines = {
        ("geocode",): "Missing argument",
        ("geocode", "nothing.csv"): "There is no file nothing.csv",
        ("geocode", "no*.csv"): "No file is called like",
        ("geocode", "points.csv"): "--force",
        ("geocode", "points.csv", "-o", "points.csv"): "over itself",
        ("geocode", "points.csv", "-o", "nowhere/out.csv"): "no folder nowhere",
        ("geocode", "points.csv", "--bogus"): "No such option",
        ("geocode", "points.csv", "-o", "-", "--json"): "--json",
        ("geocode", "points.csv", "-o", "new.csv", "--encoding", "klingon"): "encoding",
        ("--server", "ftp://x", "geocode", "points.csv", "-o", "new.csv"): "no address of a server",
    }
    for line, said in lines.items():
        done = command(*line)
        assert (done.returncode, said in done.stderr) == (2, True), (line, done.stderr)
        assert "Traceback" not in done.stderr
    assert (command.folder / "points.postcodes.csv").read_text() == "somebody's\n"
    assert command("geocode", "points.csv", "--force").returncode == 0
    assert len(rows_of(command.folder / "points.postcodes.csv")) == 82


def test_3_when_rows_failed_and_strictly_when_some_were_rejected(command: Command, points: Path) -> None:
    assert command("geocode", "points.csv", "--strict").returncode == 3
    assert (command.folder / "points.postcodes.csv").exists()
    upload = _upload(state="done", rows={"read": 3, "matched": 2, "failed": 1})
    with Scripted(document(upload), Answer(200, b"a\n1\n2\n3\n", {"ETag": '"1"'})) as server:
        done = command("geocode", "points.csv", "--server", server.url, "-o", "some.csv")
    assert done.returncode == 3, done.stderr
    assert "uploads retry 1" in done.stderr


def test_4_when_the_key_is_missing_or_refused(command: Command, points: Path) -> None:
    for key in ("", "no-such-key"):
        command.key = key
        done = command("geocode", "points.csv")
        assert done.returncode == 4, done.stderr
        assert "postcodes login" in done.stderr
        assert "Request id" in done.stderr


def test_5_when_nobody_is_there(command: Command, points: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = command("geocode", "points.csv", "--server", url, "--timeout", "1")
    assert done.returncode == 5
    assert re.search(r"Trying again until \d\d:\d\d:\d\d", done.stderr)
    assert "Connection refused" in done.stderr
    assert not (command.folder / "points.postcodes.csv").exists()


def test_6_when_the_file_is_refused_or_the_upload_was_cancelled(command: Command, client: Client) -> None:
    (command.folder / "bad.csv").write_text("a,b\n1,2\n")
    done = command("geocode", "bad.csv")
    assert (done.returncode, "Columns seen: a, b" in done.stderr) == (6, True)
    write_points(command.folder / "many.csv", 300_000)
    client.cancel(command("geocode", "many.csv", "--detach").stdout.strip())
    done = command("geocode", "many.csv")
    assert (done.returncode, "cancelled" in done.stderr, "--again" in done.stderr) == (6, True, True), done.stderr


def test_1_when_what_arrives_is_not_the_result(command: Command, points: Path) -> None:
    upload = _upload(state="done", rows={"read": 3, "matched": 3})
    with Scripted(document(upload), Answer(200, b"a\n1\n", {"ETag": '"1"'})) as server:
        done = command("geocode", "points.csv", "--server", server.url)
    assert done.returncode == 1
    assert "not the whole result" in done.stderr
    assert not (command.folder / "points.postcodes.csv").exists()


def test_130_at_ctrl_c_and_the_upload_goes_on(command: Command, client: Client) -> None:
    write_points(command.folder / "many.csv", 300_000)
    heard = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731 - tests may run without it
    process = command.start("geocode", "many.csv", stdout=subprocess.PIPE, preexec_fn=heard)
    (noted,) = wait_for(lambda: list((command.home / "uploads").glob("*.json")), "it is remembered")
    upload_id = json.loads(noted.read_text())["upload"]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "The upload goes on at the server" in errors.decode()
    assert f"postcodes uploads watch {upload_id}" in errors.decode()
    assert b"Traceback" not in errors
    assert client.state(upload_id)["state"] != "cancelled"


def test_a_reader_who_goes_away_is_no_error_to_talk_about(command: Command) -> None:
    write_points(command.folder / "many.csv", 50_000)
    process = command.start("geocode", "many.csv", "-o", "-", "-q", stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(100)
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), errors) == (141, b"")


def test_a_traceback_is_for_v(command: Command, points: Path) -> None:
    with Scripted(document({"id": 1})) as server:  # none that our server gives
        plain = command("geocode", "points.csv", "--server", server.url)
        told = command("geocode", "points.csv", "--server", server.url, "-v")
    assert (plain.returncode, told.returncode) == (1, 1)
    assert "Traceback" not in plain.stderr
    assert "Traceback" in told.stderr


def test_it_starts_without_what_it_does_not_need(command: Command) -> None:
    command.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    said = command("--version").stderr
    assert "click" in said
    modules = {line.rpartition("|")[2].strip() for line in said.splitlines()}
    assert not {"http.client", "requests", "rich"} & modules


def _upload(**more: object) -> dict[str, object]:
    rows = dict.fromkeys(("read", "matched", "no_match", "failed", "rejected", "pending"), 0)
    return {
        "id": "1",
        "created_at": "2026-01-01T00:00:00Z",
        "finished_at": "2026-01-01T00:00:01Z",
        "warnings": [],
        "reasons": {},
        "error": None,
        **more,
        "rows": rows | dict(more["rows"]),  # type: ignore[call-overload]
    }
