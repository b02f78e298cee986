"""What can be wrong with the body of an upload request, as problems."""

from django.conf import settings

from service_kit.problems import Problem


def unsupported(detail: str) -> Problem:
    """A body of another kind."""
    return Problem("unsupported-media-type", "This kind of body is not taken here", status=415, detail=detail)


def too_large() -> Problem:
    """More than MAX_UPLOAD_BYTES."""
    return Problem(
        "upload-too-large",
        "The file is too large",
        status=413,
        detail=f"At most {settings.MAX_UPLOAD_BYTES:,} bytes are accepted.",
        max_bytes=settings.MAX_UPLOAD_BYTES,
    )


def cut_short() -> Problem:
    """It ended before its declared length."""
    return Problem(
        "body-cut-short",
        "The file did not arrive whole",
        status=400,
        detail="The body ended before its declared length. Nothing was stored; send it again.",
    )


def malformed(detail: str) -> Problem:
    """A form that is none."""
    return Problem("malformed-form", "The form cannot be read", status=400, detail=detail)
