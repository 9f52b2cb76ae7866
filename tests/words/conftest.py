"""The language of ⟦…⟧, for everybody who asks the site for a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation
from django.utils.translation import trans_real

from tests.backoffice.conftest import (
    clean_start,
    device,
    fleet,
    member,
    north,
    person,
    registered,
    south,
    subscriber,
)
from tests.words.pseudo import Wrapped

__all__ = ["clean_start", "device", "fleet", "member", "north", "person", "registered", "south", "subscriber"]


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only inside: what a test stores with services before is stored in English, as records are."""
    monkeypatch.setitem(trans_real._translations, "xx", Wrapped())
    monkeypatch.setattr(translation, "get_language_from_request", lambda *_args, **_more: "xx")
    yield
    translation.activate("en-gb")
