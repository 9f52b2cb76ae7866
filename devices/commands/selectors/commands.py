"""The commands and protocol messages that staff may see, and how a device's mailbox stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import ngettext

from accounts.scoping import of_staff
from devices.commands.models import Command, CommandState
from devices.inventory.models import Device
from devices.registry.selectors import sessions
from devices.registry.selectors.sessions import Session
from devices.telemetry.models import TraceMessage


def visible_commands(user: Any) -> QuerySet[Command]:
    """Of devices of operators where the role may see commands; subscribers see none."""
    return of_staff(Command.objects.all(), user, "device__operator")


def visible_trace(user: Any) -> QuerySet[TraceMessage]:
    """The same for the last messages, newest first."""
    return of_staff(TraceMessage.objects.all(), user, "device__operator", "commands.view_command")


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a command has not ended: whether the device listens, in words, and how many wait."""

    is_listening: bool
    words: str
    waiting: int


def standing(device: Device, now: datetime) -> Standing:
    """For whoever waits for an answer: "asleep until about 14:20, 3 commands waiting"."""
    told = sessions.of_device(device, now)
    waiting = Command.objects.filter(device=device, state=CommandState.QUEUED).count()
    if not waiting:
        return Standing(told.state == Session.REGISTERED, told.words, waiting)
    words = ngettext("%(words)s, %(count)s command waiting", "%(words)s, %(count)s commands waiting", waiting)
    words %= {"words": told.words, "count": waiting}
    return Standing(told.state == Session.REGISTERED, words, waiting)
