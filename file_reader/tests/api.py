"""The service as its callers see it: through every middleware, with the internal token."""

import json
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, ClientHandler, encode_multipart

UPLOADS = "/api/v1/uploads/"
Json = dict[str, Any]


class Caller(Client):
    """A client for which, as under a real server, the middleware is set up once and not for every client."""

    _handler = ClientHandler(enforce_csrf_checks=False)

    def __init__(self, headers: dict[str, str] | None = None) -> None:
        super().__init__(headers=headers, raise_request_exception=False)
        self.handler = self._handler


class Api:
    """Calls of one user, or of nobody in particular."""

    def __init__(self, user_id: int | None = None) -> None:
        named = {} if user_id is None else {"X-User-Id": str(user_id)}
        self.client = Caller(headers={"X-Internal-Token": settings.INTERNAL_TOKEN, **named})

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, query)

    def post(self, path: str, body: bytes = b"", content_type: str = "text/csv", **headers: str) -> Any:
        """`Idempotency_Key="…"` and the like become headers."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        # CONTENT_TYPE, because the test client forgets the type of an empty body.
        return self.client.generic("POST", path, body, content_type, headers=sent, CONTENT_TYPE=content_type)

    def delete(self, path: str) -> Any:
        return self.client.delete(path)

    def send_form(self, content: bytes | str, filename: str = "places.csv", **options: str) -> Any:
        """Uploads as a browser does: the file in the field `file`, the options as fields."""
        data = content.encode() if isinstance(content, str) else content
        form = {**options, "file": SimpleUploadedFile(filename, data)}
        return self.post(UPLOADS, encode_multipart(BOUNDARY, form), MULTIPART_CONTENT)

    def upload(self, content: bytes | str, **options: str) -> Json:
        """Uploads a file that must be accepted, and returns the upload."""
        response = self.send_form(content, **options)
        assert response.status_code == 202, response.content
        return response.json()

    def show(self, upload: Json) -> Json:
        """The upload as it is now."""
        response = self.get(f"{UPLOADS}{upload['id']}/")
        assert response.status_code == 200, response.content
        return response.json()

    def result(self, upload: Json) -> bytes:
        """Its result.csv."""
        response = self.get(f"{UPLOADS}{upload['id']}/result.csv")
        assert response.status_code == 200
        return b"".join(response.streaming_content)

    def rows(self, upload: Json, **filters: str) -> list[Json]:
        """Its rows, up to 1,000 of them."""
        response = self.get(f"{UPLOADS}{upload['id']}/rows/", page_size=1000, **filters)
        assert response.status_code == 200, response.content
        return response.json()["results"]


def problem_of(response: Any, status: int, slug: str) -> Json:
    """The problem that an answer is, checked for what every problem has."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content)
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem
