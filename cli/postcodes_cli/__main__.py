"""Where the command begins: `postcodes`, and `python -m postcodes_cli`."""

import _signal  # type: ignore[import-not-found]  # it is there at once; Ctrl-C could come while `signal` is loaded


def run() -> None:
    """Ends the process with an exit code, and never with a traceback but for -v. Ctrl-C ends it at once while it is
    still being loaded."""
    is_heard = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
    if is_heard:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    import sys

    from postcodes_cli.main import code_of

    try:
        if is_heard:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        code = code_of(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    run()
