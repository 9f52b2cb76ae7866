"""CoAP without I/O (RFC 7252, RFC 7641, RFC 7959, RFC 8323), for a server and for a device.

Datagrams and `now` in, datagrams and events out. There is no socket, clock, loop or dice here: whoever drives an
`Endpoint` gives it what it received and the time, sends what it wants sent, and calls it when its next timer is due.
"""

from coap.blocks import Block
from coap.calls import Call
from coap.deliveries import Delivery
from coap.duplicates import Duplicates
from coap.endpoint import Endpoint
from coap.errors import Failed, Malformed, Reason
from coap.events import (
    Continued,
    Delivered,
    Empty,
    Event,
    Finished,
    Notified,
    Progress,
    Refused,
    Rejected,
    Repeated,
)
from coap.message import ACK, CON, NON, RST, Request, Response, read_response, token_of
from coap.message_ids import MessageIds
from coap.requests import Asked, Fault
from coap.server import Limits
from coap.tuning import Tuning

__all__ = [
    "ACK",
    "CON",
    "NON",
    "RST",
    "Asked",
    "Block",
    "Call",
    "Continued",
    "Delivered",
    "Delivery",
    "Duplicates",
    "Empty",
    "Endpoint",
    "Event",
    "Failed",
    "Fault",
    "Finished",
    "Limits",
    "Malformed",
    "MessageIds",
    "Notified",
    "Progress",
    "Reason",
    "Refused",
    "Rejected",
    "Repeated",
    "Request",
    "Response",
    "Tuning",
    "read_response",
    "token_of",
]
