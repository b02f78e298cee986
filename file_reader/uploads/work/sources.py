"""The sources that a worker has looked at. How that is done only `accepting` knows: `uploads.apps` puts it here."""

from collections.abc import Callable

from django.db.models.functions import Now

from uploads.models import Source


def are_due() -> bool:
    """Whether there are any to be looked at now."""
    return Source.objects.filter(enabled=True, due_at__lte=Now()).exists()


def look_at_all_due(is_stopping: Callable[[], bool]) -> None:
    """Looks at them, and at others until it is stopping."""
    raise NotImplementedError
