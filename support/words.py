"""The ledger's and the standard's codes in words. A code without words here is shown readably as it is."""

from __future__ import annotations

from audit.actions import ACTIONS
from audit.actions import words as action

__all__ = ["ACTIONS", "OPERATIONS", "RESPONSES", "action", "label", "operation", "response"]

RESPONSES = {
    "2.01": "created",
    "2.02": "deleted",
    "2.03": "valid",
    "2.04": "changed",
    "2.05": "content",
    "4.00": "bad request: the device could not make sense of it",
    "4.01": "unauthorized: the device does not take this from us",
    "4.04": "not found: the device has no such thing",
    "4.05": "method not allowed: the device does not offer this",
    "4.06": "not acceptable: the device finds the configuration incomplete or contradictory",
    "4.08": "incomplete: parts of the message were missing",
    "4.09": "conflict with what the device holds",
    "4.13": "too large for the device",
    "4.15": "the device does not know this format",
    "5.00": "internal error in the device",
    "5.01": "not implemented in the device",
    "5.03": "the device has no time now",
}

OPERATIONS = {
    "discover": "Discover",
    "delete": "Delete",
    "write": "Write",
    "read": "Read",
    "finish": "Finish",
    "pack": "Request",
}


def response(code: str) -> str:
    return RESPONSES.get(code, "")


def operation(code: str) -> str:
    return OPERATIONS.get(code.lower(), code.capitalize())


def label(key: str) -> str:
    return key.replace("_", " ")
