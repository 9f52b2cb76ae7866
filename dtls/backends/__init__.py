"""Where the OpenSSL comes from: bundled with `cryptography`, or the system's own."""

from __future__ import annotations

from functools import cache

from dtls.backends.interface import Backend, Connection, Parameters, Profile
from dtls.backends.openssl import OpenSsl
from dtls.errors import BackendUnusable

NAMES = ("bundled", "system")


@cache
def load(name: str = "bundled") -> Backend:
    """The backend of that name, one for the process, once it has shaken hands with itself.

    Raises `BackendUnusable` and says what is wrong.
    """
    backend = _made(name)
    # It stands on this room's server and client, which stand on the backends.
    from dtls.backends import self_test

    self_test.run(backend)
    return backend


def _made(name: str) -> Backend:
    # Each is imported only when it is wanted: the point of having two is that either may be unusable.
    if name == "bundled":
        try:
            from dtls.backends.bundled import Bundled
        except ImportError as error:
            raise BackendUnusable(f"cryptography's bindings are not where they were: {error}") from None
        return OpenSsl(Bundled())
    if name == "system":
        from dtls.backends.system import System

        return OpenSsl(System())
    raise BackendUnusable(f"there is no backend {name!r}; there are {', '.join(NAMES)}")


__all__ = ["NAMES", "Backend", "BackendUnusable", "Connection", "Parameters", "Profile", "load"]
