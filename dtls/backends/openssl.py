"""The part of both backends that does not depend on how the C functions are reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from dtls.backends.interface import Parameters, Profile
from dtls.errors import BackendUnusable

DTLS_1_2 = 0xFEFD
CONNECTION_ID = 54
MTU = 16000  # far above any message: we fragment ourselves (dtls.flight)
READ_SIZE = 2048  # a flight of plain PSK is below this; a longer one takes more reads

# Public, stable values of <openssl/ssl.h>.
SSL_ERROR_WANT_READ = 2
SSL_OP_LEGACY_SERVER_CONNECT = 1 << 2
SSL_OP_NO_QUERY_MTU = 1 << 12
SSL_OP_NO_TICKET = 1 << 14
SSL_OP_NO_ENCRYPT_THEN_MAC = 1 << 19
SSL_OP_NO_RENEGOTIATION = 1 << 30
SSL_SESS_CACHE_OFF = 0

MASTER_SECRET_LENGTH = 48


class Library(Protocol):
    """The C functions; handles are whatever the binding uses for pointers."""

    name: str
    version: str
    remark: str

    def new_context(self, profile: Profile, options: int, ciphers: bytes, backend: OpenSsl) -> Any: ...
    def new_connection(self, context: Any, server: bool) -> tuple[Any, Any, Any]: ...
    def buffer(self, content: bytes) -> Any: ...
    def pointer(self, ssl: Any) -> int: ...
    def write(self, bio: Any, records: bytes) -> None: ...
    def read(self, bio: Any) -> bytes: ...
    def listen(self, ssl: Any) -> int: ...
    def handshake(self, ssl: Any) -> tuple[int, int]: ...
    def reason(self) -> str: ...
    def master_secret(self, ssl: Any) -> bytes: ...
    def free(self, ssl: Any) -> None: ...


class OpenSsl:
    """A backend: contexts by profile, and what the callbacks of its live connections answer.

    The callbacks run inside `step`, on the caller's thread, and find their connection by its pointer.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self.name = library.name
        self.version = library.version
        self.remark = library.remark
        self._contexts: dict[Profile, Any] = {}
        self._live: dict[int, tuple[Parameters, Any, int]] = {}

    def connect(self, profile: Profile, parameters: Parameters) -> OpenSslConnection:
        """A new handshake; see `Backend`."""
        context = self._contexts.get(profile)
        if context is None:
            options = SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION
            if not profile.server:
                # Small servers lack RFC 5746; what it protects, renegotiation, is refused here anyway.
                options |= SSL_OP_LEGACY_SERVER_CONNECT
            if not profile.encrypt_then_mac:
                options |= SSL_OP_NO_ENCRYPT_THEN_MAC
            names = ":".join((*profile.ciphers, "@SECLEVEL=0")).encode()
            context = self.library.new_context(profile, options, names, self)
            self._contexts[profile] = context
        return OpenSslConnection(self, context, profile, parameters)

    def adopt(self, ssl: Any, parameters: Parameters) -> int:
        """Make a connection known to the callbacks."""
        content = b"" if parameters.cid is None else bytes([len(parameters.cid)]) + parameters.cid
        pointer = self.library.pointer(ssl)
        self._live[pointer] = (parameters, self.library.buffer(content), len(content))
        return pointer

    def forget(self, pointer: int) -> None:
        """The opposite of `adopt`."""
        self._live.pop(pointer, None)

    def credentials(self, pointer: int) -> tuple[bytes, bytes]:
        """Callback: identity and key; an empty key makes OpenSSL refuse the identity."""
        live = self._live.get(pointer)
        return (live[0].identity, live[0].key or b"") if live else (b"", b"")

    def cid_extension(self, pointer: int) -> tuple[Any, int] | None:
        """Callback: the content of extension 54 in our hello, kept alive by us, or None for no extension."""
        live = self._live.get(pointer)
        return (live[1], live[2]) if live and live[0].cid is not None else None


class OpenSslConnection:
    """One handshake; see `Connection`."""

    __slots__ = (
        "_input",
        "_library",
        "_must_listen",
        "_output",
        "_release",
        "_ssl",
        "failure",
        "is_complete",
        "pointer",
    )

    def __init__(self, backend: OpenSsl, context: Any, profile: Profile, parameters: Parameters) -> None:
        self._ssl: Any = None
        self._library = backend.library
        self._ssl, self._input, self._output = backend.library.new_connection(context, profile.server)
        self.pointer = backend.adopt(self._ssl, parameters)
        self._release: Callable[[int], None] = backend.forget
        self._must_listen = profile.server
        self.is_complete = False
        self.failure: str | None = None

    def step(self, records: bytes) -> bytes:
        """See `Connection`."""
        library = self._library
        if self._ssl is None or self.failure is not None:
            return b""
        if records:
            library.write(self._input, records)
        if self._must_listen:
            # Our own cookie was checked already. Listening is what makes OpenSSL count messages from the
            # second ClientHello (message_seq 1); how it then numbers records (openssl#32063) is no matter,
            # since every record is numbered anew on its way out.
            if library.listen(self._ssl) <= 0:
                self.failure = library.reason() or "not a ClientHello"
                return library.read(self._output)
            self._must_listen = False
        result, error = library.handshake(self._ssl)
        if result == 1:
            self.is_complete = True
        elif error != SSL_ERROR_WANT_READ:
            self.failure = library.reason() or f"SSL_get_error {error}"
        return library.read(self._output)

    def master_secret(self) -> bytes:
        """See `Connection`."""
        return self._library.master_secret(self._ssl)

    def free(self) -> None:
        """See `Connection`."""
        if self._ssl is not None:
            self._release(self.pointer)
            self._library.free(self._ssl)
            self._ssl = None

    def __del__(self) -> None:
        self.free()


def require(condition: bool, what: str) -> None:
    """Raise `BackendUnusable` unless the condition holds."""
    if not condition:
        raise BackendUnusable(what)
