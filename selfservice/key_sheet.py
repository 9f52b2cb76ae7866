"""The key that the portal made, shown once: held sealed in the session until the page is rendered, then gone.

The QR code holds one line that a flashing tool or a phone can split at `&` after the question mark:

    lwm2m://<host>:<port>?ep=<endpoint>&id=<PSK identity>&psk=<key, hex>

Names and values are percent-encoded as in RFC 3986; host and port are those of the bootstrap server (coaps).
"""

from __future__ import annotations

import base64
import io
import json
import logging
from dataclasses import dataclass
from urllib.parse import quote

import segno
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session

from devices import vault
from devices.models import Device
from devices.sealed_places import walk_rows

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sheet:
    """What stands on the sheet; `qr` is inline SVG without style or script."""

    endpoint: str
    identity: str
    hex: str
    text: str
    server: str
    line: str
    qr: str

    @property
    def grouped(self) -> str:
        """The hex in groups of four, as one reads it out on the phone."""
        return " ".join(self.hex[i : i + 4] for i in range(0, len(self.hex), 4))


_SLOT = "key-sheet-"


def _slot(device_id: int) -> str:
    return f"{_SLOT}{device_id}"


def keep(session: SessionBase, *, device: Device, identity: str, key: bytes) -> None:
    session[_slot(device.pk)] = vault.seal(json.dumps([identity, key.hex()]).encode())


def take(session: SessionBase, device: Device) -> Sheet | None:
    """The sheet, the first time it is asked for; None ever after, and where its key cannot be opened any more."""
    sealed = session.pop(_slot(device.pk), None)
    if sealed is None:
        return None
    try:
        identity, key_hex = json.loads(vault.open_sealed(sealed))
    except vault.Unreadable:
        logger.warning("key_sheet_lost device=%d reason=no key of FIELD_ENCRYPTION_KEYS opens it", device.pk)
        return None
    return sheet(endpoint=device.endpoint, identity=identity, key=bytes.fromhex(key_hex))


def _walk(visit: vault.Visit) -> None:
    """Sheets that nobody has looked at yet."""

    def change(row: Session) -> str:
        kept = row.get_decoded()
        slots = [name for name in kept if name.startswith(_SLOT)]
        changed = {name: visit(kept[name]) for name in slots}
        if all(changed[name] == kept[name] for name in slots):
            return str(row.session_data)
        return str(Session.objects.encode(kept | changed))

    walk_rows(Session.objects.all(), "session_data", change)


PLACE = vault.Place("keys that are shown once", ("selfservice.key_sheet",), _walk)


def sheet(*, endpoint: str, identity: str, key: bytes) -> Sheet:
    host = f"{settings.PUBLIC_HOST}:{settings.BOOTSTRAP_COAPS_PORT}"
    line = f"lwm2m://{host}?ep={quote(endpoint, safe='')}&id={quote(identity, safe='')}&psk={key.hex()}"
    return Sheet(
        endpoint=endpoint,
        identity=identity,
        hex=key.hex(),
        text=base64.b64encode(key).decode(),
        server=f"coaps://{host}",
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
        title="QR code of the key",
        lineclass=None,
    )
    return out.getvalue().decode()
