"""An operator's link to its SMSC: set up by people, held by one southbound process at a time.

The password is sealed and write-only. A process holds a link by a lease that it renews; a lease that ran out, or whose
process is gone, is anybody's. The row says how the link is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.errors import Refused
from accounts.models import Operator
from audit import ledger
from audit.actions import Action
from devices.inventory import locks, vault
from devices.messaging import events, smsc_networks
from devices.messaging.models import LinkState, SmscLink
from devices.registry.services import processes
from smpp import Address, BadAddress

LEASE = timedelta(seconds=15)
RENEW = timedelta(seconds=4)
FIELDS = (
    *("host", "port", "use_tls", "system_id", "system_type", "address", "addressing"),
    *("window", "messages_per_second", "daily_messages", "wants_receipts", "is_enabled"),
)
PASSWORD_LENGTH = 64
SCHEMES = {"smpp", "smpps"}
_NUMBERS = ("window", "messages_per_second", "daily_messages")
_DETAIL_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Link:
    """What whoever holds a link needs to know of it; two that are equal need no new bind."""

    operator_id: int
    host: str
    port: int
    use_tls: bool
    system_id: str
    password: str = field(repr=False)
    system_type: str
    address: str
    addressing: str
    window: int
    messages_per_second: int
    wants_receipts: bool


def parse_url(url: str) -> dict[str, Any]:
    """The fields and the `password` of ``smpp://user:password@host:port?address=+49...&window=10``; `smpps` is TLS.

    Every column of the link may be named in the query; `operator` is left out. Raises Refused.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port or 2775
    except ValueError:
        raise Refused("SMPP_URL_PORT") from None
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise Refused("SMPP_URL_MALFORMED")
    # A + in a query means a blank to a browser, here it is the plus of a phone number.
    query = dict(parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True))
    query.pop("operator", None)
    if unknown := sorted(set(query) - set(FIELDS)):
        raise Refused("SMPP_URL_PARAMETER_UNKNOWN", name=unknown[0], known=FIELDS)
    said: dict[str, Any] = {
        "host": parts.hostname,
        "port": port,
        "use_tls": parts.scheme == "smpps",
        "system_id": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    for name, value in query.items():
        said[name] = _value(name, value)
    return said


def _value(name: str, text: str) -> Any:
    if name in _NUMBERS or name == "port":
        if not (text.isascii() and text.isdigit()):
            raise Refused("SMSC_NUMBER_EXPECTED", field=name, name=name)
        return int(text)
    if name in ("use_tls", "wants_receipts", "is_enabled"):
        return text.lower() in ("1", "true", "yes", "on")
    return text


def save(*, operator: Operator, password: str | None = None, **fields: Any) -> SmscLink:
    """Set up or change the operator's link; what is left out stays, and None keeps the password. Raises Refused.

    Of two who set up the first one at once, the later changes what the earlier made.
    """
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise ValueError(f"no fields of a link: {sorted(unknown)}")
    with ledger.unit_of_work():
        known = locks.rows(SmscLink.objects).filter(operator=operator).first()
        link = known or SmscLink(operator=operator)
        before = _told(link) if known else None
        for name, value in fields.items():
            setattr(link, name, value)
        if password is not None:
            _check_password(password)
            link.sealed_password = vault.seal(password.encode()) if password else ""
        _check(link)
        if _is_another_smsc(before, fields):
            link.receipt_spelling = ""
        if known is not None:
            link.save(update_fields=[*FIELDS, "sealed_password", "receipt_spelling"])
        elif not _insert(link):
            return save(operator=operator, password=password, **fields)
        ledger.record(
            action=Action.SMSC_LINK_CHANGED if known else Action.SMSC_LINK_MADE,
            operator_id=operator.pk,
            target=str(link),
            before=before,
            after=_told(link),
            detail={"signs_in_anew": password is not None},
        )
        _ring(link)
    return link


def _insert(link: SmscLink) -> bool:
    """False when somebody set the operator's first link up between the look and the write: then it is changed."""
    try:
        with transaction.atomic():
            link.save(force_insert=True)
    except IntegrityError:
        if SmscLink.objects.filter(pk=link.pk).exists():
            return False
        raise
    return True


def _is_another_smsc(before: Mapping[str, Any] | None, fields: Mapping[str, Any]) -> bool:
    """Then nothing is known of how it spells ids."""
    return before is not None and any(
        before[name] != fields.get(name, before[name]) for name in ("host", "port")
    )


def _check(link: SmscLink) -> None:
    try:
        link.clean_fields(exclude=["sealed_password"])
    except ValidationError as error:
        name, problems = next(iter(error.message_dict.items()))
        raise Refused("SMSC_FIELD_INVALID", field=name, name=name, problems=" ".join(problems)) from None
    smsc_networks.check(link.host, link.port)
    try:
        Address.parse(link.address)
    except BadAddress:
        raise Refused("SMSC_ADDRESS_INVALID", field="address") from None


def _check_password(password: str) -> None:
    """The specification allows 8 characters, many SMSCs more."""
    if len(password) > PASSWORD_LENGTH or not password.isascii() or not password.isprintable():
        raise Refused("SMSC_PASSWORD_INVALID", field="password", limit=PASSWORD_LENGTH)


def _told(link: SmscLink) -> dict[str, Any]:
    return {name: getattr(link, name) for name in FIELDS}


def remove(*, operator: Operator) -> bool:
    """Take the operator's link away; False when there is none."""
    with ledger.unit_of_work():
        link = locks.rows(SmscLink.objects).filter(operator=operator).first()
        if link is None:
            return False
        target = str(link)
        ledger.record(
            action=Action.SMSC_LINK_REMOVED, operator_id=operator.pk, target=target, before=_told(link)
        )
        _ring(link)
        link.delete()
    return True


def ensure_default() -> SmscLink | None:
    """Set up the link of SMPP_URL, where its operator has none; what people changed since is left alone.

    The operator is named by `operator=slug` in the URL, or there is only one. Raises Refused.
    """
    url = settings.SMPP_URL
    if not url:
        return None
    query = dict(parse_qsl(urlsplit(url).query))
    operators = Operator.objects.all()
    if "operator" in query:
        operators = operators.filter(slug=query["operator"])
    found = list(operators[:2])
    if len(found) != 1 or SmscLink.objects.filter(operator=found[0]).exists():
        return None
    with ledger.context(actor=ledger.SYSTEM):
        return save(operator=found[0], **parse_url(url))


def try_now(*, operator: Operator) -> bool:
    """Have the link bound anew now; False when no process holds it. What comes of it is told by the row."""
    link = SmscLink.objects.filter(operator=operator).first()
    if link is None:
        raise Refused("SMSC_LINK_NOT_SET_UP")
    with ledger.unit_of_work():
        ledger.record(action=Action.SMSC_LINK_TRIED, operator_id=operator.pk, target=str(link))
        _ring(link)
    return bool(link.held_by)


def _ring(link: SmscLink) -> None:
    events.link_changed(link.held_by, link.pk)


# -- the lease -----------------------------------------------------------------------------------------------
def hold(*, holder: str, host: str, now: datetime) -> list[Link]:
    """Take or renew every link that is free or ours, and return those we hold now."""
    gone = _gone(holder, host, now)
    free = Q(held_by__in=["", holder, *gone]) | Q(lease_until=None) | Q(lease_until__lt=now)
    usable = SmscLink.objects.filter(is_enabled=True, operator__is_active=True).filter(free)
    ours = []
    for link in usable.order_by("pk"):
        still_free = SmscLink.objects.filter(pk=link.pk).filter(free)
        if not still_free.update(held_by=holder, lease_until=now + LEASE):
            continue
        try:
            ours.append(_link(link))
        except vault.Unreadable as error:
            _unusable(link, holder, str(error), now)
    return ours


def _unusable(link: SmscLink, holder: str, detail: str, now: datetime) -> None:
    """It stays ours, unbound, until its password is typed anew or the key is back. Told once."""
    if (link.state, link.cause, link.held_by) != (LinkState.REFUSED, "SECRET_UNREADABLE", holder):
        state, cause = LinkState.REFUSED, "SECRET_UNREADABLE"
        tell(operator_id=link.pk, holder=holder, state=state, now=now, cause=cause, detail=detail)


def _gone(holder: str, host: str, now: datetime) -> list[str]:
    """Other holders that are not there any more; on the same machine that shows at once."""
    held = set(SmscLink.objects.exclude(held_by__in=["", holder]).values_list("held_by", flat=True))
    return sorted(held.difference(row.flow for row in processes.living(host=host, now=now))) if held else []


def _link(link: SmscLink) -> Link:
    return Link(
        operator_id=link.pk,
        host=link.host,
        port=link.port,
        use_tls=link.use_tls,
        system_id=link.system_id,
        password=vault.open_sealed(link.sealed_password).decode() if link.sealed_password else "",
        system_type=link.system_type,
        address=link.address,
        addressing=link.addressing,
        window=link.window,
        messages_per_second=link.messages_per_second,
        wants_receipts=link.wants_receipts,
    )


def release(*, holder: str, now: datetime) -> None:
    """A process ends: its links are free at once."""
    SmscLink.objects.filter(held_by=holder).update(
        held_by="", lease_until=None, state=LinkState.DOWN, state_at=now, cause="", detail=""
    )


def is_enabled(operator_id: int) -> bool:
    """Whether the operator has a link that may be used."""
    return SmscLink.objects.filter(pk=operator_id, is_enabled=True).exists()


def holder_of(operator_id: int) -> str:
    """The process that holds the operator's link; empty when none does."""
    return (
        SmscLink.objects.filter(pk=operator_id, is_enabled=True).values_list("held_by", flat=True).first()
        or ""
    )


_ACTIONS: Mapping[str, tuple[Action, str]] = {
    LinkState.BOUND: (Action.SMSC_LINK_BOUND, "ok"),
    LinkState.DOWN: (Action.SMSC_LINK_LOST, "failed"),
    LinkState.REFUSED: (Action.SMSC_LINK_REFUSED, "refused"),
}


def tell(
    *, operator_id: int, holder: str, state: str, now: datetime, cause: str = "", detail: str = ""
) -> bool:
    """Whoever holds the link says how it is; False when the link is not theirs. A change leaves a ledger event.

    On the way to a bind (BINDING) the last cause stays to be seen, and a link that fails again and again is told
    once.
    """
    with ledger.unit_of_work():
        link = locks.rows(SmscLink.objects).filter(pk=operator_id, held_by=holder).first()
        if link is None:
            return False
        is_news = _is_news(link, state, cause)
        link.state, link.state_at = state, now
        if state != LinkState.BINDING:
            link.cause, link.detail = cause, detail[:_DETAIL_LIMIT]
        link.save(update_fields=["state", "state_at", "cause", "detail"])
        if is_news and state in _ACTIONS:
            action, result = _ACTIONS[state]
            ledger.record(
                action=action,
                operator_id=operator_id,
                actor=ledger.SYSTEM,
                result=result if cause or state == LinkState.BOUND else "ok",
                cause=cause,
                target=str(link),
                detail={"holder": holder, "said": link.detail},
            )
    return True


def _is_news(link: SmscLink, state: str, cause: str) -> bool:
    """Not: the same failure after another attempt."""
    return state == LinkState.BOUND or link.state == LinkState.BOUND or link.cause != cause
