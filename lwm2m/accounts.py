"""What a bootstrap server writes: server accounts and access rights, and their form as nodes.

`OMA-TS-LightweightM2M_Core 6.1.6` and Appendix E.1 to E.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from lwm2m.nodes import Node, Value
from lwm2m.paths import Path

MAX_SHORT_SERVER_ID = 65534
ANY_OWNER = 65535
"""`/2/x/3` of an access control instance that only a bootstrap server may change; also "create rights"."""


SMS_NOSEC = 3
"""``/0/x/6``: no security of its own; the network vouches for the number."""


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
    ``server_public_key`` ``/0/x/4``. By SMS ``uri`` is ``tel:`` and the server's number, ``sms_security_mode``
    ``/0/x/6`` and ``server_sms_number`` ``/0/x/9``, digits only. Times are seconds; None leaves the resource out.
    ``security_instance`` and ``server_instance`` None let the session choose.
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
    sms_security_mode: int | None = None
    server_sms_number: str = ""
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


def security_nodes(account: ServerAccount, instance_id: int) -> list[Node]:
    """``/0/x``. Identity and keys are written even when empty: Leshan answers Finish with 4.06 otherwise."""
    values: dict[int, Value] = {
        0: account.uri,
        1: False,
        2: int(account.security_mode),
        3: account.identity,
        4: account.server_public_key,
        5: account.key,
        6: account.sms_security_mode,
        9: account.server_sms_number or None,
        10: account.short_server_id,
        11: account.client_hold_off_seconds,
    }
    return _nodes(Path(0, instance_id), values)


def server_nodes(account: ServerAccount, instance_id: int, version: str) -> list[Node]:
    """``/1/x`` for a client of this LwM2M version; 1.0 does not know resource 23."""
    values: dict[int, Value] = {
        0: account.short_server_id,
        1: account.lifetime_seconds,
        2: account.pmin,
        3: account.pmax,
        5: account.disable_timeout,
        6: account.notification_storing,
        7: account.binding,
        23: None if version == "1.0" else account.is_send_muted,
    }
    return _nodes(Path(1, instance_id), values)


def access_nodes(right: AccessRight, instance_id: int) -> list[Node]:
    """``/2/x``; the rights are one multiple resource, keyed by Short Server ID."""
    path = Path(2, instance_id)
    nodes = _nodes(path, {0: right.object_id, 1: right.instance_id})
    nodes += [Node(path.child(2).child(server), bits) for server, bits in right.rights]
    return [*nodes, Node(path.child(3), right.owner)]


def _nodes(path: Path, values: dict[int, Value]) -> list[Node]:
    return [Node(path.child(number), value) for number, value in values.items() if value is not None]
