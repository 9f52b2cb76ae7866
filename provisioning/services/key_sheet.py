"""The key that the portal made, shown for a while: held sealed in the session, gone when it was noted or used.

A reload, or a phone that drops the tab for its camera, does not cost the key: it stands on the page for ten minutes,
until its owner says that it is noted, or until a device comes with it.

The QR code holds one line that a flashing tool or a phone can split at `&` after the question mark:

    lwm2m://<host>:<port>?ep=<endpoint>&id=<identity>&psk=<key, hex>

What comes after the identity is the security mode's (`Written.parameter`). Names and values are percent-encoded as in
RFC 3986; host and port are those of the server where the device goes first (coaps).
"""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import segno
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.utils.translation import gettext

from devices.inventory import vault
from devices.inventory.models import Credential, Device
from devices.inventory.sealed_places import walk_rows
from devices.inventory.security import Material, Written
from devices.inventory.services import credentials
from provisioning.profiles import addresses

KEPT = timedelta(minutes=10)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sheet:
    """What stands on the sheet; `qr` is inline SVG without style or script."""

    endpoint: str
    identity: str
    written: tuple[Written, ...]
    server: str
    line: str
    qr: str


_SLOT = "key-sheet-"


def _slot(device_id: int) -> str:
    return f"{_SLOT}{device_id}"


def keep(session: SessionBase, *, device: Device, secret: Material, now: datetime) -> None:
    kept = [secret.identity, secret.parts.hex(), now.timestamp()]
    session[_slot(device.pk)] = vault.seal(json.dumps(kept).encode())


def of(session: SessionBase, device: Device, now: datetime) -> Sheet | None:
    """The sheet while it may be shown; what may not, or cannot be opened any more, is forgotten."""
    sealed = session.get(_slot(device.pk))
    if sealed is None:
        return None
    try:
        identity, parts, kept_at = json.loads(vault.open_sealed(sealed))
    except vault.Unreadable:
        logger.warning("key_sheet_lost device=%d reason=no key of FIELD_ENCRYPTION_KEYS opens it", device.pk)
        noted(session, device)
        return None
    waiting = Credential.objects.filter(device=device, identity=identity, first_used_at=None)
    usable = waiting.usable()
    secret = Material(identity, bytes.fromhex(parts))
    is_unused = any(credentials.is_known(row, secret) for row in usable)
    if now.timestamp() - kept_at > KEPT.total_seconds() or not is_unused:
        noted(session, device)
        return None
    return sheet(device=device, secret=secret)


def noted(session: SessionBase, device: Device) -> None:
    """It is shown no more."""
    session.pop(_slot(device.pk), None)


def _walk(visit: vault.Visit) -> None:
    """Sheets that nobody has noted yet."""

    def change(row: Session) -> str:
        kept = row.get_decoded()
        slots = [name for name in kept if name.startswith(_SLOT)]
        changed = {name: visit(kept[name]) for name in slots}
        if all(changed[name] == kept[name] for name in slots):
            return str(row.session_data)
        return str(Session.objects.encode(kept | changed))

    walk_rows(Session.objects.all(), "session_data", change)


PLACE = vault.Place("keys that are shown once", ("provisioning.services.key_sheet",), _walk)


def sheet(*, device: Device, secret: Material) -> Sheet:
    server = addresses.first_uri(device)
    written = device.security_mode.written(secret)
    told = {"ep": device.endpoint, "id": secret.identity}
    told |= {one.parameter: one.text for one in written if one.parameter}
    line = f"lwm2m://{server.partition('://')[2]}?{urlencode(told, quote_via=quote, safe='')}"
    return Sheet(
        endpoint=device.endpoint,
        identity=secret.identity,
        written=written,
        server=server,
        line=line,
        qr=_svg(line),
    )


def _svg(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=False,
        omitsize=True,
        border=2,
        title=gettext("QR code of the key"),
        lineclass=None,
    )
    return out.getvalue().decode()
