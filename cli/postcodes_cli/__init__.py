"""The client of the postcode service: `Client`, its errors, and the command `postcodes`.

Names are imported when they are used: the command starts without what they need.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from postcodes_cli.client import Client

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


def __getattr__(name: str) -> Any:
    if name == "Client":
        return import_module("postcodes_cli.client").Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
