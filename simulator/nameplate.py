"""What is printed on a device, and how its firmware behaves: all it knows when first switched on."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.transmissions import Tuning

DEFAULT_TUNING = Tuning()


@dataclass(frozen=True, slots=True)
class Nameplate:
    """The label: a name, where to call, and the credentials for that call.

    Exactly one of ``bootstrap_uri`` and ``server_uri`` is set. Without ``identity`` and ``key`` the
    device calls without security.
    """

    endpoint: str
    bootstrap_uri: str | None = None
    server_uri: str | None = None
    identity: bytes = b""
    key: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if (self.bootstrap_uri is None) == (self.server_uri is None):
            raise ValueError(f"{self.endpoint}: give either a bootstrap URI or a server URI.")


@dataclass(frozen=True, slots=True)
class Flash:
    """How large a firmware package may be: to be kept, and to be handled."""

    storage_bytes: int = 2 * 1024 * 1024
    memory_bytes: int = 1024 * 1024


DEFAULT_FLASH = Flash()


@dataclass(frozen=True, slots=True)
class Firmware:
    """How the device behaves. Seconds everywhere.

    ``preferred_format`` is what ``pct`` asks for; a 1.0 device never sends it. ``update_seconds``
    overrides when an Update is due, otherwise it comes a margin before the lifetime ends.
    Retries double from ``retry_seconds`` to ``retry_limit_seconds``, unless the server account sets
    ``/1/x/17`` to ``/1/x/20``. ``finish_seconds`` is EXCHANGE_LIFETIME: without a Finish for that long the
    bootstrap is given up (`OMA-TS-LightweightM2M_Core 6.1.7`). ``cid`` is the DTLS connection id it
    offers: None offers none, b"" asks the server for one. ``root_path`` is the alternate path.
    ``objects`` are those it has besides the usual ones, see `simulator.equipping`.
    """

    version: str = "1.1"
    lifetime_seconds: int = 86_400
    binding: str = "U"
    queue_mode: bool = False
    awake_seconds: float = 93.0
    preferred_format: int | None = 112
    update_seconds: float | None = None
    retry_seconds: float = 5.0
    retry_limit_seconds: float = 60.0
    registration_attempts: int = 5
    finish_seconds: float = 247.0
    handshake_seconds: float = 30.0
    ciphers: tuple[str, ...] | None = None
    cid: bytes | None = None
    root_path: str = ""
    confirmable_notifications: bool = False
    tuning: Tuning = DEFAULT_TUNING
    objects: tuple[int, ...] = ()
    flash: Flash = DEFAULT_FLASH
