"""Deeds over many rows: kept as a job with an outcome for each row, done in pieces, safe to run twice.

A row is done, or left alone, or refused in the service's words, or failed by a fault of ours; none of that stops
another row. The row of the job is locked, then the deed done and its outcome written in the same transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, Model
from django.utils import timezone

from accounts import tenancy
from accounts.models import BulkJob, BulkRow, BulkRowState, User
from accounts.scoping.deeds import Deed
from audit import ledger, locks

logger = logging.getLogger(__name__)

PIECE = 100
KEPT = timedelta(days=90)
STANDS_STILL = timedelta(seconds=60)
DETAIL_LIMIT = 300


def start(
    *,
    model: type[Model],
    action: str,
    object_ids: Iterable[int],
    operator_id: int | None,
    reason: str,
    by: User,
) -> BulkJob:
    """A job over rows of one operator; nothing is done yet."""
    with transaction.atomic():
        job = BulkJob.objects.create(
            model=model._meta.label_lower,
            action=action,
            operator_id=operator_id,
            reason=reason,
            requested_by=by,
        )
        rows = [BulkRow(job=job, object_id=one) for one in object_ids]
        BulkRow.objects.bulk_create(rows, batch_size=1000)
    return job


def run(
    *,
    job: BulkJob,
    model: type[Model],
    deed: Deed,
    operator_path: str,
    refusals: tuple[type[Exception], ...],
    limit: int = PIECE,
) -> bool:
    """Do the next rows; True when none is left. Lost connections escape, for a later try."""
    waiting = job.rows.filter(state=BulkRowState.WAITING).order_by("pk")
    by = job.requested_by
    for row_id in list(waiting.values_list("pk", flat=True)[:limit]):
        try:
            _one(row_id, job, model, deed, operator_path, by)
        except refusals as refusal:
            _settle(row_id, BulkRowState.REFUSED, str(refusal))
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("bulk_row_failed job=%d row=%d action=%s", job.pk, row_id, job.action)
            _settle(row_id, BulkRowState.FAILED, "Something went wrong on our side and was recorded.")
    is_over = not waiting.exists()
    now = timezone.now()
    BulkJob.objects.filter(pk=job.pk).update(touched_at=now, **({"ended_at": now} if is_over else {}))
    return is_over


def _one(row_id: int, job: BulkJob, model: type[Model], deed: Deed, operator_path: str, by: User) -> None:
    with ledger.unit_of_work():
        row = locks.rows(BulkRow.objects.filter(pk=row_id, state=BulkRowState.WAITING)).first()
        if row is None:
            return
        target = model._default_manager.filter(pk=row.object_id).first()
        state, detail = BulkRowState.DONE, ""
        if target is None:
            state, detail = BulkRowState.SKIPPED, "is gone"
        elif not tenancy.may(by, _permission(model, deed), tenancy.operator_id_of(target, operator_path)):
            state, detail = BulkRowState.REFUSED, "Your role does not allow this any more."
        elif why := _left_alone(target, deed):
            state, detail = BulkRowState.SKIPPED, why
        else:
            with ledger.context(actor=ledger.user_actor(by)):
                deed.do(target, job.reason, by)
        row.state, row.detail, row.at = state, detail, timezone.now()
        row.save(update_fields=["state", "detail", "at"])


def _permission(model: type[Model], deed: Deed) -> str:
    return f"{model._meta.app_label}.{deed.verb}_{model._meta.model_name}"


def _left_alone(target: Model, deed: Deed) -> str:
    same = type(target)._default_manager.filter(pk=target.pk)
    return next((skip.why for skip in deed.skips if same.filter(skip.rows).exists()), "")


def _settle(row_id: int, state: BulkRowState, detail: str) -> None:
    BulkRow.objects.filter(pk=row_id, state=BulkRowState.WAITING).update(
        state=state, detail=detail[:DETAIL_LIMIT], at=timezone.now()
    )


def counts(job: BulkJob) -> dict[str, int]:
    """How many rows are in each state; those in none are not named."""
    return dict(job.rows.values_list("state").annotate(Count("pk")).order_by("state"))


def sweep(*, now: datetime, ring: Callable[[int], None]) -> int:
    """Have `ring` called for jobs that stand still, and forget old ones; how many were rung for."""
    BulkJob.objects.filter(ended_at__lt=now - KEPT).delete()
    still = BulkJob.objects.filter(ended_at=None, touched_at__lt=now - STANDS_STILL)
    found = list(still.values_list("pk", flat=True))
    for job_id in found:
        ring(job_id)
    return len(found)


def details(job: BulkJob, state: str) -> list[tuple[str, int]]:
    """What was said of rows in this state, with how many."""
    rows: Any = job.rows.filter(state=state).values_list("detail").annotate(count=Count("pk"))
    return list(rows.order_by("-count", "detail")[:10])
