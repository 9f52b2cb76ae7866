"""No template holds words past gettext: what stands outside of `translate` and `blocktranslate` has no letters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.words.pseudo import HIDDEN, SPOKEN

HOUSE = Path(__file__).parents[2]
ROOMS = (
    "accounts",
    "api",
    "backoffice",
    "devices",
    "live",
    "m2m_portal",
    "provisioning",
    "selfservice",
    "support",
)
TEMPLATES = sorted(
    path
    for room in ROOMS
    for path in (HOUSE / room).glob("**/templates/**/*")
    if path.suffix in (".html", ".txt")
)
ESCAPES = {
    "LwM2M": "the standard's name",
    "SMS": "the service's name",
    "rd": "the path of a registration, as the protocol has it",
    "urn": "an example of an endpoint name",
    "ms": "a unit",
    "PSK": "the standard's abbreviation",
}
"""Words that stay as they are, with the reason."""
_TRANSLATED = re.compile(
    r"{% blocktranslate\b.*?{% endblocktranslate %}|{% comment %}.*?{% endcomment %}", re.DOTALL
)
_TOKEN = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
_CLASSES = re.compile(r"{% block (?:page_class|bodyclass|coltype) %}.*?{% endblock %}", re.DOTALL)
_HIDDEN = re.compile(rf"<({'|'.join(HIDDEN)})\b.*?</\1>", re.DOTALL)
_TAG = re.compile(r"<!doctype[^>]*>|</?[A-Za-z][^>]*>", re.IGNORECASE)
_SPOKEN = re.compile(rf"\b(?:{'|'.join(SPOKEN)})=\"([^\"]*)\"")
_WORD = re.compile(r"(?<![\w&])[A-Za-z]\w+")


def escaped(template: str) -> list[str]:
    """Words of the template that gettext never sees."""
    plain = _CLASSES.sub("", _TRANSLATED.sub("", template))
    plain = _TOKEN.sub("\0", plain)
    plain = _HIDDEN.sub("", plain)
    said = [_TAG.sub(" ", plain), *_SPOKEN.findall(plain)]
    words = [word for text in said for word in _WORD.findall(re.sub(r"&\w+;", " ", text))]
    return [word for word in words if word not in ESCAPES]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_every_word_goes_through_gettext(path: Path) -> None:
    assert not escaped(path.read_text())


def test_the_check_finds_what_escapes() -> None:
    assert escaped('<p title="A hint">{% translate "x" %} and <b>{{ y }}</b></p>') == ["and", "hint"]
    assert escaped("{% blocktranslate %}All of it{% endblocktranslate %}<code>GET /rd</code>") == []
    assert len(TEMPLATES) > 100
