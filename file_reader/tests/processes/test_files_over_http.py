"""Bodies as they really arrive, through a real gunicorn: without length, cut short, or too large."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.corpus.packing import raw_workbook, row
from tests.running import Service

from uploads.models import Upload

CSV = b"lat,lon\n51.501009,-0.141588\n"
FORM = (
    b'--limit\r\nContent-Disposition: form-data; name="file"; filename="places.csv"\r\n\r\n'
    + CSV
    + b"\r\n--limit--\r\n"
)
FORM_TYPE = "multipart/form-data; boundary=limit"


def chunked(content: bytes, size: int = 7) -> bytes:
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def post(content_type: str, length: str) -> str:
    return f"POST /api/v1/uploads/?filename=places.csv HTTP/1.1\nContent-Type: {content_type}\n{length}"


@pytest.mark.parametrize(("content_type", "body"), [("text/csv", CSV), (FORM_TYPE, FORM)])
def test_a_body_with_its_length_is_taken(service: Service, content_type: str, body: bytes) -> None:
    status, headers, answer = service.send(post(content_type, f"Content-Length: {len(body)}"), body)
    assert status == 202
    assert json.loads(answer)["size"] == len(CSV)
    assert headers["Location"] == f"http://files.example/api/v1/uploads/{json.loads(answer)['id']}/"


@pytest.mark.parametrize("charset", ["utf-16", "idna", '"utf-7"', "nonsense"])
def test_the_charset_of_a_body_is_not_that_of_the_query(service: Service, charset: str) -> None:
    for kind, body in ((f"text/csv; charset={charset}", CSV), (f"{FORM_TYPE}; charset={charset}", FORM)):
        target = "/api/v1/uploads/preview/?delimiter=%2C"
        head = f"POST {target} HTTP/1.1\nContent-Type: {kind}\nContent-Length: {len(body)}"
        status, _, answer = service.send(head, body)
        assert (status, json.loads(answer)["dialect"]["delimiter"]) == (200, ","), answer


@pytest.mark.parametrize(("content_type", "body"), [("text/csv", CSV), (FORM_TYPE, FORM)])
def test_a_chunked_body_is_taken_whole(service: Service, content_type: str, body: bytes) -> None:
    status, _, answer = service.send(post(content_type, "Transfer-Encoding: chunked"), chunked(body) + b"0\r\n\r\n")
    assert status == 202
    assert json.loads(answer)["size"] == len(CSV)


@pytest.mark.parametrize(("content_type", "body"), [("text/csv", CSV), (FORM_TYPE, FORM)])
@pytest.mark.parametrize("missing", [1, 20])
def test_a_body_shorter_than_its_length_is_refused_and_nothing_is_stored(
    service: Service, content_type: str, body: bytes, missing: int
) -> None:
    before = service.stored_files()
    status, headers, answer = service.send(post(content_type, f"Content-Length: {len(body)}"), body[:-missing])
    assert status == 400
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer)["type"] == "/problems/body-cut-short"
    assert service.stored_files() == before
    assert not Upload.objects.exists()


def test_a_form_that_is_whole_but_shorter_than_its_length_is_refused(service: Service) -> None:
    status, _, answer = service.send(post(FORM_TYPE, f"Content-Length: {len(FORM) + 5}"), FORM)
    assert (status, json.loads(answer)["type"]) == (400, "/problems/body-cut-short")
    assert not Upload.objects.exists()


@pytest.mark.parametrize(("content_type", "body"), [("text/csv", CSV), (FORM_TYPE, FORM)])
@pytest.mark.parametrize("end", [b"", b"5\r\n51", b"zz\r\n"])
def test_a_chunked_body_without_its_end_is_refused_and_nothing_is_stored(
    service: Service, content_type: str, body: bytes, end: bytes
) -> None:
    before = service.stored_files()
    status, _, answer = service.send(post(content_type, "Transfer-Encoding: chunked"), chunked(body[:-4]) + end)
    assert (status, json.loads(answer)["type"]) == (400, "/problems/body-cut-short")
    assert service.stored_files() == before
    assert not Upload.objects.exists()


@pytest.mark.parametrize("content_type", ["text/csv", FORM_TYPE])
def test_a_chunked_body_above_the_maximum_is_refused_while_it_streams(service: Service, content_type: str) -> None:
    before = service.stored_files()
    body = FORM[: FORM.index(CSV)] if content_type == FORM_TYPE else b""
    body += CSV + b"51.5,-0.1\n" * 25_000
    status, _, answer = service.send(
        post(content_type, "Transfer-Encoding: chunked"), chunked(body, 10_000) + b"0\r\n\r\n"
    )
    assert (status, json.loads(answer)["type"]) == (413, "/problems/upload-too-large")
    assert service.stored_files() == before
    assert not Upload.objects.exists()


def test_a_length_above_the_maximum_is_refused_before_the_body_is_sent(service: Service) -> None:
    status, _, answer = service.send(post("text/csv", "Content-Length: 2000000"), half_close=False)
    assert (status, json.loads(answer)["type"]) == (413, "/problems/upload-too-large")


def test_a_body_without_length_and_without_chunks_is_empty(service: Service) -> None:
    status, _, answer = service.send(post("text/csv", ""), b"")
    assert (status, json.loads(answer)["type"]) == (422, "/problems/empty-file")


def test_the_result_is_streamed(service: Service) -> None:
    _, headers, _ = service.send(post("text/csv", f"Content-Length: {len(CSV)}"), CSV)
    path = headers["Location"].removeprefix("http://files.example")
    status, headers, answer = service.send(f"GET {path}result.csv HTTP/1.1")
    assert status == 200
    assert headers["Transfer-Encoding"] == "chunked"
    assert b"51.501009,-0.141588,pending,,,,,,,,\n" in answer


def test_with_a_content_type_that_django_cannot_parse_the_content_decides(service: Service) -> None:
    content_type = "text/x; x*=unknown'x'abc"
    status, headers, answer = service.send(post(content_type, f"Content-Length: {len(CSV)}"), CSV)
    assert (status, headers["Content-Type"]) == (202, "application/json")
    assert json.loads(answer)["dialect"]["format"] == "csv"


def test_workbooks_are_read_by_processes_of_which_none_is_left(service: Service) -> None:
    good = raw_workbook(row("lat", "lon") + row(51.5, -0.1))
    bomb = raw_workbook(row("lat", "lon") + "<row><c>" + "<x>" * 50_000)
    books = [good, bomb] * 4
    processes = service.processes()
    with ThreadPoolExecutor(len(books)) as threads:
        answers = list(
            threads.map(lambda book: service.send(post("application/zip", f"Content-Length: {len(book)}"), book), books)
        )
    assert [status for status, _, _ in answers] == [202, 422] * 4
    assert service.processes() == processes
