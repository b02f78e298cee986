"""`manage.py worker` that is killed, or frozen, at an exact point: `python -m tests.dying_worker`.

DIE_AT="uploads.work.loading.bulk_create_rows after 2" kills it (kill -9) when the second call of that function returns;
`before 2` as it begins, `*` stands for every call. With DIE_BY=SIGSTOP it is frozen there instead.
"""

import functools
import os
import pkgutil
import signal
from collections.abc import Callable
from itertools import count
from typing import Any

import django
from django.core.management import execute_from_command_line


def dying(function: Callable[..., Any], moment: str, which: str) -> Callable[..., Any]:
    calls = count(1)

    def die(here: str, call: int) -> None:
        if here == moment and which in ("*", str(call)):
            os.kill(os.getpid(), signal.Signals[os.environ.get("DIE_BY", "SIGKILL")])

    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        call = next(calls)
        die("before", call)
        result = function(*arguments, **options)
        die("after", call)
        return result

    return wrapped


if __name__ == "__main__":
    django.setup()
    name, moment, which = os.environ["DIE_AT"].split()
    assert moment in ("before", "after"), moment
    owner_name, _, function_name = name.rpartition(".")
    owner = pkgutil.resolve_name(owner_name)
    setattr(owner, function_name, dying(getattr(owner, function_name), moment, which))
    execute_from_command_line(["manage.py", "worker"])
