"""What is printed on a device, and how its firmware behaves: all it knows when first switched on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from coap import Tuning

DEFAULT_TUNING = Tuning(response_seconds=93.0)
OURS, AIOCOAP = "coap", "aiocoap"
STACKS = (OURS, AIOCOAP)
"""Whose CoAP a device speaks, see `simulator.stacks`."""


@dataclass(frozen=True, slots=True)
class Nameplate:
    """The label: a name, where to call, and the credentials for that call.

    ``sms_number`` is from where that server sends SMS to a device that calls it over IP.

    Exactly one of ``bootstrap_uri`` and ``server_uri`` is set. Without ``identity`` and ``key`` the
    device calls without security.
    """

    endpoint: str
    bootstrap_uri: str | None = None
    server_uri: str | None = None
    identity: bytes = b""
    key: bytes = field(default=b"", repr=False)
    sms_number: str = ""

    def __post_init__(self) -> None:
        if (self.bootstrap_uri is None) == (self.server_uri is None):
            raise ValueError(f"{self.endpoint}: give either a bootstrap URI or a server URI.")


@dataclass(frozen=True, slots=True)
class Flash:
    """How large a firmware package may be: to be kept, and to be handled."""

    storage_bytes: int = 2 * 1024 * 1024
    memory_bytes: int = 1024 * 1024


DEFAULT_FLASH = Flash()


SMS_TUNING = Tuning(
    ack_timeout=200.0,
    max_retransmit=0,
    response_seconds=600.0,
    block_exponent=2,
    unsplit_request_bytes=256,
    unsplit_answer_bytes=104,
)
"""133 bytes are left of an SMS beside the ports: an answer, its options and 104 bytes, or a block of 64.

A request of ours may take two or three concatenated SMS: blocks would repeat its query, and each waits for an answer.
"""


@dataclass(frozen=True, slots=True)
class SmsManners:
    """Patience over SMS, in minutes instead of seconds, and with its tuning what goes into one message.

    `OMA-TS-LightweightM2M_Transport` 6.8 on the SMS binding: CoAP retransmission is disabled, for the SMSC stores and
    forwards; so a request is sent once, and what stays without an answer is tried anew like a refused Register.
    ``margin_seconds`` before its lifetime ends a registration is updated.
    """

    tuning: Tuning = SMS_TUNING
    finish_seconds: float = 3600.0
    retry_seconds: float = 300.0
    retry_limit_seconds: float = 3600.0
    margin_seconds: float = 900.0


DEFAULT_SMS = SmsManners()


@dataclass(frozen=True, slots=True)
class Firmware:
    """How the device behaves. Seconds everywhere.

    ``preferred_format`` is what ``pct`` asks for; a 1.0 device never sends it. ``update_seconds``
    overrides when an Update is due, otherwise it comes a margin before the lifetime ends.
    Retries double from ``retry_seconds`` to ``retry_limit_seconds``, unless the server account sets
    ``/1/x/17`` to ``/1/x/20``. ``finish_seconds`` is EXCHANGE_LIFETIME: without a Finish for that long the
    bootstrap is given up (`OMA-TS-LightweightM2M_Core 6.1.7`). ``cid`` is the DTLS connection id it
    offers: None offers none, b"" asks the server for one. ``root_path`` is the alternate path.
    ``sms`` is what holds instead where the server is reached by SMS.
    ``asks_for_pack``: it tries a Bootstrap-Pack first (1.2) and goes on without one.
    ``objects`` are those it has besides the usual ones, see `simulator.equipping`. ``stack`` is one of `STACKS`;
    aiocoap is for servers without security that are reached over UDP, and its radio never sleeps.
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
    asks_for_pack: bool = False
    objects: tuple[int, ...] = ()
    flash: Flash = DEFAULT_FLASH
    sms: SmsManners = DEFAULT_SMS
    stack: str = OURS

    def for_sms(self) -> Firmware:
        """The same where every call is an SMS: it is paid for, so it waits longer before it tries again."""
        return replace(
            self, retry_seconds=self.sms.retry_seconds, retry_limit_seconds=self.sms.retry_limit_seconds
        )
