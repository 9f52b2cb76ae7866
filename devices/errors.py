"""The refusal that a person can mend; a program's mistake is a ValueError, a device's is `lwm2m.errors`."""

from accounts.errors import Refused

__all__ = ["Refused", "not_active"]


def not_active(access: str, *, is_gateway: bool = False) -> Refused:
    """Of a device, or a gateway, whose access is anything but active."""
    match access:
        case "suspended":
            return Refused("GATEWAY_IS_SUSPENDED" if is_gateway else "DEVICE_IS_SUSPENDED")
        case "barred":
            return Refused("GATEWAY_IS_BARRED" if is_gateway else "DEVICE_IS_BARRED")
        case _:
            return Refused("GATEWAY_IS_RETIRED" if is_gateway else "DEVICE_IS_RETIRED")
