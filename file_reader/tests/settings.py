"""The service's own settings, with an environment in which it starts. FILE_READER_DATABASE_URL chooses the database."""

import os
import tempfile
from pathlib import Path

# Nothing else of the developer's environment decides what is tested.
for _name in ("GATEWAY_HOST", "FILE_READER_HOST", "POSTCODE_CONSUMER_HOST",
              "MAX_UPLOAD_BYTES", "CHUNK_ROWS", "LEASE_SECONDS", "FAN_OUT", "POSTCODE_CONSUMER_URL",
              "POSTCODE_CONSUMER_PORT", "CELERY_BROKER_URL", "ROW_QUERY_SECONDS", "LOCATIONS_PER_CALL",
              "QUOTA_OPEN_UPLOADS", "QUOTA_ROWS_PER_DAY", "QUOTA_STORED_BYTES", "MAX_BACKLOG_ROWS",
              "MIN_FREE_BYTES", "UPLOAD_KEEP_DAYS", "WEBHOOK_ALLOWED_HOSTS", "IMPORT_DIR", "STATIC_ROOT"):  # fmt: skip
    os.environ.pop(_name, None)
os.environ.update(
    SECRET_KEY="only-for-tests",
    INTERNAL_TOKEN="token-of-the-tests",
    AUTH="off",
    DATA_DIR=str(Path(tempfile.gettempdir()) / "file_reader_tests"),
)

from reader_config.settings import *  # noqa: E402, F403 (settings that build on others)

# The real ones are slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
