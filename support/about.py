"""What an event of the ledger is about, in a few words beside its action: which step, which command, from where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from audit.actions import Action
from devices.inventory.models import Plane
from devices.inventory.states import Provisioning
from provisioning.models import JobKind, SessionState
from provisioning.rungs import IDLE
from provisioning.rungs import KINDS as RUNGS
from provisioning.steps import KINDS
from support import words

Said = Mapping[str, Any]


def of(action: str, *, before: Said | None, after: Said | None, detail: Said | None) -> str:
    """Empty where the action says it all. Never raises: old events keep what old versions wrote."""
    teller = _TELLERS.get(action) or _TELLERS.get(action.split(".")[0])
    if teller is None:
        return ""
    try:
        return teller(before or {}, after or {}, detail or {})
    except (KeyError, ValueError, TypeError, AttributeError):
        return ""


def _step(before: Said, after: Said, detail: Said) -> str:
    kind = KINDS.get(detail["step"])
    return kind.TITLE if kind else words.label(detail["step"])


def _job(before: Said, after: Said, detail: Said) -> str:
    return JobKind(detail["kind"]).label


def _command(before: Said, after: Said, detail: Said) -> str:
    asked = f"{words.operation(detail['operation'])} {detail['path']}"
    return f"{asked}, {detail['response_code']}" if detail.get("response_code") else asked


def _credential(before: Said, after: Said, detail: Said) -> str:
    return gettext("for the %(server)s") % {"server": Plane(detail["plane"]).label.lower()}


def _provisioning(before: Said, after: Said, detail: Said) -> str:
    old, new = Provisioning(before["provisioning"]), Provisioning(after["provisioning"])
    return f"{old.label} → {new.label}"


def _bootstrap(before: Said, after: Said, detail: Said) -> str:
    state = SessionState(detail["state"])
    return "" if state == SessionState.RUNNING else state.label.lower()


def _registration(before: Said, after: Said, detail: Said) -> str:
    return gettext("from %(address)s, lifetime %(seconds)s s") % {
        "address": after["came_from"],
        "seconds": after["lifetime_seconds"],
    }


def _described(before: Said, after: Said, detail: Said) -> str:
    return " ".join(str(after[name]) for name in ("manufacturer", "model_number") if after.get(name))


def _missed(before: Said, after: Said, detail: Said) -> str:
    return gettext("expected at %(clock)s") % {"clock": _clock(detail["expected_at"])}


def _rung(before: Said, after: Said, detail: Said) -> str:
    return RUNGS[detail["rung"]].DID


def _left_out(before: Said, after: Said, detail: Said) -> str:
    return RUNGS[detail["rung"]].TITLE


def _heard(before: Said, after: Said, detail: Said) -> str:
    return (
        gettext("after it was %(done)s") % {"done": RUNGS[detail["rung"]].DID}
        if detail["rung"] not in IDLE
        else ""
    )


def _clock(text: str) -> str:
    return timezone.localtime(datetime.fromisoformat(text)).strftime("%H:%M:%S")


_TELLERS: dict[str, Callable[[Said, Said, Said], str]] = {
    Action.JOB_STEP_RUNNING: _step,
    Action.JOB_STEP_WAITING: _step,
    Action.JOB_STEP_DONE: _step,
    Action.JOB_STEP_SKIPPED: _step,
    Action.JOB_STEP_FAILED: _step,
    "job": _job,
    Action.REACH_MISSED: _missed,
    Action.REACH_TAKEN: _rung,
    Action.REACH_SKIPPED: _left_out,
    Action.REACH_REACHED: _heard,
    "command": _command,
    "credential": _credential,
    Action.DEVICE_PROVISIONING: _provisioning,
    Action.DEVICE_DESCRIBED: _described,
    "bootstrap": _bootstrap,
    Action.REGISTRATION_REGISTERED: _registration,
    Action.REGISTRATION_REPLACED: _registration,
}
