"""What a problem consists of (RFC 9457), for places that send none themselves."""

from typing import Any


def problem_body(*, slug: str, title: str, status: int, detail: str, **extra: Any) -> dict[str, Any]:
    """The members of a problem, in the order in which people read them."""
    return {"type": f"/problems/{slug}", "title": title, "status": status, "detail": detail, **extra}
