"""Every sentence with which a service refuses, by name: `Refused("HISTORY_DAYS_OUT_OF_RANGE", field="days", limit=9)`.

A name may change, it stands in no ledger; the cause of a sentence is the code that does.
"""

from audit.catalogue.refusals import (
    access,
    accounts,
    attributes,
    commands,
    labels,
    messaging,
    observing,
    operations,
    packages,
    profiles,
    values,
)
from audit.catalogue.sentence import Sentence

__all__ = ["SENTENCES", "Sentence", "get"]

_LISTED = (
    access,
    accounts,
    attributes,
    commands,
    labels,
    messaging,
    observing,
    operations,
    packages,
    profiles,
    values,
)
SENTENCES: dict[str, Sentence] = {
    name: sentence for module in _LISTED for name, sentence in module.SENTENCES.items()
}
if len(SENTENCES) != sum(len(module.SENTENCES) for module in _LISTED):
    raise RuntimeError("two sentences in audit/catalogue/refusals have the same name")


def get(name: str) -> Sentence:
    """The sentence of that name; raises KeyError for one that is not in the catalogue."""
    return SENTENCES[name]
