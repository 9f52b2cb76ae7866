"""The backends every test of a handshake runs on; either may be missing on a developer's machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from dtls.backends import NAMES, Backend, BackendUnusable, load


@pytest.fixture(params=NAMES)
def backend(request: pytest.FixtureRequest) -> Backend:
    try:
        return load(request.param)
    except BackendUnusable as error:
        pytest.skip(str(error))


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(0.05)
        yield opened
