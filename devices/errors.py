"""The refusal that a person can mend; a program's mistake is a ValueError, a device's is `lwm2m.errors`."""

from accounts.errors import Refused

__all__ = ["Refused"]
