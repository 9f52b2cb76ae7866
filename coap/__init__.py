"""CoAP without I/O (RFC 7252, RFC 7959, RFC 7641): the half of it that asks.

Datagrams and `now` in, datagrams and events out. There is no socket, clock, loop or dice here: whoever drives a
`Client` gives it what it received and the time, sends what it wants sent, and calls it when its next timer is due.
"""

from coap.client import Call, Client, Finished, Progress
from coap.errors import Failed, Malformed, Reason
from coap.message import ACK, CON, NON, RST, Request, Response, read_response
from coap.message_ids import MessageIds
from coap.tuning import Tuning

__all__ = [
    "ACK",
    "CON",
    "NON",
    "RST",
    "Call",
    "Client",
    "Failed",
    "Finished",
    "Malformed",
    "MessageIds",
    "Progress",
    "Reason",
    "Request",
    "Response",
    "Tuning",
    "read_response",
]
