"""Names of the channel groups by which live pages hear that something changed."""

from __future__ import annotations

BOARD = "board"
"""Superusers' board: devices of all operators."""

EVERYONE = "devices"
"""Every live page is in it."""


def device(device_id: int) -> str:
    return f"device.{device_id}"


def operator(operator_id: int) -> str:
    return f"operator.{operator_id}"


def person(user_id: int) -> str:
    return f"person.{user_id}"
