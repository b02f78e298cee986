"""`python -m gateway`: read the settings, listen, and end with 0 on SIGTERM.

Exit codes: 1 the address cannot be bound, 2 a setting is missing or wrong.
"""

import asyncio
import importlib.util
import os
import sys

from gateway.environment import read_settings
from gateway.limits import Limits
from gateway.logs import configure_logs
from gateway.server import allow_many_connections, serve
from service_kit.environment import SettingError


def main() -> int:
    """Run the gateway; the process's exit code."""
    try:
        settings = read_settings(os.environ)
        configure_logs()
    except SettingError as error:
        sys.stderr.write(f"gateway: {error}\n")
        return 2
    allow_many_connections()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve(settings, Limits()))
    except OSError as error:
        sys.stderr.write(f"gateway: cannot listen on {settings.host}:{settings.port}: {error.strerror or error}\n")
        return 1
    return 0


def loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    """uvloop where it is installed: it does not exist for every system."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.Loop


if __name__ == "__main__":
    sys.exit(main())
