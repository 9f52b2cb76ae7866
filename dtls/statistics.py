"""Counters of a server, for the operator's dashboard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Statistics:
    """All but the last two only grow."""

    handshakes: int = 0  # established
    refused: int = 0
    timeouts: int = 0
    hello_verify_requests: int = 0
    flooded: int = 0  # ClientHellos with a good cookie for which there was no room
    retransmissions: int = 0
    malformed: int = 0  # datagrams and messages that are no DTLS of ours
    bad_records: int = 0  # that did not authenticate
    replays: int = 0
    unknown_cid: int = 0
    unknown_address: int = 0
    moves: int = 0
    idle: int = 0
    evicted: int = 0
    surplus: int = 0  # closed because their identity had as many as it may
    half_open: int = 0
    sessions: int = 0
