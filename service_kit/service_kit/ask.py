"""`python -m service_kit.ask URL`: prints what an address answers. The exit code is 0 for a 200, otherwise 1.

For the health checks of containers, whose images have no curl.
"""

import sys
import urllib.error
import urllib.request

#: How long an answer may take, in seconds: far less than the time-out of the health checks (docker-compose.yml).
_SECONDS = 2.5


def main(url: str) -> int:
    """The exit code."""
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - from our own command line
            _say(answer.read().decode())
            return 0
    except urllib.error.HTTPError as error:
        _say(error.read().decode())
    except OSError as error:
        _say(str(error))
    return 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
