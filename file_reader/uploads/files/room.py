"""The floor of free space on the disk of the uploads: what lies under it is for the database and the work."""

import os

from django.conf import settings

from uploads.errors import DiskNearlyFullError


def check_room(size: int = 0) -> None:
    """Raises DiskNearlyFullError when less than MIN_FREE_BYTES would be free after so many bytes more."""
    if not settings.MIN_FREE_BYTES:
        return
    disk = os.statvfs(settings.UPLOADS_DIR)
    if disk.f_bavail * disk.f_frsize - size < settings.MIN_FREE_BYTES:
        raise DiskNearlyFullError
