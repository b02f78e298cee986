"""API keys for tests."""

from typing import Any

from uploads.api_keys import USUAL_SCOPES, make_key


def new_key(user: Any, *scopes: str) -> str:
    """The text of a new key of this user."""
    return make_key(user, name="", scopes=scopes or USUAL_SCOPES)[1]
