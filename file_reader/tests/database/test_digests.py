"""The digest that a sender gives with an upload is that of what arrived, or nothing is stored."""

import gzip
import hashlib
from base64 import b64encode
from pathlib import Path

import pytest
from tests.api import UPLOADS, Api, problem_of
from tests.sending import CSV, assert_nothing_stored, part, send_parts, stored

pytestmark = pytest.mark.django_db
PREVIEW = f"{UPLOADS}preview/"
FORM = "multipart/form-data; boundary=limit"
OTHER = b"something else"


def sha(content: bytes, algorithm: str = "sha256") -> str:
    return b64encode(hashlib.new(algorithm, content).digest()).decode()


def headers(content: bytes) -> list[dict[str, str]]:
    """The header with the digest of this content, by each algorithm and by both."""
    short, long = sha(content), sha(content, "sha512")
    return [
        {"Content_Digest": f"sha-256=:{short}:"},
        {"Content_Digest": f"sha-512=:{long}:"},
        {"Content_Digest": f"sha-512=:{long}:, sha-256=:{short}:"},
    ]


@pytest.mark.parametrize("sent", headers(CSV))
def test_a_file_of_which_the_digest_is_right_is_accepted(api: Api, data_dir: Path, sent: dict[str, str]) -> None:
    assert api.post(UPLOADS, CSV, **sent).status_code == 202
    assert stored(data_dir) == [CSV]


@pytest.mark.parametrize("address", [UPLOADS, PREVIEW])
@pytest.mark.parametrize("sent", headers(OTHER))
def test_a_file_that_is_not_that_of_its_digest_is_refused_with_both(
    api: Api, data_dir: Path, address: str, sent: dict[str, str]
) -> None:
    problem = problem_of(api.post(address, CSV, **sent), 400, "digest-mismatch")
    assert problem["header"].replace("-", "_") in sent
    name = problem["algorithm"].replace("-", "")
    assert (problem["sent"], problem["arrived"]) == (sha(OTHER, name), sha(CSV, name))
    assert problem["sent"] in problem["detail"]
    assert problem["arrived"] in problem["detail"]
    assert_nothing_stored(data_dir)


def test_of_several_digests_each_must_be_right(api: Api, data_dir: Path) -> None:
    sent = f"sha-256=:{sha(CSV)}:, sha-512=:{sha(OTHER, 'sha512')}:"
    assert problem_of(api.post(UPLOADS, CSV, Content_Digest=sent), 400, "digest-mismatch")["sent"] != sha(CSV)
    assert_nothing_stored(data_dir)


def test_the_digest_of_a_form_is_that_of_the_whole_form(api: Api, data_dir: Path) -> None:
    form = part("file", CSV, "a.csv") + b"--limit--\r\n"
    assert api.post(UPLOADS, form, FORM, Content_Digest=f"sha-256=:{sha(form)}:").status_code == 202
    wrong = api.post(UPLOADS, form, FORM, Content_Digest=f"sha-256=:{sha(CSV)}:")
    assert problem_of(wrong, 400, "digest-mismatch")["arrived"] == sha(form)
    assert stored(data_dir) == [CSV]


def test_the_digest_of_a_packed_body_is_that_of_the_body_as_it_is_sent(api: Api) -> None:
    packed = gzip.compress(CSV)
    assert (
        api.post(UPLOADS, packed, Content_Encoding="gzip", Content_Digest=f"sha-256=:{sha(packed)}:").status_code == 202
    )
    wrong = api.post(UPLOADS, packed, Content_Encoding="gzip", Content_Digest=f"sha-256=:{sha(CSV)}:")
    assert problem_of(wrong, 400, "digest-mismatch")["arrived"] == sha(packed)


def test_a_digest_of_a_part_of_a_form_is_ignored(api: Api) -> None:
    named = part("file", CSV, "a.csv").replace(
        b"\r\n\r\n", f"\r\nContent-Digest: sha-256=:{sha(OTHER)}:\r\n\r\n".encode()
    )
    assert send_parts(api, named).status_code == 202


@pytest.mark.parametrize(
    "sent",
    [
        {"Content_Digest": ""},
        {"Content_Digest": "md5=:AAAA:, sha-999=:AAAA:, sha;x=1"},
        {"Content_Digest": "unixsum=30637, id-sha-256=:AAAA:"},
        {"Content_Digest": f"sha-256=:{sha(CSV)}:;from=us, md5=:AAAA:"},
        {"Content_Digest": f"  sha-256=:{sha(CSV).rstrip('=')}:  "},
        {"Repr_Digest": f"sha-256=:{sha(OTHER)}:", "Digest": f"SHA-256={sha(OTHER)}"},
        {"Want_Content_Digest": "sha-256=10"},
    ],
)
def test_what_is_no_digest_of_a_known_algorithm_is_ignored(api: Api, sent: dict[str, str]) -> None:
    assert api.post(UPLOADS, CSV, **sent).status_code == 202


@pytest.mark.parametrize(
    "value",
    [
        "sha-256",
        "sha-256=",
        "sha-256=::",
        f"sha-256={sha(CSV)}",
        f'sha-256="{sha(CSV)}"',
        f"sha-256=:{hashlib.sha256(CSV).hexdigest()}:",
        f"sha-256=:{sha(CSV)[:-4]}:",
        f"sha-256=:{sha(CSV)}:x",
        f"sha-256=:é{sha(CSV)[1:]}:",
        f"sha-256=:{sha(CSV)[:9]}*{sha(CSV)[9:]}:",
        f"sha-512=:{sha(CSV)}:",
        f"md5=:AAAA:, sha-256 = :{sha(CSV)[:-2]}*=:",
    ],
)
def test_a_digest_that_cannot_be_read_is_refused(api: Api, data_dir: Path, value: str) -> None:
    detail = problem_of(api.post(UPLOADS, CSV, Content_Digest=value), 400, "invalid-parameter")["detail"]
    assert detail.startswith("Content-Digest: ")
    assert_nothing_stored(data_dir)


def test_what_did_not_arrive_right_may_be_sent_again_with_the_same_key(api: Api, data_dir: Path) -> None:
    sent = {"Idempotency_Key": "k", "Content_Digest": f"sha-256=:{sha(CSV)}:"}
    problem_of(api.post(UPLOADS, CSV[:-3] + b"9\n", **sent), 400, "digest-mismatch")
    assert api.post(UPLOADS, CSV, **sent).status_code == 202
    assert stored(data_dir) == [CSV]
