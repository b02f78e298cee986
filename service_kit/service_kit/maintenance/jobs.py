"""Jobs that both services have."""

from collections.abc import Callable

from django.contrib.sessions.models import Session
from django.utils import timezone


def remove_sessions(dry_run: bool, is_over: Callable[[], bool]) -> int:
    """Removes the logins to the admin and the pages that are over."""
    over = Session.objects.filter(expire_date__lt=timezone.now())
    return over.count() if dry_run else over.delete()[0]
