"""A device that can be managed: it answers reads and observes, and notifies, one confirmable notification at a time."""

from __future__ import annotations

import struct
import time

from bench.load_device import ACK_SECONDS, Device, read_options

PATH = "/3303/0/5700"
_GET, _CONTENT, _METHOD_NOT_ALLOWED = 1, 0x45, 0x85
_CON, _ACK, _RST = 0, 2, 3
_OBSERVE, _ACCEPT, _SENML_CBOR = 6, 17, 112


class ManagedDevice(Device):
    """`read` of a notification's acknowledgement returns its code, 0."""

    reads = 0
    observed_with = b""
    """The token of the observation; without one there is none."""
    _accept: bytes = b""
    _sequence = 0
    _measured = 20.0
    _notified_mid = b""

    @property
    def is_observed(self) -> bool:
        return bool(self.observed_with)

    def notify(self, now: float) -> None:
        """Send a new value, and expect its acknowledgement."""
        self._sequence += 1
        self._mid = self._mid + 1 & 0xFFFF
        self._notified_mid = self._mid.to_bytes(2, "big")
        self._request = self._content(_CON, self._notified_mid, self.observed_with, is_observed=True)
        self.begun_at, self._patience = now, ACK_SECONDS
        self._repeat_at = now + self._patience
        self._send(self._request)

    def _answer(self, message: bytes) -> int | None:
        kind, code, mid = message[0] >> 4 & 3, message[1], message[2:4]
        if code == 0 and kind in (_ACK, _RST) and self._notified_mid == mid:
            self._notified_mid = b""
            if kind == _RST:
                self.observed_with = b""
            return 0 if kind == _ACK else 0x80
        if kind == _CON and code >> 5 == 0 and code:
            self._requested(code, mid, message)
            return None
        return super()._answer(message)

    def _requested(self, code: int, mid: bytes, message: bytes) -> None:
        token = message[4 : 4 + (message[0] & 15)]
        if code != _GET:
            self._send(bytes((0x40 | _ACK << 4 | len(token), _METHOD_NOT_ALLOWED)) + mid + token)
            return
        options = dict(read_options(message))
        self._accept = options.get(_ACCEPT, b"")
        begins = options.get(_OBSERVE) == b""
        if begins:
            self.observed_with = token
        elif _OBSERVE not in options:
            self.reads += 1
        self._send(self._content(_ACK, mid, token, is_observed=begins))

    def _content(self, kind: int, mid: bytes, token: bytes, *, is_observed: bool) -> bytes:
        """2.05 with the value, in SenML CBOR if that was asked for, else as text."""
        self._measured = 20.0 + (time.monotonic() * 7.0) % 5.0
        is_senml = int.from_bytes(self._accept, "big") == _SENML_CBOR
        head = bytes((0x40 | kind << 4 | len(token), _CONTENT)) + mid + token
        observe = b"\x63" + (self._sequence & 0xFFFFFF).to_bytes(3, "big") if is_observed else b""
        delta = 6 if is_observed else 12
        if not is_senml:
            return head + observe + bytes((delta << 4,)) + b"\xff" + f"{self._measured:.4f}".encode()
        name = bytes((0x60 | len(PATH),)) + PATH.encode()
        record = b"\x81\xa2\x00" + name + b"\x02\xfb" + struct.pack(">d", self._measured)
        return head + observe + bytes((delta << 4 | 1, _SENML_CBOR)) + b"\xff" + record
