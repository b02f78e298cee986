"""AUTH=required: every call needs a key, and a key shows its user's uploads only."""

import re
from pathlib import Path

import requests
from stack import Stack, running_stack

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
        assert all(word in log for word in ("upload accepted", "anna", "127.0.0.1"))

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
