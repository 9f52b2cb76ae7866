"""What a bootstrap server writes: server accounts, access rights, and the rules they must keep.

`OMA-TS-LightweightM2M_Core 6.1.6`, Appendix E.1 to E.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from urllib.parse import urlsplit

from lwm2m.paths import Path

MAX_URI_LENGTH = 255
MAX_PSK_IDENTITY_BYTES = 128
MIN_PSK_BYTES = 16
MAX_PSK_BYTES = 64
MAX_SHORT_SERVER_ID = 65534
ANY_OWNER = 65535
"""`/2/x/3` of an access control instance that only a bootstrap server may change; also "create rights"."""


class SecurityMode(IntEnum):
    """``/0/x/2``."""

    PSK = 0
    RPK = 1
    CERTIFICATE = 2
    NOSEC = 3
    EST = 4


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """One server a device shall use: the values of ``/0/x`` and ``/1/y``.

    ``identity`` is ``/0/x/3`` (PSK identity, public key or certificate), ``key`` ``/0/x/5``, and
    ``server_public_key`` ``/0/x/4``. Times are seconds; None leaves the resource out. ``security_instance``
    and ``server_instance`` None let the session choose.
    """

    short_server_id: int
    uri: str
    security_mode: int = SecurityMode.NOSEC
    identity: bytes = b""
    key: bytes = field(default=b"", repr=False)
    server_public_key: bytes = b""
    lifetime_seconds: int = 86_400
    binding: str = "U"
    notification_storing: bool = True
    pmin: int | None = None
    pmax: int | None = None
    disable_timeout: int | None = None
    client_hold_off_seconds: int | None = None
    is_send_muted: bool | None = None
    security_instance: int | None = None
    server_instance: int | None = None


@dataclass(frozen=True, slots=True)
class AccessRight:
    """One ``/2/x``: rights on an object or instance; ``rights`` maps a Short Server ID to its bits.

    ``instance_id`` 65535 stands for the right to create instances. Bits: 1 read, 2 write, 4 execute,
    8 delete, 16 create.
    """

    object_id: int
    instance_id: int
    rights: tuple[tuple[int, int], ...]
    owner: int = ANY_OWNER


@dataclass(frozen=True, slots=True)
class BootstrapPlan:
    """What one session does: discover, delete, write the accounts and rights, finish.

    ``Path()`` in ``deletes`` is ``/``. ``reads`` are read before anything is deleted, only ``/1`` and
    ``/2`` and their instances.
    """

    accounts: tuple[ServerAccount, ...]
    deletes: tuple[Path, ...] = (Path(0), Path(1))
    discover: bool = True
    access_rights: tuple[AccessRight, ...] = ()
    reads: tuple[Path, ...] = ()


def validate(plan: BootstrapPlan) -> list[str]:
    """Sentences that say what to mend before the plan may be used; empty when it may."""
    raise NotImplementedError


_ = urlsplit
