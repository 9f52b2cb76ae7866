"""The ledger's and the standard's codes in words. A code without words here is shown readably as it is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from audit.actions import words as action

__all__ = ["OPERATIONS", "RESPONSES", "action", "label", "operation", "response"]

RESPONSES = {
    "2.01": _("created"),
    "2.02": _("deleted"),
    "2.03": _("valid"),
    "2.04": _("changed"),
    "2.05": _("content"),
    "4.00": _("bad request: the device could not make sense of it"),
    "4.01": _("unauthorized: the device does not take this from us"),
    "4.04": _("not found: the device has no such thing"),
    "4.05": _("method not allowed: the device does not offer this"),
    "4.06": _("not acceptable: the device finds the configuration incomplete or contradictory"),
    "4.08": _("incomplete: parts of the message were missing"),
    "4.09": _("conflict with what the device holds"),
    "4.13": _("too large for the device"),
    "4.15": _("the device does not know this format"),
    "5.00": _("internal error in the device"),
    "5.01": _("not implemented in the device"),
    "5.03": _("the device has no time now"),
}

OPERATIONS = {
    "discover": _("Discover"),
    "delete": _("Delete"),
    "write": _("Write"),
    "read": _("Read"),
    "finish": _("Finish"),
    "pack": _("Request"),
}


def response(code: str) -> str:
    return RESPONSES.get(code, "")


def operation(code: str) -> str:
    return OPERATIONS.get(code.lower(), code.capitalize())


def label(key: str) -> str:
    return key.replace("_", " ")
