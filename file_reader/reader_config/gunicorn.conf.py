"""gunicorn for file_reader: `gunicorn -c reader_config/gunicorn.conf.py reader_config.wsgi`.

More processes through FILE_READER_PROCESSES.
"""

import sys

from service_kit.environment import env_int
from service_kit.gunicorn_settings import *  # noqa: F403 - they are settings of this file
from service_kit.gunicorn_settings import address_of, check_address, count_together
from service_kit.logs import log_settings

bind = address_of("FILE_READER", 8000)
workers = env_int("FILE_READER_PROCESSES", 1, minimum=1, maximum=64)
# The gateway drops its idle connections earlier, so that it never writes into one that is being closed.
keepalive = 5
# Python's own is 5 ms: so long the thread that writes a result lets another one wait, each time that one needs Python.
sys.setswitchinterval(0.001)
logconfig_dict = log_settings("file_reader")
count_together("file_reader", bind)
on_starting = check_address
