"""What a device checks at Bootstrap-Finish: is the configuration usable?

`OMA-TS-LightweightM2M_Core 6.1.7.7`. A violation is answered 4.06, in words.
"""

from __future__ import annotations

from lwm2m.nodes import Value
from simulator.factory import NO_SECURITY, PRE_SHARED_KEY
from simulator.objects import ObjectTree
from simulator.uris import BadUri, ServerAddress, is_telephone_number

SHORT_SERVER_IDS = range(1, 65535)


def problem(tree: ObjectTree) -> str | None:
    """The first thing that is wrong, None when the device can work with what it has."""
    bootstrap_accounts = [i for i in tree.instance_ids(0) if tree.value(0, i, 1) is True]
    if not bootstrap_accounts:
        return "the account of the bootstrap server was overwritten"
    if len(bootstrap_accounts) > 1:
        return "more than one account of a bootstrap server"
    accounts = [i for i in tree.instance_ids(0) if i not in bootstrap_accounts]
    if not accounts:
        return "no account of a server in /0"
    if not tree.instance_ids(1):
        return "no server in /1"
    for check in (_security_instances, _server_instances, _pairs):
        found = check(tree, accounts)
        if found is not None:
            return found
    return None


def _security_instances(tree: ObjectTree, accounts: list[int]) -> str | None:
    for instance_id in accounts:
        missing = _missing(tree, 0, instance_id, (0, 1, 2, 10))
        if missing is not None:
            return missing
        mode = tree.value(0, instance_id, 2)
        if mode not in (PRE_SHARED_KEY, NO_SECURITY):
            return f"/0/{instance_id}/2 is {mode!r}, a security mode this device does not have"
        if mode == PRE_SHARED_KEY and not (tree.value(0, instance_id, 3) and tree.value(0, instance_id, 5)):
            return f"/0/{instance_id} has no identity or no key"
        found = _address(tree.value(0, instance_id, 0), mode == PRE_SHARED_KEY, instance_id)
        found = found or _sms(tree, instance_id)
        if found is not None:
            return found
    return None


def _address(uri: Value, is_secured: bool, instance_id: int) -> str | None:
    try:
        address = ServerAddress.parse(uri if isinstance(uri, str) else "")
    except BadUri:
        return f"/0/{instance_id}/0 is not a server URI"
    if address.is_secured != is_secured:
        return f"/0/{instance_id}/0 and the security mode do not fit"
    return None


def _sms(tree: ObjectTree, instance_id: int) -> str | None:
    """SMS is spoken without security alone (``/0/x/6``), and to a number that is one (``/0/x/9``)."""
    mode, number = tree.value(0, instance_id, 6), tree.value(0, instance_id, 9)
    if mode not in (None, NO_SECURITY) and number is not None:
        return f"/0/{instance_id}/6 is {mode!r}, an SMS security mode this device does not have"
    if number is not None and not (isinstance(number, str) and is_telephone_number(number)):
        return f"/0/{instance_id}/9 is not a telephone number"
    return None


def _server_instances(tree: ObjectTree, accounts: list[int]) -> str | None:
    for instance_id in tree.instance_ids(1):
        missing = _missing(tree, 1, instance_id, (0, 1, 6, 7))
        if missing is not None:
            return missing
    return None


def _pairs(tree: ObjectTree, accounts: list[int]) -> str | None:
    in_security = [tree.value(0, instance_id, 10) for instance_id in accounts]
    in_server = [tree.value(1, instance_id, 0) for instance_id in tree.instance_ids(1)]
    for short_server_id in (*in_security, *in_server):
        if not isinstance(short_server_id, int) or short_server_id not in SHORT_SERVER_IDS:
            return f"{short_server_id!r} is not a Short Server ID of 1..65534"
    if len(set(in_security)) != len(in_security) or len(set(in_server)) != len(in_server):
        return "a Short Server ID stands twice"
    if set(in_security) != set(in_server):
        return f"/0/x/10 has {_listed(in_security)} but /1/x/0 has {_listed(in_server)}"
    return None


def _missing(tree: ObjectTree, object_id: int, instance_id: int, mandatory: tuple[int, ...]) -> str | None:
    for resource_id in mandatory:
        if tree.value(object_id, instance_id, resource_id) is None:
            return f"/{object_id}/{instance_id}/{resource_id} is missing"
    return None


def _listed(short_server_ids: list[Value]) -> str:
    return ",".join(sorted(str(each) for each in short_server_ids))
