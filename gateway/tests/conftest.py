"""Tests are plain `async def` functions, each on an event loop of its own, of the kind that a real run uses."""

import asyncio
import inspect

import pytest

from gateway.__main__ import loop_factory


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(pyfuncitem.obj(**arguments))
    return True
