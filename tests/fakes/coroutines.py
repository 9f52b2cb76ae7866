"""Runs coroutine tests, each in an event loop of its own, for a minute at most.

A folder has it by one line in its ``conftest.py``: ``from tests.fakes.coroutines import pytest_pyfunc_call``.
"""

from __future__ import annotations

import asyncio
import inspect

import pytest

LONGEST_SECONDS = 60


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Take coroutine functions only; all others go the usual way."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}

    async def bounded() -> None:
        async with asyncio.timeout(LONGEST_SECONDS):
            await pyfuncitem.obj(**arguments)

    asyncio.run(bounded())
    return True
