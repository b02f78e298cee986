"""gunicorn for file_reader: `gunicorn -c reader_config/gunicorn.conf.py reader_config.wsgi`.

Threads, because the views wait for disk, database and slow clients; processes through FILE_READER_PROCESSES.
"""

import os

bind = f"{os.environ.get('FILE_READER_HOST', '127.0.0.1')}:{os.environ.get('FILE_READER_PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("FILE_READER_PROCESSES", "1"))
threads = 16
# The gateway drops its idle connections earlier, so that it never writes into one that is being closed.
keepalive = 5
graceful_timeout = 30
# An upload of a gigabyte over a slow line takes as long as it takes: a gthread worker beats between requests' pieces.
timeout = 60
# An answer's temporary files belong into memory: heartbeats on a slow disk look like dead workers.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108
loglevel = "warning"
# gunicorn's control socket is one file for each user: two services of one user would fight over it.
control_socket_disable = True
