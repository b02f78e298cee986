"""The SDK against a real server."""

import csv
import io
from pathlib import Path

import pytest
from conftest import LANDMARKS, write_points
from proxy import Proxy

from postcodes_cli import Client, ConflictError, NotFoundError, ProblemError, ResultError, UploadEndedError


def test_a_file_becomes_a_file_with_postcodes(client: Client, tmp_path: Path) -> None:
    upload = client.geocode(LANDMARKS, tmp_path / "out.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert rows[0]["result_postcode"] == "SW1A 1AA"
    assert upload["rows"]["read"] == len(rows) == 81
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_a_file_object_is_sent_from_where_it_stands(client: Client) -> None:
    file = io.BytesIO(b"not this\nlat,lon\n51.501009,-0.141588\n")
    file.seek(9)
    upload = client.wait(client.upload(file, filename="some.csv", max_distance=500)["id"])
    assert (upload["filename"], upload["rows"]["matched"], upload["max_distance"]) == ("some.csv", 1, 500)
    assert [row["postcode"] for row in client.rows(upload["id"])] == ["SW1A 1AA"]


def test_the_same_key_gives_the_same_upload(client: Client) -> None:
    first, again = (client.upload(LANDMARKS, idempotency_key="of-this-test") for _ in range(2))
    assert first["id"] == again["id"]
    with pytest.raises(ProblemError) as refused:
        client.upload(io.BytesIO(b"lat,lon\n51.5,-0.1\n"), idempotency_key="of-this-test")
    assert refused.value.type == "idempotency-key-reused"


def test_rows_follow_pages_through_any_name_of_the_server(
    client: Client, proxy: Proxy, key: str, tmp_path: Path
) -> None:
    upload = client.wait(client.upload(write_points(tmp_path / "p.csv", 2_500))["id"])
    with Client(proxy.url, key) as through:
        rows = list(through.rows(upload["id"], status="match"))
    assert len(rows) == upload["rows"]["matched"]
    assert len({row["row"] for row in rows}) == len(rows)
    assert sum("/rows/?" in request for request in proxy.requests) == 3


def test_locations_are_looked_up_in_their_order(client: Client) -> None:
    assert client.lookup(51.501009, -0.141588)["postcode"] == "SW1A 1AA"
    many = [(51.501009, -0.141588), (0.0, 0.0)] * 600
    found = [answer["postcode"] for answer in client.lookup_many(many)]
    assert found == ["SW1A 1AA", None] * 600
    assert client.postcode("sw1a1aa")["postcode"] == "SW1A 1AA"
    with pytest.raises(NotFoundError):
        client.postcode("ZZ99 9ZZ")


def test_a_preview_stores_nothing_and_sends_only_the_beginning(
    client: Client, proxy: Proxy, key: str, tmp_path: Path
) -> None:
    path = write_points(tmp_path / "p.csv", 20_000)
    before = next(client.uploads())["id"] if list(client.uploads()) else None
    with Client(proxy.url, key) as through:
        shown = through.preview(path)
    assert shown["columns"][:2] == ["site", "name"]
    assert shown["estimated_rows"] == pytest.approx(20_082, rel=0.05)
    assert proxy.to_server.bytes < 300_000 < path.stat().st_size
    assert (next(client.uploads())["id"] if list(client.uploads()) else None) == before


def test_an_upload_is_told_to_cancel_and_to_go(client: Client, tmp_path: Path) -> None:
    path = write_points(tmp_path / "p.csv", 200_000)
    upload = client.upload(path)
    assert client.pause(upload["id"])["paused"]
    assert not client.resume(upload["id"])["paused"]
    client.pause(upload["id"])
    assert client.cancel(upload["id"])["state"] == "cancelled"
    with pytest.raises(UploadEndedError) as ended:
        client.wait(upload["id"])
    assert ended.value.upload["id"] == upload["id"]
    with pytest.raises(ConflictError):
        client.pause(upload["id"])
    client.delete(upload["id"])
    with pytest.raises(NotFoundError):
        client.state(upload["id"])


def test_watching_shows_it_until_it_has_ended(client: Client, tmp_path: Path) -> None:
    upload = client.upload(write_points(tmp_path / "p.csv", 30_000))
    states = [seen["state"] for seen in client.watch(upload["id"], interval=0.05)]
    assert states[-1] == "done"
    assert set(states[:-1]) <= {"received", "loading", "geocoding"}


def test_a_result_of_another_version_is_begun_anew(client: Client, tmp_path: Path) -> None:
    upload = client.wait(client.upload(LANDMARKS)["id"])
    (tmp_path / "out.csv.part").write_bytes(b"of another upload")
    (tmp_path / "out.csv.part.etag").write_text('"another"')
    client.download(upload, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == b"".join(client.result(upload["id"]))


def test_a_result_without_all_rows_gets_no_name(client: Client, tmp_path: Path) -> None:
    upload = client.wait(client.upload(LANDMARKS)["id"])
    upload["rows"]["read"] += 100
    with pytest.raises(ResultError):
        client.download(upload, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("form", ["csv", "ndjson", "geojson", "xlsx", "parquet"])
def test_every_format_goes_on_where_it_broke_off(
    client: Client, proxy: Proxy, key: str, tmp_path: Path, form: str
) -> None:
    upload = client.wait(client.upload(write_points(tmp_path / "p.csv", 9_000))["id"])
    client.download(upload, tmp_path / "whole", format=form)
    whole = (tmp_path / "whole").read_bytes()
    proxy.to_client.cut_after = len(whole) // 2
    with Client(proxy.url, key) as through:
        through.download(upload, tmp_path / "cut", format=form)
    assert (tmp_path / "cut").read_bytes() == whole
    assert proxy.to_client.bytes < len(whole) * 1.2 + 200_000  # what the sockets held was sent again
    assert sum("/result." in request for request in proxy.requests) == 2


def test_two_programs_do_not_write_one_file(client: Client, tmp_path: Path) -> None:
    upload = client.wait(client.upload(LANDMARKS)["id"])

    def meanwhile(_part: Path) -> None:
        with pytest.raises(ResultError, match="Another program"):
            client.download(upload, tmp_path / "out.csv")

    client.download(upload, tmp_path / "out.csv", before_rename=meanwhile)
    assert (tmp_path / "out.csv").exists()
