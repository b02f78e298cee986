"""Whose call it is: the gateway checks the key and names the user with `X-User-Id`, which it alone may set."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, NotFound
from rest_framework.request import Request

from uploads.models import Upload
from uploads.rows.bulk.per_call import is_active_user, upload_by_public_id


def caller_of(request: HttpRequest) -> int | None:
    """The id of the user that the gateway named; None with AUTH=off, where there is only one caller.

    Raises NotAuthenticated, and AuthenticationFailed for a user who is gone or switched off.
    """
    if settings.AUTH == "off":
        return None
    sent = request.headers.get("X-User-Id")
    if sent is None:
        raise NotAuthenticated
    user_id = int(sent) if sent.isdecimal() and len(sent) < 19 else 0
    if not is_active_user(user_id):
        raise AuthenticationFailed("The key's user does not exist any more.")
    return user_id


class GatewayAuthentication(BaseAuthentication):
    """The same for the views of REST framework. Whom it lets in may call: there are no other permissions."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, None] | None:
        user_id = caller_of(request)
        return None if user_id is None else (get_user_model()(pk=user_id), None)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def owner_id(request: Request) -> int | None:
    """The id of the caller of a view of REST framework, as `caller_of` has it."""
    return request.user.pk


def find_upload(owner_id: int | None, public_id: UUID) -> Upload:
    """The caller's upload with that id; somebody else's is not found, like one that never was."""
    upload = upload_by_public_id(public_id)
    if upload is None or owner_id not in (None, upload.owner_id):
        raise NotFound("You have no upload with this id.")
    return upload
