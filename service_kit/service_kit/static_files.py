"""Static files whose names have a hash of what is in them, so that browsers keep them for ever."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class OwnStaticFilesConfig(StaticFilesConfig):
    """Django's. `manage.py collectstatic` leaves out what packages bring and no page here uses."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "redoc",
        "rest_framework",
        "leaflet-src*",
        "*standalone-preset*",
    ]


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it has no types
    """WhiteNoise's; what modules import from each other gets its hash, too.

    Where nothing was collected, as in tests, files keep their names, and WhiteNoise finds them where they lie.
    """

    support_js_module_import_aggregation = True

    def stored_name(self, name: str) -> str:
        """The name with its hash."""
        return str(super().stored_name(name)) if self.hashed_files else name
