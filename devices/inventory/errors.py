"""Refusals that many deeds of the wing share."""

from accounts.errors import Refused


def not_active(access: str, *, is_gateway: bool = False) -> Refused:
    """Of a device, or a gateway, whose access is anything but active."""
    match access:
        case "suspended":
            return Refused("GATEWAY_IS_SUSPENDED" if is_gateway else "DEVICE_IS_SUSPENDED")
        case "barred":
            return Refused("GATEWAY_IS_BARRED" if is_gateway else "DEVICE_IS_BARRED")
        case _:
            return Refused("GATEWAY_IS_RETIRED" if is_gateway else "DEVICE_IS_RETIRED")
