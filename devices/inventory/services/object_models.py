"""Object definitions of operators: loaded from DDF files, replaced by newer files, removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from django.db import transaction
from django.utils import timezone

from accounts.errors import Refused
from accounts.models import Operator
from audit import ledger
from audit.actions import Action
from devices.inventory import locks, object_models
from devices.inventory.models import ObjectDefinition
from lwm2m import ddf
from lwm2m.errors import Lwm2mError
from lwm2m.objects import ObjectModel, to_json

MAX_FILE_BYTES = ddf.MAX_BYTES
MAX_DEFINITIONS = 5_000
_NAME_LIMIT = 200
NOTES_LIMIT = 20


class Result(Enum):
    LOADED = "loaded"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it came: its name without folders, and its content."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one file; `objects` are such as ``/3303 1.1 Temperature``, `detail` why it was refused.

    `notes` say what is odd about single resources and how it was taken, at most `NOTES_LIMIT` of them.
    """

    file: str
    result: Result
    objects: tuple[str, ...] = ()
    detail: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    file: str
    models: Sequence[ObjectModel]
    refusal: str = ""
    notes: tuple[str, ...] = ()


def load(*, operator: Operator | None, files: Iterable[Source], now: datetime | None = None) -> list[Report]:
    """Load files for an operator, or for all with None; one report a file, in their order.

    A file is used or, when it does not say which object it is about, not at all; a refused file hinders no other,
    and an odd resource no object. Loading an object and version again replaces it.
    """
    reads = _read(files)
    with ledger.unit_of_work():
        room = MAX_DEFINITIONS - ObjectDefinition.objects.filter(operator=operator).count()
        reports = []
        for read in reads:
            refusal = read.refusal or ("" if len(read.models) <= room else _FULL)
            if refusal:
                reports.append(_refused(operator, read.file, refusal))
                continue
            results = [_store(operator, model, read, now or timezone.now()) for model in read.models]
            room -= results.count(Result.LOADED)
            shown = tuple(f"/{model.object_id} {model.version} {model.name}" for model in read.models)
            reports.append(Report(read.file, _together(results), shown, notes=read.notes))
        _announce()
    return reports


_FULL = f"More than {MAX_DEFINITIONS} definitions are loaded; remove some that no device uses."


def _read(files: Iterable[Source]) -> list[_Read]:
    """Parse all before anything is written. Files that contradict each other are refused from the second on."""
    reads: list[_Read] = []
    owners: dict[tuple[int, str], tuple[str, ObjectModel]] = {}
    for source in files:
        name = source.name.encode(errors="replace").decode()[-_NAME_LIMIT:]
        notes = ddf.Notes()
        try:
            models = ddf.parse(source.content, notes)
        except Lwm2mError as error:
            reads.append(_Read(name, (), error.detail))
            continue
        refusal = ""
        for model in models:
            owner, same = owners.get((model.object_id, model.version), (name, model))
            if same != model:
                refusal = (
                    f"{owner}, loaded together with it, defines object {model.object_id} {model.version} "
                    "differently; load the right one alone."
                )
        if not refusal:
            owners = {(model.object_id, model.version): (name, model) for model in models} | owners
        reads.append(_Read(name, models, refusal, _few(notes)))
    return reads


def _few(notes: Sequence[str]) -> tuple[str, ...]:
    left = len(notes) - NOTES_LIMIT
    return (*notes[:NOTES_LIMIT], *([f"And {left} more."] if left > 0 else []))


def _store(operator: Operator | None, model: ObjectModel, read: _Read, now: datetime) -> Result:
    content, file = to_json(model), read.file
    row, is_new = locks.rows(ObjectDefinition.objects).get_or_create(
        operator=operator,
        object_id=model.object_id,
        version=model.version,
        defaults={"name": model.name, "definition": content, "source": file, "loaded_at": now},
    )
    if not is_new and row.definition == content:
        return Result.UNCHANGED
    before = None if is_new else _facts(row)
    if not is_new:
        row.name, row.definition, row.source, row.loaded_at = model.name, content, file, now
        row.save(update_fields=["name", "definition", "source", "loaded_at"])
    result = Result.LOADED if is_new else Result.REPLACED
    ledger.record(
        action=Action.OBJECT_DEFINITION_LOADED if is_new else Action.OBJECT_DEFINITION_REPLACED,
        operator_id=operator.pk if operator else None,
        target=f"/{model.object_id} {model.version}",
        before=before,
        after=_facts(row),
        detail={"notes": list(read.notes)} if read.notes else None,
    )
    return result


def _facts(row: ObjectDefinition) -> dict[str, object]:
    return {"name": row.name, "file": row.source, "resources": len(row.definition.get("resources", ()))}


def _together(results: Sequence[Result]) -> Result:
    """One word for a file with several objects: what changed most."""
    return next(one for one in (Result.REPLACED, Result.LOADED, Result.UNCHANGED) if one in results)


def _refused(operator: Operator | None, file: str, detail: str) -> Report:
    ledger.record(
        action=Action.OBJECT_DEFINITION_REFUSED,
        operator_id=operator.pk if operator else None,
        target=file,
        result="refused",
        cause="VALIDATION_FAILED",
        detail={"reason": detail},
    )
    return Report(file, Result.REFUSED, detail=detail)


def remove(*, operator: Operator | None, object_id: int, version: str, reason: str = "") -> None:
    """Take a loaded definition away; devices are then read by the next one that knows the object."""
    with ledger.unit_of_work():
        row = (
            locks.rows(ObjectDefinition.objects)
            .filter(operator=operator, object_id=object_id, version=version)
            .first()
        )
        if row is None:
            raise Refused("OBJECT_NOT_LOADED", object_id=object_id, version=version)
        before = _facts(row)
        row.delete()
        ledger.record(
            action=Action.OBJECT_DEFINITION_REMOVED,
            operator_id=operator.pk if operator else None,
            target=f"/{object_id} {version}",
            before=before,
            reason=reason,
        )
        _announce()


def _announce() -> None:
    """This transaction and, once it is committed, this process see the change at once, others when they look again."""
    object_models.forget()
    transaction.on_commit(object_models.forget)
