"""DTLS 1.2 without I/O: datagrams, keys and the time in; datagrams and events out.

OpenSSL computes the handshake; addresses, cookies, retransmission, records and connection ids are ours. See
docs/dtls.md.
"""

from __future__ import annotations

from dtls.client import Client
from dtls.config import ServerConfig
from dtls.errors import BackendUnusable, SessionGone
from dtls.events import Closed, Established, Event, KeyWanted, Moved, Received, Refused, Transmit
from dtls.server import Server
from dtls.session import Address, Session

__all__ = [
    "Address",
    "BackendUnusable",
    "Client",
    "Closed",
    "Established",
    "Event",
    "KeyWanted",
    "Moved",
    "Received",
    "Refused",
    "Server",
    "ServerConfig",
    "Session",
    "SessionGone",
    "Transmit",
]
