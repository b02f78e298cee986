"""gunicorn for postcode_consumer: `gunicorn -c consumer_config/gunicorn.conf.py consumer_config.wsgi`.

More processes through POSTCODE_CONSUMER_PROCESSES.
"""

import logging
import sys
from pathlib import Path
from typing import Any

# gunicorn reads this file before it adds the folder it serves from.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from consumer_config.postcodes_io import PUBLIC_POSTCODES_IO, env_contact
from service_kit.environment import env_int, env_str
from service_kit.gunicorn_settings import *  # noqa: F403 - they are settings of this file
from service_kit.gunicorn_settings import address_of, check_address, count_together
from service_kit.logs import log_settings

bind = address_of("POSTCODE_CONSUMER", 7000)
workers = env_int("POSTCODE_CONSUMER_PROCESSES", 1, minimum=1, maximum=64)
# Longer than callers keep an idle connection, so that none of them writes into one that is being closed.
keepalive = 75
logconfig_dict = log_settings("postcode_consumer")

count_together("postcode_consumer", bind)


def on_starting(server: object) -> None:
    """Says once, and not in every process, what its operator should know."""
    check_address(server)
    providers, upstream = env_str("PROVIDER", "postcodes_io"), env_str("POSTCODES_IO_URL", PUBLIC_POSTCODES_IO)
    if "postcodes_io" in providers and upstream.startswith(PUBLIC_POSTCODES_IO) and not env_contact():
        logging.getLogger("gunicorn.error").warning(
            "POSTCODES_IO_CONTACT is not set: postcodes.io, a free public service, cannot write to who asks it"
        )


def post_worker_init(worker: object) -> None:
    """The provider is there before the first lookup: loading the index takes a second."""
    from lookups.providers import provider_of_this_process

    provider_of_this_process()


def worker_exit(server: Any, worker: Any) -> None:
    """The connections upstream are closed, not dropped."""
    if providers := sys.modules.get("lookups.providers"):  # not there in a worker that could not start
        providers.close()
