"""Every refusal in the source says a sentence of the catalogue, with the facts that this sentence wants."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy, ngettext_lazy

from accounts.errors import Refused
from audit import causes, refusals
from audit.catalogue.sentence import Either, Sentence, Together
from devices.inventory.states import Access

HOUSE = Path(__file__).parents[2]
SOURCES = [
    path
    for path in sorted(HOUSE.glob("*/**/*.py"))
    if path.relative_to(HOUSE).parts[0] not in ("tests", "var", "bench") and ".venv" not in path.parts
]
_ERRORS = ("accounts.errors", "devices.inventory.errors")


def _raised() -> Iterator[tuple[str, ast.Call]]:
    """Where in the source, and the call that makes the refusal."""
    for path in SOURCES:
        text = path.read_text()
        if "Refused" not in text:
            continue
        tree = ast.parse(text)
        is_ours = any(
            isinstance(node, ast.ImportFrom)
            and node.module in _ERRORS
            and "Refused" in [one.name for one in node.names]
            for node in ast.walk(tree)
        )
        for node in ast.walk(tree):
            if is_ours and isinstance(node, ast.Call) and ast.unparse(node.func) == "Refused":
                yield f"{path.relative_to(HOUSE)}:{node.lineno}", node


def _names(node: ast.expr) -> list[str]:
    """The names that a call may use: a literal, or a choice among literals."""
    if isinstance(node, ast.IfExp):
        return _names(node.body) + _names(node.orelse)
    assert isinstance(node, ast.Constant), ast.unparse(node)
    return [node.value]


RAISED = list(_raised())


@pytest.mark.parametrize(("where", "call"), RAISED, ids=[where for where, _ in RAISED])
def test_a_refusal_gives_the_facts_that_its_sentence_wants(where: str, call: ast.Call) -> None:
    assert len(call.args) == 1, "a refusal has a name and facts, no sentence"
    given = {one.arg for one in call.keywords}
    assert None not in given, "facts are named where they are given"
    for name in _names(call.args[0]):
        assert refusals.get(name).facts == given - {"field"}, name
    for one in call.keywords:
        literals = [part for part in ast.walk(one.value) if isinstance(part, ast.Constant)]
        words = [part.value for part in literals if isinstance(part.value, str) and " " in part.value.strip()]
        assert not words, f"{words} belongs in the catalogue"


def test_every_sentence_is_said_somewhere_and_has_a_cause_of_the_catalogue() -> None:
    said = {name for _, call in RAISED for name in _names(call.args[0])}
    assert said == set(refusals.SENTENCES)
    assert {one.cause for one in refusals.SENTENCES.values()} <= set(causes.CAUSES)


@pytest.mark.parametrize("name", sorted(refusals.SENTENCES))
def test_a_sentence_is_a_sentence(name: str) -> None:
    sentence = refusals.get(name)
    text = sentence.say(dict.fromkeys(sentence.facts, 2))
    assert (len(sentence.facts) == 1 and text == "2") or text.endswith((".", "2"))


def test_a_number_decides_the_form() -> None:
    sentence = refusals.get("KEY_LENGTH")
    assert sentence.say({"length": 1, "low": 16, "high": 64}).startswith("The key has 1 byte;")
    assert sentence.say({"length": 0, "low": 16, "high": 64}).startswith("The key has 0 bytes;")


def test_facts_are_written_for_the_reader(settings) -> None:
    settings.LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
    settings.USE_THOUSAND_SEPARATOR = True
    sentence = Sentence("CONFLICT", gettext_lazy("%(number)s at %(at)s, %(state)s"))
    facts = {"number": 12345, "at": datetime(2026, 3, 1, 22, 30, tzinfo=UTC), "state": Access.SUSPENDED}
    with translation.override("de"), timezone.override("Asia/Kolkata"):
        assert sentence.say(facts).startswith("12.345 at 2. März 2026 04:00, ")
    with translation.override("en-gb"), timezone.override("UTC"):
        assert sentence.say(facts) == "12,345 at 1 Mar 2026, 10:30 p.m., suspended"


def test_words_are_listed() -> None:
    sentence = Sentence("CONFLICT", gettext_lazy("%(all)s; %(either)s; %(both)s"))
    words = ("a", "b", "c")
    facts = {"all": words, "either": Either(words), "both": Together(words)}
    assert sentence.say(facts) == "a, b, c; a or b or c; a and b and c"


def test_what_is_stored_is_said_in_the_portals_language(settings) -> None:
    settings.LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
    refused = Refused("HISTORY_DAYS_OUT_OF_RANGE", field="days", limit=3650)
    with translation.override("de"):
        assert refused.recorded == "History is kept for 0 to 3650 days."
    assert (refused.cause, refused.field) == ("VALIDATION_FAILED", "days")


def test_a_missing_fact_is_a_programs_mistake() -> None:
    with pytest.raises(KeyError):
        _ = Refused("HISTORY_DAYS_OUT_OF_RANGE", field="days").detail
    with pytest.raises(KeyError):
        Refused("NO_SUCH_SENTENCE")
    assert Sentence("CONFLICT", ngettext_lazy("%(a)s", "%(b)s of %(a)s", "a")).facts == {"a", "b"}
