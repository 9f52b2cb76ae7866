"""The object models one operator's devices are read by: the shipped ones and those that were loaded.

Nearest wins: the operator's own definition, then one loaded for all operators, then the shipped one. The
catalogue is kept in each process and made anew when the rows have changed, which a process looks for at most
every `RECHECK_SECONDS`; whoever changes them calls `forget`, at once and when it is committed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet

from devices.inventory.models import ObjectDefinition
from lwm2m.errors import Lwm2mError
from lwm2m.objects import Catalogue, ObjectModel, core, from_json

logger = logging.getLogger(__name__)

RECHECK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: dict[str, Any]
    checked: float
    catalogue: Catalogue


_kept: dict[int | None, _Kept] = {}


def catalogue(operator_id: int | None) -> Catalogue:
    """The models of an operator; None for what is loaded for all operators alone."""
    kept = _kept.get(operator_id)
    now = time.monotonic()
    if kept and now - kept.checked < RECHECK_SECONDS:
        return kept.catalogue
    rows = definitions(operator_id)
    stamp = rows.order_by().aggregate(count=Count("pk"), newest=Max("pk"), last=Max("loaded_at"))
    if kept is None or kept.stamp != stamp:
        found = core().extended(_models(rows)) if stamp["count"] else core()
        kept = _Kept(stamp, now, found)
    _kept[operator_id] = _Kept(kept.stamp, now, kept.catalogue)
    return kept.catalogue


def definitions(operator_id: int | None) -> QuerySet[ObjectDefinition]:
    """The loaded rows that count for an operator, those of all operators first."""
    return ObjectDefinition.objects.filter(Q(operator=None) | Q(operator_id=operator_id)).order_by(
        F("operator_id").asc(nulls_first=True), "object_id", "version"
    )


def forget() -> None:
    """Look at the rows again at the next call."""
    _kept.clear()


def _models(rows: QuerySet[ObjectDefinition]) -> Iterator[ObjectModel]:
    for row in rows:
        try:
            yield from_json(row.definition)
        except Lwm2mError:  # written by hand; one bad row must not take the others away
            logger.error(
                "object_definition.unreadable", extra={"definition": row.pk, "operator": row.operator_id}
            )
