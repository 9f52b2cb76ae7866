"""The system's OpenSSL 3 (libssl.so.3), through ctypes: public interfaces only, where that library is."""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_long, c_size_t, c_uint, c_uint64, c_ulong, c_void_p
from typing import Any

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
from dtls.errors import BackendUnusable

# Commands of SSL_ctrl, SSL_CTX_ctrl and BIO_ctrl, from the public headers; there they hide behind macros.
SSL_CTRL_SET_MTU = 17
SSL_CTRL_SET_SESS_CACHE_MODE = 44
SSL_CTRL_SET_MIN_PROTO_VERSION = 123
SSL_CTRL_SET_MAX_PROTO_VERSION = 124
BIO_C_SET_BUF_MEM_EOF_RETURN = 130

PskServer = CFUNCTYPE(c_uint, c_void_p, c_void_p, c_void_p, c_uint)
PskClient = CFUNCTYPE(c_uint, c_void_p, c_void_p, c_void_p, c_uint, c_void_p, c_uint)
CookieVerify = CFUNCTYPE(c_int, c_void_p, c_void_p, c_uint)
ExtensionAdd = CFUNCTYPE(
    c_int, c_void_p, c_uint, POINTER(c_void_p), POINTER(c_size_t), POINTER(c_int), c_void_p
)

SSL_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "DTLS_server_method": (c_void_p, []),
    "DTLS_client_method": (c_void_p, []),
    "DTLSv1_listen": (c_int, [c_void_p, c_void_p]),
    "SSL_CTX_new": (c_void_p, [c_void_p]),
    "SSL_CTX_ctrl": (c_long, [c_void_p, c_int, c_long, c_void_p]),
    "SSL_CTX_set_options": (c_uint64, [c_void_p, c_uint64]),
    "SSL_CTX_set_cipher_list": (c_int, [c_void_p, c_char_p]),
    "SSL_CTX_set_psk_server_callback": (None, [c_void_p, PskServer]),
    "SSL_CTX_set_psk_client_callback": (None, [c_void_p, PskClient]),
    "SSL_CTX_set_cookie_verify_cb": (None, [c_void_p, CookieVerify]),
    "SSL_CTX_add_server_custom_ext": (
        c_int,
        [c_void_p, c_uint, ExtensionAdd, c_void_p, c_void_p, c_void_p, c_void_p],
    ),
    "SSL_CTX_add_client_custom_ext": (
        c_int,
        [c_void_p, c_uint, ExtensionAdd, c_void_p, c_void_p, c_void_p, c_void_p],
    ),
    "SSL_new": (c_void_p, [c_void_p]),
    "SSL_free": (None, [c_void_p]),
    "SSL_ctrl": (c_long, [c_void_p, c_int, c_long, c_void_p]),
    "SSL_set_bio": (None, [c_void_p, c_void_p, c_void_p]),
    "SSL_set_accept_state": (None, [c_void_p]),
    "SSL_set_connect_state": (None, [c_void_p]),
    "SSL_do_handshake": (c_int, [c_void_p]),
    "SSL_get_error": (c_int, [c_void_p, c_int]),
    "SSL_get_session": (c_void_p, [c_void_p]),
    "SSL_SESSION_get_master_key": (c_size_t, [c_void_p, c_char_p, c_size_t]),
}
CRYPTO_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "BIO_ADDR_new": (c_void_p, []),
    "BIO_s_mem": (c_void_p, []),
    "BIO_new": (c_void_p, [c_void_p]),
    "BIO_ctrl": (c_long, [c_void_p, c_int, c_long, c_void_p]),
    "BIO_write": (c_int, [c_void_p, c_char_p, c_int]),
    "BIO_read": (c_int, [c_void_p, c_char_p, c_int]),
    "ERR_clear_error": (None, []),
    "ERR_get_error": (c_ulong, []),
    "ERR_reason_error_string": (c_char_p, [c_ulong]),
    "OpenSSL_version": (c_char_p, [c_int]),
}


def _bind(path: str, functions: dict[str, tuple[Any, list[Any]]]) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(path)
        for name, (result, arguments) in functions.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise BackendUnusable(f"the backend 'system' needs OpenSSL 3: {error}") from None
    return library


class System:
    """The functions of libssl.so.3; see `Library`."""

    name = "system"
    remark = ""  # public functions of OpenSSL 3: any version has them

    def __init__(self, ssl_path: str = "libssl.so.3", crypto_path: str = "libcrypto.so.3") -> None:
        self._crypto = _bind(crypto_path, CRYPTO_FUNCTIONS)
        self._lib = _bind(ssl_path, SSL_FUNCTIONS)
        self.version = self._crypto.OpenSSL_version(0).decode()
        self._address = self._crypto.BIO_ADDR_new()
        self._kept: list[Any] = []

    def new_context(self, profile: Profile, options: int, ciphers: bytes, backend: OpenSsl) -> Any:
        lib = self._lib
        method = lib.DTLS_server_method() if profile.server else lib.DTLS_client_method()
        context = lib.SSL_CTX_new(method)
        lib.SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, DTLS_1_2, None)
        lib.SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, DTLS_1_2, None)
        lib.SSL_CTX_set_options(context, options)
        lib.SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, None)
        accepted = lib.SSL_CTX_set_cipher_list(context, ciphers)
        self._crypto.ERR_clear_error()
        require(accepted == 1, f"{self.version} has none of the ciphers {ciphers.decode()}")
        if profile.server:
            self._serve(context, backend)
        else:
            self._ask(context, backend)
        if profile.with_cid:
            self._extend(context, profile.server, backend)
        return context

    def _serve(self, context: Any, backend: OpenSsl) -> None:
        @PskServer  # type: ignore[untyped-decorator]
        def psk(ssl: int, identity: int, room: int, size: int) -> int:
            key = backend.credentials(ssl)[1]
            if len(key) > size:
                return 0
            ctypes.memmove(room, key, len(key))
            return len(key)

        @CookieVerify  # type: ignore[untyped-decorator]
        def cookie(ssl: int, content: int, size: int) -> int:
            return 1

        self._kept += [psk, cookie]
        self._lib.SSL_CTX_set_psk_server_callback(context, psk)
        self._lib.SSL_CTX_set_cookie_verify_cb(context, cookie)

    def _ask(self, context: Any, backend: OpenSsl) -> None:
        @PskClient  # type: ignore[untyped-decorator]
        def psk(ssl: int, hint: int, name: int, name_size: int, room: int, size: int) -> int:
            identity, key = backend.credentials(ssl)
            if len(identity) >= name_size or len(key) > size:
                return 0
            ctypes.memmove(name, identity + b"\0", len(identity) + 1)
            ctypes.memmove(room, key, len(key))
            return len(key)

        self._kept.append(psk)
        self._lib.SSL_CTX_set_psk_client_callback(context, psk)

    def _extend(self, context: Any, server: bool, backend: OpenSsl) -> None:
        @ExtensionAdd  # type: ignore[untyped-decorator]
        def add(ssl: int, kind: int, out: Any, size: Any, alert: Any, argument: int) -> int:
            extension = backend.cid_extension(ssl)
            if extension is None:
                return 0
            out[0], size[0] = ctypes.addressof(extension[0]), extension[1]
            return 1

        self._kept.append(add)
        lib = self._lib
        register = lib.SSL_CTX_add_server_custom_ext if server else lib.SSL_CTX_add_client_custom_ext
        # No parse callback: we read the peer's hello ourselves, OpenSSL only notes that it was there.
        added = register(context, CONNECTION_ID, add, None, None, None, None)
        require(added == 1, f"{self.version} does not let extension {CONNECTION_ID} be added")

    def new_connection(self, context: Any, server: bool) -> tuple[Any, Any, Any]:
        lib, crypto = self._lib, self._crypto
        ssl = lib.SSL_new(context)
        incoming, outgoing = crypto.BIO_new(crypto.BIO_s_mem()), crypto.BIO_new(crypto.BIO_s_mem())
        require(None not in (ssl, incoming, outgoing), "OpenSSL has no memory")
        crypto.BIO_ctrl(incoming, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, None)
        crypto.BIO_ctrl(outgoing, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, None)
        lib.SSL_set_bio(ssl, incoming, outgoing)
        lib.SSL_ctrl(ssl, SSL_CTRL_SET_MTU, MTU, None)
        if server:
            lib.SSL_set_accept_state(ssl)
        else:
            lib.SSL_set_connect_state(ssl)
        return ssl, incoming, outgoing

    def buffer(self, content: bytes) -> Any:
        return ctypes.create_string_buffer(content, len(content) + 1)

    def pointer(self, ssl: Any) -> int:
        return int(ssl)

    def write(self, bio: Any, records: bytes) -> None:
        self._crypto.BIO_write(bio, records, len(records))

    def read(self, bio: Any) -> bytes:
        room, found = ctypes.create_string_buffer(READ_SIZE), b""
        while (size := self._crypto.BIO_read(bio, room, READ_SIZE)) > 0:
            found += room.raw[:size]
        return found

    def listen(self, ssl: Any) -> int:
        self._crypto.ERR_clear_error()
        return int(self._lib.DTLSv1_listen(ssl, self._address))

    def handshake(self, ssl: Any) -> tuple[int, int]:
        self._crypto.ERR_clear_error()
        result = self._lib.SSL_do_handshake(ssl)
        return result, 0 if result == 1 else self._lib.SSL_get_error(ssl, result)

    def reason(self) -> str:
        number = self._crypto.ERR_get_error()
        self._crypto.ERR_clear_error()
        text = self._crypto.ERR_reason_error_string(number) if number else None
        return text.decode("ascii", "replace") if text else ""

    def master_secret(self, ssl: Any) -> bytes:
        session = self._lib.SSL_get_session(ssl)
        if not session:
            return b""
        room = ctypes.create_string_buffer(MASTER_SECRET_LENGTH)
        size = self._lib.SSL_SESSION_get_master_key(session, room, MASTER_SECRET_LENGTH)
        return room.raw[:size]

    def free(self, ssl: Any) -> None:
        self._lib.SSL_free(ssl)
