"""The client of the postcode service: `Client`, its errors, and the command `postcodes`.

Names are imported when they are used: the command starts without what they need.
"""

TYPE_CHECKING = False  # type checkers take it for that of `typing`, which takes long to import
if TYPE_CHECKING:
    from postcodes_cli.client import Client
    from postcodes_cli.errors import (
        BusyError,
        ConflictError,
        KeyRefusedError,
        NotFoundError,
        PostcodesError,
        ProblemError,
        ResultError,
        RetryableError,
        UnexpectedAnswerError,
        UnreachableError,
        UploadEndedError,
    )

__version__ = "0.1.0"

__all__ = [
    "BusyError",
    "Client",
    "ConflictError",
    "KeyRefusedError",
    "NotFoundError",
    "PostcodesError",
    "ProblemError",
    "ResultError",
    "RetryableError",
    "UnexpectedAnswerError",
    "UnreachableError",
    "UploadEndedError",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("postcodes_cli.client" if name == "Client" else "postcodes_cli.errors"), name)
