"""Mandatory parameters in bytes: integers and C-Octet Strings (SMPP 3.4 section 3.1), read and written bounded."""

from __future__ import annotations

from smpp.errors import Malformed, TooLong
from smpp.status import Status


class Reader:
    """Takes fields off a body from the front; each read raises `Malformed` when the bytes are not there."""

    __slots__ = ("_at", "_body")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._body) - self._at

    def octets(self, count: int) -> bytes:
        """Exactly so many bytes."""
        if count > self.left:
            raise Malformed(f"{count} bytes announced, {self.left} there", Status.INVMSGLEN)
        taken = self._body[self._at : self._at + count]
        self._at += count
        return taken

    def integer(self, size: int = 1) -> int:
        return int.from_bytes(self.octets(size), "big")

    def string(self, limit: int) -> str:
        """A C-Octet String of up to ``limit`` bytes with its NUL.

        Latin-1, which has a character for every byte: the specification says ASCII, and what is not ASCII must
        not stop a whole link.
        """
        end = self._body.find(b"\0", self._at, self._at + limit)
        if end < 0:
            raise Malformed(f"a string does not end within {limit} bytes", Status.INVPARLEN)
        text = self._body[self._at : end].decode("latin-1")
        self._at = end + 1
        return text

    def rest(self) -> bytes:
        return self.octets(self.left)


def string(text: str, limit: int) -> bytes:
    """Write a C-Octet String. Raises `TooLong`; a character that is not Latin-1 or is NUL has no place in one."""
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        raise TooLong(f"{text!r} has characters that SMPP cannot carry") from None
    if len(octets) >= limit or b"\0" in octets:
        raise TooLong(f"{text!r} does not fit in {limit - 1} characters")
    return octets + b"\0"


def octets(*values: int) -> bytes:
    """Write integers of one byte each. Raises `TooLong` when one does not fit."""
    try:
        return bytes(values)
    except ValueError:
        raise TooLong(f"{values} do not all fit in a byte") from None
