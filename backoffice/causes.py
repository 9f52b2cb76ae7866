"""Causes as staff read them."""

from __future__ import annotations

from audit.causes import CAUSES


def in_words(code: str) -> str:
    """A cause for staff: its sentence, or the bare code of one that the catalogue does not have."""
    return f"{CAUSES[code].support} ({code})" if code in CAUSES else code
