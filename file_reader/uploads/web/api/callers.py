"""Whose call it is: the gateway checks the key and names the user with `X-User-Id`, which it alone may set."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from uploads.models import Upload


class GatewayAuthentication(BaseAuthentication):
    """The user that the gateway named."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, None] | None:
        sent = request.headers.get("X-User-Id")
        if sent is None or settings.AUTH == "off":
            return None
        user_id = int(sent) if sent.isdecimal() and len(sent) < 19 else 0
        user = get_user_model().objects.filter(pk=user_id, is_active=True).first()
        if user is None:
            raise AuthenticationFailed("The key's user does not exist any more.")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MayCall(BasePermission):
    """Everybody with AUTH=off, else whoever has a key."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return settings.AUTH == "off" or bool(request.user and request.user.is_authenticated)


def owner_id(request: Request) -> int | None:
    """The id of the caller; None with AUTH=off, where there is only one."""
    return request.user.pk if settings.AUTH == "required" else None


def find_upload(request: Request, public_id: UUID) -> Upload:
    """The caller's upload with that id; somebody else's is not found, like one that never was."""
    upload = Upload.objects.visible_to(owner_id(request)).filter(public_id=public_id).first()
    if upload is None:
        raise NotFound("You have no upload with this id.")
    return upload
