"""OpenSSL as the `cryptography` package bundles it, through that package's private cffi bindings.

Private means: they may change in any release. So everything that is used is looked for when the backend is made, not
in the middle of a handshake, and then `self_test` shakes hands with it. A version that was not checked by hand may
serve when that passes: a security release of cryptography must not stop DTLS.
"""

from __future__ import annotations

from typing import Any

import cryptography
from cryptography.hazmat.bindings._rust import _openssl

from dtls.backends.interface import Profile
from dtls.backends.openssl import (
    CONNECTION_ID,
    DTLS_1_2,
    MASTER_SECRET_LENGTH,
    MTU,
    READ_SIZE,
    SSL_SESS_CACHE_OFF,
    OpenSsl,
    require,
)

CHECKED_VERSIONS = ("50.0.2",)
NEEDED = (
    "BIO_ADDR_free", "BIO_ADDR_new", "BIO_free", "BIO_new", "BIO_read", "BIO_s_mem", "BIO_set_mem_eof_return",
    "BIO_write", "DTLS_client_method", "DTLS_server_method", "DTLSv1_listen", "ERR_clear_error",
    "ERR_get_error", "ERR_reason_error_string", "OpenSSL_version", "SSL_CTX_add_client_custom_ext",
    "SSL_CTX_add_server_custom_ext", "SSL_CTX_free", "SSL_CTX_new", "SSL_CTX_set_cipher_list",
    "SSL_CTX_set_cookie_verify_cb", "SSL_CTX_set_max_proto_version", "SSL_CTX_set_min_proto_version",
    "SSL_CTX_set_options", "SSL_CTX_set_psk_client_callback", "SSL_CTX_set_psk_server_callback",
    "SSL_CTX_set_session_cache_mode", "SSL_SESSION_get_master_key", "SSL_do_handshake", "SSL_free",
    "SSL_get_error", "SSL_get_session", "SSL_new", "SSL_set_accept_state", "SSL_set_bio",
    "SSL_set_connect_state", "SSL_set_mtu",
)  # fmt: skip


class Bundled:
    """The functions of cryptography's `lib`; see `Library`."""

    name = "bundled"

    def __init__(self) -> None:
        self._lib: Any = _openssl.lib
        self._ffi: Any = _openssl.ffi
        missing = [name for name in NEEDED if not hasattr(self._lib, name)]
        require(
            not missing,
            f"cryptography {cryptography.__version__} lacks {', '.join(missing)}: install "
            f"{' or '.join(CHECKED_VERSIONS)}, or choose the backend 'system'",
        )
        is_checked = cryptography.__version__ in CHECKED_VERSIONS
        self.remark = (
            ""
            if is_checked
            else f"private bindings of cryptography {cryptography.__version__} passed the self-test, but were checked "
            f"by hand with {', '.join(CHECKED_VERSIONS)} only"
        )
        self.version = self._ffi.string(self._lib.OpenSSL_version(0)).decode()
        self._address = self._lib.BIO_ADDR_new()
        self._kept: list[Any] = []

    def new_context(self, profile: Profile, options: int, ciphers: bytes, backend: OpenSsl) -> Any:
        lib, ffi = self._lib, self._ffi
        method = lib.DTLS_server_method() if profile.server else lib.DTLS_client_method()
        context = ffi.gc(lib.SSL_CTX_new(method), lib.SSL_CTX_free)
        lib.SSL_CTX_set_min_proto_version(context, DTLS_1_2)
        lib.SSL_CTX_set_max_proto_version(context, DTLS_1_2)
        lib.SSL_CTX_set_options(context, options)
        lib.SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF)
        accepted = lib.SSL_CTX_set_cipher_list(context, ciphers)
        lib.ERR_clear_error()
        require(accepted == 1, f"{self.version} has none of the ciphers {ciphers.decode()}")
        if profile.server:
            self._serve(context, backend)
        else:
            self._ask(context, backend)
        if profile.with_cid:
            self._extend(context, profile.server, backend)
        return context

    def _serve(self, context: Any, backend: OpenSsl) -> None:
        ffi = self._ffi

        @ffi.callback("unsigned int(SSL *, char *, unsigned char *, unsigned int)")  # type: ignore[untyped-decorator]
        def psk(ssl: Any, identity: Any, room: Any, size: int) -> int:
            key = backend.credentials(int(ffi.cast("uintptr_t", ssl)))[1]
            if len(key) > size:
                return 0
            ffi.memmove(room, key, len(key))
            return len(key)

        @ffi.callback("int(SSL *, unsigned char *, unsigned int)")  # type: ignore[untyped-decorator]
        def cookie(ssl: Any, content: Any, size: int) -> int:
            return 1

        self._kept += [psk, cookie]
        self._lib.SSL_CTX_set_psk_server_callback(context, psk)
        self._lib.SSL_CTX_set_cookie_verify_cb(context, cookie)

    def _ask(self, context: Any, backend: OpenSsl) -> None:
        ffi = self._ffi

        @ffi.callback("unsigned int(SSL *, char *, char *, unsigned int, unsigned char *, unsigned int)")  # type: ignore[untyped-decorator]
        def psk(ssl: Any, hint: Any, name: Any, name_size: int, room: Any, size: int) -> int:
            identity, key = backend.credentials(int(ffi.cast("uintptr_t", ssl)))
            if len(identity) >= name_size or len(key) > size:
                return 0
            ffi.memmove(name, identity + b"\0", len(identity) + 1)
            ffi.memmove(room, key, len(key))
            return len(key)

        self._kept.append(psk)
        self._lib.SSL_CTX_set_psk_client_callback(context, psk)

    def _extend(self, context: Any, server: bool, backend: OpenSsl) -> None:
        ffi, lib = self._ffi, self._lib

        @ffi.callback("int(SSL *, unsigned int, unsigned char **, size_t *, int *, void *)")  # type: ignore[untyped-decorator]
        def add(ssl: Any, kind: int, out: Any, size: Any, alert: Any, argument: Any) -> int:
            extension = backend.cid_extension(int(ffi.cast("uintptr_t", ssl)))
            if extension is None:
                return 0
            out[0], size[0] = extension
            return 1

        self._kept.append(add)
        register = lib.SSL_CTX_add_server_custom_ext if server else lib.SSL_CTX_add_client_custom_ext
        # No parse callback: we read the peer's hello ourselves, OpenSSL only notes that it was there.
        added = register(context, CONNECTION_ID, add, ffi.NULL, ffi.NULL, ffi.NULL, ffi.NULL)
        require(added == 1, f"{self.version} does not let extension {CONNECTION_ID} be added")

    def new_connection(self, context: Any, server: bool) -> tuple[Any, Any, Any]:
        lib = self._lib
        ssl, incoming, outgoing = (
            lib.SSL_new(context),
            lib.BIO_new(lib.BIO_s_mem()),
            lib.BIO_new(lib.BIO_s_mem()),
        )
        require(self._ffi.NULL not in (ssl, incoming, outgoing), "OpenSSL has no memory")
        lib.BIO_set_mem_eof_return(incoming, -1)
        lib.BIO_set_mem_eof_return(outgoing, -1)
        lib.SSL_set_bio(ssl, incoming, outgoing)
        lib.SSL_set_mtu(ssl, MTU)
        if server:
            lib.SSL_set_accept_state(ssl)
        else:
            lib.SSL_set_connect_state(ssl)
        return ssl, incoming, outgoing

    def buffer(self, content: bytes) -> Any:
        return self._ffi.new("unsigned char[]", content or b"\0")

    def pointer(self, ssl: Any) -> int:
        return int(self._ffi.cast("uintptr_t", ssl))

    def write(self, bio: Any, records: bytes) -> None:
        self._lib.BIO_write(bio, records, len(records))

    def read(self, bio: Any) -> bytes:
        room, found = self._ffi.new("unsigned char[]", READ_SIZE), b""
        while (size := self._lib.BIO_read(bio, room, READ_SIZE)) > 0:
            found += bytes(self._ffi.buffer(room, size))
        return found

    def listen(self, ssl: Any) -> int:
        self._lib.ERR_clear_error()
        return int(self._lib.DTLSv1_listen(ssl, self._address))

    def handshake(self, ssl: Any) -> tuple[int, int]:
        self._lib.ERR_clear_error()
        result = self._lib.SSL_do_handshake(ssl)
        return result, 0 if result == 1 else self._lib.SSL_get_error(ssl, result)

    def reason(self) -> str:
        number = self._lib.ERR_get_error()
        self._lib.ERR_clear_error()
        text = self._lib.ERR_reason_error_string(number) if number else self._ffi.NULL
        return self._ffi.string(text).decode("ascii", "replace") if text != self._ffi.NULL else ""

    def master_secret(self, ssl: Any) -> bytes:
        session = self._lib.SSL_get_session(ssl)
        if session == self._ffi.NULL:
            return b""
        room = self._ffi.new("unsigned char[]", MASTER_SECRET_LENGTH)
        size = self._lib.SSL_SESSION_get_master_key(session, room, MASTER_SECRET_LENGTH)
        return bytes(self._ffi.buffer(room, size))

    def free(self, ssl: Any) -> None:
        self._lib.SSL_free(ssl)
