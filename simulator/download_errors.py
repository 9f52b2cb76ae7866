"""How a download ends that brings no file."""


class WrongProtocol(Exception):
    """An address of a protocol that the device does not have."""


class NotThere(Exception):
    """Nobody answers there, or there is no such file."""


class BrokenOff(Exception):
    """The connection ended in the middle of the file."""
