"""The floor of free space on the disk of the uploads: what lies under it is for the database and the work."""

from django.conf import settings

from service_kit.metrics import disk_bytes
from uploads.errors import DiskNearlyFullError


def check_room(size: int = 0) -> None:
    """Raises DiskNearlyFullError when less than MIN_FREE_BYTES would be free after so many bytes more."""
    if not settings.MIN_FREE_BYTES:
        return
    free, _ = disk_bytes(settings.UPLOADS_DIR)
    if free - size < settings.MIN_FREE_BYTES:
        raise DiskNearlyFullError
