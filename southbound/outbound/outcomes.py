"""What the answer to a command means: done, refused, later, or that there is none."""

from __future__ import annotations

from coap import Reason
from devices.commands.models import Operation
from devices.commands.outcomes import DeviceRefused, Later, Outcome, Silent
from lwm2m.codes import Code, dotted
from southbound.listeners.replies import NoReply, Reply
from southbound.peers import contents

DEFAULT_MAX_AGE = 60.0
"""RFC 7252 section 5.10.5."""
_SAID_BYTES = 200
_SUCCESS: dict[str, Code] = {
    Operation.READ: Code.CONTENT,
    Operation.DISCOVER: Code.CONTENT,
    Operation.READ_COMPOSITE: Code.CONTENT,
    Operation.OBSERVE: Code.CONTENT,
    Operation.OBSERVE_COMPOSITE: Code.CONTENT,
    Operation.CANCEL_OBSERVE: Code.CONTENT,
    Operation.CANCEL_OBSERVE_COMPOSITE: Code.CONTENT,
    Operation.WRITE: Code.CHANGED,
    Operation.WRITE_COMPOSITE: Code.CHANGED,
    Operation.WRITE_ATTRIBUTES: Code.CHANGED,
    Operation.EXECUTE: Code.CHANGED,
    Operation.CREATE: Code.CREATED,
    Operation.DELETE: Code.DELETED,
}
"""The success of each operation (OMA-TS-LightweightM2M_Transport 6.4.3 to 6.4.5, the tables of response codes)."""


def of_reply(operation: str, reply: Reply) -> Outcome | None:
    """None: the device did it. A class is no outcome: 2.03 has no value, 2.31 is no end (RFC 7252 section 5.9.1)."""
    code, success = dotted(reply.code), _SUCCESS[operation]
    if reply.code == success:
        return None
    said = contents.text(reply.payload[:_SAID_BYTES])
    if reply.code == Code.SERVICE_UNAVAILABLE:
        return Later(DEFAULT_MAX_AGE if reply.max_age is None else float(reply.max_age), code, said)
    if reply.code >> 5 == success >> 5:
        detail = f"The device answered {code}; the success of this operation is {dotted(success)}."
        return DeviceRefused(code, "ANSWER_UNEXPECTED", detail)
    return DeviceRefused(code, "COMMAND_REFUSED", said)


def of_silence(error: NoReply) -> Outcome:
    """There is no answer that could be read."""
    match error.reason:
        case Reason.RESET | Reason.UNREADABLE | Reason.REFUSED | Reason.TOO_LARGE:
            return DeviceRefused("", error.cause, error.detail)
        case Reason.UNANSWERED:
            return Silent(error.cause, error.detail, is_final=True)
        case Reason.GONE:  # the way was closed, by whom ever: the device was not silent
            return Silent(error.cause, error.detail, is_counted=False)
        case _:
            return Silent(error.cause, error.detail)
