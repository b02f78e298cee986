"""The service's own settings, with an environment in which it starts."""

import os
import tempfile
from pathlib import Path

# Nothing of the developer's environment decides what is tested.
for _name in [name for name in os.environ if name.startswith(("POSTCODE", "PROVIDER", "LOCAL_INDEX"))]:
    del os.environ[_name]
os.environ.update(
    SECRET_KEY="only-for-tests",
    INTERNAL_TOKEN="token-of-the-tests",
    PROVIDER="sandbox",
    DATA_DIR=str(Path(tempfile.gettempdir()) / "postcode_consumer_tests"),
)
if os.environ.get("TEST_POSTGRES_URL"):
    os.environ["POSTCODE_CONSUMER_DATABASE_URL"] = os.environ["TEST_POSTGRES_URL"]

from consumer.settings import *  # noqa: E402, F403 (settings that build on others)
