"""A language made in memory: every message stands in ⟦…⟧, so that what gettext never saw stands outside."""

from __future__ import annotations

import re
from gettext import NullTranslations
from html.parser import HTMLParser

CONTEXT = "\x04"
ENDS = {
    *(
        "p",
        "div",
        "li",
        "td",
        "th",
        "tr",
        "h1",
        "h2",
        "h3",
        "h4",
        "section",
        "main",
        "nav",
        "form",
        "label",
        "option",
    ),
    *(
        "button",
        "summary",
        "dt",
        "dd",
        "legend",
        "figcaption",
        "caption",
        "title",
        "ul",
        "ol",
        "table",
        "header",
        "footer",
    ),
}
"""A message never reaches over the edge of one of these."""
HIDDEN = {"script", "style", "template", "code", "pre", "svg"}
"""Not words: programs, and what is typed or copied as it stands."""
SPOKEN = {"title", "alt", "placeholder", "aria-label", "data-label", "data-outcome"}
VOID = {"br", "hr", "img", "input", "link", "meta", "use", "progress"}
WORD = re.compile(r"[A-Za-zÀ-ɏ]{2,}")


class Wrapped(NullTranslations):
    """What `django.utils.translation` asks of a catalogue."""

    domain = "django"

    def gettext(self, message: str) -> str:
        text = message.rpartition(CONTEXT)[2]
        return f"⟦{text}⟧" if text.strip() else text

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def language(self) -> str:
        return "xx"

    to_language = language


class _Visible(HTMLParser):
    """Collects the words outside of ⟦…⟧, and where they stand."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.path: list[str] = []
        self.kept = 0  # how deep inside of something that stays as it is: translate="no", as HTML has it
        self.depth = 0
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ENDS:
            self.depth = 0
        given = dict(attrs)
        is_button = tag == "input" and given.get("type") in ("submit", "button", "reset")
        for name, value in attrs:
            if value and (name in SPOKEN or (name == "value" and is_button)):
                self.note(outside(value)[0], f"{tag}[{name}]")
        if tag not in VOID:
            self.path.append(tag)
            if given.get("translate") == "no" and not self.kept:
                self.kept = len(self.path)

    def handle_endtag(self, tag: str) -> None:
        if tag in ENDS:
            self.depth = 0
        if tag in self.path:
            while self.path.pop() != tag:
                pass
            if len(self.path) < self.kept:
                self.kept = 0

    def handle_data(self, data: str) -> None:
        if not self.kept and not HIDDEN.intersection(self.path):
            text, self.depth = outside(data, self.depth)
            self.note(text, "/".join(self.path[-3:]))

    def note(self, text: str, where: str) -> None:
        if WORD.search(text):
            self.found.append((" ".join(text.split()), where))


def outside(text: str, depth: int = 0) -> tuple[str, int]:
    """What of the text stands outside, and how many messages are open at its end."""
    kept = []
    for character in text:
        if character == "⟦":
            depth += 1
            kept.append(" ")
        elif character == "⟧":
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(character)
    return "".join(kept), depth


def escaped(page: str) -> list[tuple[str, str]]:
    """(words, where) of all that a reader of the page sees and gettext never saw."""
    reader = _Visible()
    reader.feed(page)
    reader.close()
    return reader.found
