"""The service's own settings, with an environment in which it starts."""

import os
import tempfile
from pathlib import Path

# Of the developer's environment, nothing but the database decides what is tested.
_DATABASE = "POSTCODE_CONSUMER_DATABASE_URL"
for _name in [
    name
    for name in os.environ
    if name.startswith(("POSTCODE", "PROVIDER", "LOCAL_INDEX", "CACHE", "GATEWAY_HOST", "FILE_READER_HOST"))
]:
    if _name != _DATABASE:
        del os.environ[_name]
os.environ.update(
    SECRET_KEY="only-for-tests",
    INTERNAL_TOKEN="token-of-the-tests",
    AUTH="off",
    PROVIDER="sandbox",
    DATA_DIR=str(Path(tempfile.gettempdir()) / "postcode_consumer_tests"),
)

from consumer_config.settings import *  # noqa: E402, F403 - settings that build on others

# The real ones are slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
