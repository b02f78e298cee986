"""The service's settings with short deadlines, for processes that a test waits for: in the same order, much sooner."""

from consumer_config.settings import *  # noqa: F403 - settings that build on others

POSTCODES_IO_CALL_SECONDS = 0.5
LOOKUP_DEADLINE_SECONDS = 2.5
POSTCODES_IO_FIRST_BACKOFF_SECONDS = 0.05
