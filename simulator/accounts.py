"""The server accounts that stand in ``/0`` and ``/1``: whom to call, with which credentials, for how long."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.factory import NO_SECURITY, PRE_SHARED_KEY
from simulator.objects import ObjectTree
from simulator.uris import BadUri, ServerAddress, telephone_number


@dataclass(frozen=True, slots=True)
class Account:
    """One usable account. ``server_instance`` is the ``/1`` instance, None for the bootstrap account.

    ``sms_number`` is from where the server sends SMS, "" when it does not or wants SMS secured.
    """

    security_instance: int
    server_instance: int | None
    short_server_id: int | None
    address: ServerAddress
    identity: bytes = b""
    key: bytes = field(default=b"", repr=False)
    hold_off_seconds: int = 0
    sms_number: str = ""


def bootstrap(tree: ObjectTree) -> Account | None:
    """The account of the bootstrap server, None when there is none that can be used."""
    for instance_id in tree.instance_ids(0):
        if tree.value(0, instance_id, 1) is True:
            return _account(tree, instance_id, None, None)
    return None


def servers(tree: ObjectTree) -> list[Account]:
    """Every server whose ``/0`` and ``/1`` instances agree on a Short Server ID, in order of that id."""
    by_id = {tree.value(1, instance_id, 0): instance_id for instance_id in tree.instance_ids(1)}
    found: list[Account] = []
    for instance_id in tree.instance_ids(0):
        short_server_id = tree.value(0, instance_id, 10)
        if tree.value(0, instance_id, 1) is True or not isinstance(short_server_id, int):
            continue
        server_instance = by_id.get(short_server_id)
        if server_instance is not None:
            account = _account(tree, instance_id, server_instance, short_server_id)
            if account is not None:
                found.append(account)
    return sorted(found, key=lambda account: account.short_server_id or 0)


def _account(
    tree: ObjectTree, instance_id: int, server_instance: int | None, short_server_id: int | None
) -> Account | None:
    uri, mode = tree.value(0, instance_id, 0), tree.value(0, instance_id, 2)
    try:
        address = ServerAddress.parse(uri if isinstance(uri, str) else "")
    except BadUri:
        return None
    if mode != (PRE_SHARED_KEY if address.is_secured else NO_SECURITY):
        return None  # certificates and raw public keys are not spoken here
    if address.number and tree.value(0, instance_id, 6) not in (None, NO_SECURITY):
        return None  # nor is SMS with security
    hold_off = tree.value(0, instance_id, 11)
    return Account(
        security_instance=instance_id,
        server_instance=server_instance,
        short_server_id=short_server_id,
        address=address,
        identity=_bytes(tree.value(0, instance_id, 3)) if address.is_secured else b"",
        key=_bytes(tree.value(0, instance_id, 5)) if address.is_secured else b"",
        hold_off_seconds=hold_off if isinstance(hold_off, int) and server_instance is None else 0,
        sms_number=_sms_number(tree, instance_id) or address.number,
    )


def _sms_number(tree: ObjectTree, instance_id: int) -> str:
    """``/0/x/9``, where ``/0/x/6`` does not ask for security on SMS, of which this device has none."""
    mode, number = tree.value(0, instance_id, 6), tree.value(0, instance_id, 9)
    if mode not in (None, NO_SECURITY) or not isinstance(number, str):
        return ""
    try:
        return telephone_number(number)
    except BadUri:
        return ""


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) else b""
