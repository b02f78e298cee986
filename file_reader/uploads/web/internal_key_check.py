"""For the gateway alone: whose API key or session this is, and what it may do."""

import contextlib
from types import SimpleNamespace
from typing import Any, cast

from django.contrib.auth import get_user
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.backends.db import SessionStore
from django.db import Error
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from uploads.api_keys import USUAL_SCOPES, find_key, note_use
from uploads.models import ApiKey


class KeyAuthentication(BaseAuthentication):
    """By the key in `Authorization: Bearer <key>`, or the session in `Authorization: Session <id>`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey | None] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Session":
            user = _user_of_session(text)
            return None if user is None else (user, None)
        if scheme.lower() != "bearer":
            return None
        key = find_key(text.strip())
        if key is None:
            raise AuthenticationFailed("This key is not known, or it has ended.")
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _user_of_session(session_id: str) -> AbstractBaseUser | None:
    """Who signed in with that session, unless its user is switched off, or has another password by now."""
    user = get_user(cast(Any, SimpleNamespace(session=SessionStore(session_id))))
    return cast(AbstractBaseUser, user) if user.is_authenticated else None


class KnownKey(Response):
    """The answer to a known key. Its use is written down after it was sent: nobody waits for that write."""

    def __init__(self, key: ApiKey) -> None:
        super().__init__({"user_id": key.user_id, "scopes": key.allowed, "key": key.prefix})
        self._api_key = key

    def close(self) -> None:
        """Django calls it when the answer is out."""
        with contextlib.suppress(Error):  # while the database is busy or full, keys are good all the same
            note_use(self._api_key)
        super().close()


class Authenticate(APIView):
    """`GET /internal/authenticate/` with the caller's Authorization → 200 `{"user_id", "scopes", "key"}`, or 401."""

    authentication_classes = [KeyAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        if request.auth is None:
            return Response({"user_id": request.user.pk, "scopes": USUAL_SCOPES, "key": ""})
        return KnownKey(cast(ApiKey, request.auth))
