"""The tests of this folder are coroutines."""

from tests.fakes.coroutines import pytest_pyfunc_call

__all__ = ["pytest_pyfunc_call"]
