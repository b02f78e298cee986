"""What `manage.py maintenance` does in this service, and what `manage.py backup` keeps of it."""

import logging
from collections.abc import Callable

from django.conf import settings

from lookups.errors import ProviderUnavailableError
from lookups.index.file import remove_unfinished
from lookups.providers import in_background
from service_kit.maintenance.backup import Content
from service_kit.maintenance.jobs import remove_sessions
from service_kit.maintenance.running import Job

logger = logging.getLogger(__name__)


def ask_again(dry_run: bool, is_over: Callable[[], bool]) -> int:
    """Asks again what is known, is wanted by somebody, and will soon be too old. Stops while upstream does not work."""
    provider = in_background()
    if provider is None:
        return 0
    try:
        if dry_run:
            return provider.wanted()
        return provider.refresh(is_over)
    except ProviderUnavailableError as error:
        logger.info("nothing more is asked again just now why=%r", error.detail)
        return 0
    finally:
        provider.close()


def remove_builds(dry_run: bool, is_over: Callable[[], bool]) -> int:
    """Removes what a build of the index left that died. A build that ends replaces the edition before it."""
    return remove_unfinished(settings.LOCAL_INDEX, dry_run=dry_run)


JOBS = (
    Job("known locations again", ask_again),
    Job("unfinished indexes", remove_builds),
    Job("old sessions", remove_sessions),
)

#: Accounts only: what is known about locations is asked again when somebody wants it.
BACKUP_CONTENT = Content(
    service="postcode_consumer",
    left_out=frozenset(f"lookups.{name}" for name in ("Limiter", "Postcode", "KnownLocation", "Claim", "CallMinute")),
)
