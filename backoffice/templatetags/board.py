"""Small words of the board's templates."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice import requesters
from backoffice.board.parts import MARKS
from devices.registry.models import Registration

register = template.Library()

_UNITS = ((86400, _("%(count)s d")), (3600, _("%(count)s h")), (60, _("%(count)s min")))


@register.filter
def mark(state: str) -> str:
    """A shape beside the colour of a session state."""
    return MARKS.get(state, "")


@register.filter
def requester(requested_by: str) -> str:
    return requesters.words(requested_by)


@register.filter
def left(seconds: int) -> str:
    """A span in its largest unit, so coarse that a row does not change every second: `23 h`, `< 1 min`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return str(unit % {"count": seconds // size})
    return gettext("< 1 min")


@register.filter
def address(registration: Registration) -> str:
    """Host and port as they are written together; an IPv6 address in brackets, a telephone number alone."""
    host = f"[{registration.host}]" if ":" in registration.host else registration.host
    return f"{host}:{registration.port}" if registration.port else host
