"""The backends every test of a handshake runs on; either may be missing on a developer's machine."""

from __future__ import annotations

import pytest

from dtls.backends import NAMES, Backend, BackendUnusable, load


@pytest.fixture(params=NAMES)
def backend(request: pytest.FixtureRequest) -> Backend:
    try:
        return load(request.param)
    except BackendUnusable as error:
        pytest.skip(str(error))
