"""AUTH=required: every call needs a key, and a key shows its user's uploads only."""

import os
import re
import subprocess
import sys
from pathlib import Path

import requests
from stack import ROOT, Stack, free_port, running_stack, wait_for

FILE = b"lat,lon\n51.501009,-0.141588\n"


def log_in(session: requests.Session, stack: Stack, password: str) -> requests.Response:
    """To the admin, through the gateway."""
    login = f"{stack.url}/admin/login/"
    token = session.get(login, timeout=30).cookies["csrftoken"]
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token, "next": "/admin/"}
    return session.post(login, data=form, timeout=30)


def admin_session(stack: Stack) -> requests.Session:
    """Logged in to the admin with the password that the first start made."""
    session = requests.Session()
    password = (Path(stack.environment["DATA_DIR"]) / "admin_password").read_text()
    assert "Log out" in log_in(session, stack, password).text
    return session


def make_user(session: requests.Session, stack: Stack, name: str) -> str:
    """Makes a user in the admin and returns their id."""
    add = f"{stack.url}/admin/auth/user/add/"
    session.get(add, timeout=30)
    form = {
        "username": name,
        "usable_password": "true",
        "password1": "a long pass phrase",
        "password2": "a long pass phrase",
        "csrfmiddlewaretoken": session.cookies["csrftoken"],
    }
    found = re.search(r"/admin/auth/user/(\d+)/change/", session.post(add, data=form, timeout=30).url)
    assert found
    return found[1]


def make_key(session: requests.Session, stack: Stack, user_id: str) -> str:
    add = f"{stack.url}/admin/uploads/apikey/add/"
    session.get(add, timeout=30)
    form = {
        "user": user_id,
        "scopes": ["lookup", "read", "upload"],
        "csrfmiddlewaretoken": session.cookies["csrftoken"],
    }
    found = re.search(r"The key is <code>(\w+)</code>", session.post(add, data=form, timeout=30).text)
    assert found
    return found[1]


def test_keys_are_made_in_the_admin_and_open_their_owners_uploads_only(tmp_path: Path) -> None:
    with running_stack(tmp_path, AUTH="required") as stack:
        refused = stack.call("GET", "/api/v1/uploads/")
        assert (refused.status_code, refused.headers["Content-Type"]) == (401, "application/problem+json")
        assert stack.call("GET", "/api/v1/reverse-geocode/?latitude=51.5&longitude=0").status_code == 401

        session = admin_session(stack)
        anna, ben = (
            {"Authorization": f"Bearer {make_key(session, stack, make_user(session, stack, name))}"}
            for name in ("anna", "ben")
        )
        stack.headers = anna
        upload = stack.upload(FILE)
        stack.wait_until_done(upload)
        assert len(stack.call("GET", "/api/v1/rows/").json()["results"]) == 1
        assert stack.call("GET", "/api/v1/reverse-geocode/?latitude=51.501009&longitude=-0.141588").json()["postcode"]

        stack.headers = ben
        for link in ("self", "rows", "result_csv"):
            assert stack.call("GET", upload["links"][link]).status_code == 404
        assert stack.call("DELETE", upload["links"]["self"]).status_code == 404
        assert stack.call("GET", "/api/v1/uploads/").json()["results"] == []
        assert stack.call("GET", "/api/v1/rows/").json()["results"] == []
        assert stack.call("GET", "/api/v1/rows/", params={"upload": upload["id"]}).status_code == 404

        stack.headers = {"Authorization": "Bearer made-up", "X-User-Id": "1"}
        assert stack.call("GET", "/api/v1/uploads/").status_code == 401

        log = session.get(f"{stack.url}/admin/uploads/auditentry/?q={upload['id']}", timeout=30).text
        beginning_of_the_key = anna["Authorization"].removeprefix("Bearer ")[:12]
        assert all(word in log for word in ("upload accepted", "anna", "127.0.0.1", beginning_of_the_key))

        wrong = [log_in(requests.Session(), stack, "wrong") for _ in range(6)]
        assert [answer.status_code for answer in wrong] == [200] * 5 + [429]
        assert "Too many failed logins" in wrong[-1].text
        assert session.get(f"{stack.url}/admin/", timeout=30).ok  # who is in stays in


def test_the_services_themselves_take_no_call_without_the_internal_token(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack:
        for port, path in (("FILE_READER_PORT", "uploads/"), ("POSTCODE_CONSUMER_PORT", "reverse-geocode/")):
            answer = requests.get(f"http://127.0.0.1:{stack.environment[port]}/api/v1/{path}", timeout=30)
            assert answer.status_code == 401
            assert answer.json()["type"] == "/problems/internal-token-required"


def test_a_gateway_whose_services_have_another_auth_opens_nothing_and_says_why(tmp_path: Path) -> None:
    """The stack asks for no keys. A second gateway before the same services does: nobody may see what others sent."""
    with running_stack(tmp_path) as stack:
        stack.upload(FILE)
        secrets = {name: (tmp_path / name.lower()).read_text() for name in ("SECRET_KEY", "INTERNAL_TOKEN")}
        environment = os.environ | stack.environment | secrets | {"AUTH": "required", "GATEWAY_PORT": str(free_port())}
        log = tmp_path / "gateway.log"
        with log.open("wb") as stderr:
            strict = subprocess.Popen(
                [sys.executable, "-m", "gateway"], cwd=ROOT / "gateway", env=environment, stderr=stderr
            )
        try:
            wait_for(lambda: "listening" in log.read_text(), "the second gateway listens")
            url = f"http://127.0.0.1:{environment['GATEWAY_PORT']}"
            ready = requests.get(f"{url}/readyz", timeout=30)
            why = "auth: the gateway has AUTH=required, this service off"
            assert ready.status_code == 503
            assert ready.json()["missing"] == {"file_reader": why, "postcode_consumer": why}
            assert f"not ready service=file_reader why='{why}'" in log.read_text()
            for path in ("/api/v1/uploads/", "/api/v1/rows/", "/admin/", "/admin/lookups/"):
                answer = requests.get(url + path, headers={"Authorization": "Bearer x"}, timeout=30)
                assert answer.status_code == 503, path
                assert "51.501009" not in answer.text
            assert "AUTH differs" in stack.log.read_text()
        finally:
            strict.terminate()
            strict.wait(timeout=30)
        assert stack.call("GET", "/readyz").status_code == 200
