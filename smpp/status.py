"""command_status (SMPP 3.4 section 5.1.3): the names, and what each means for whoever sent the request."""

from __future__ import annotations

from enum import Enum, IntEnum


class Status(IntEnum):
    """The values of the specification, without the prefix ESME_R."""

    OK = 0x00
    INVMSGLEN = 0x01
    INVCMDLEN = 0x02
    INVCMDID = 0x03
    INVBNDSTS = 0x04
    ALYBND = 0x05
    INVPRTFLG = 0x06
    INVREGDLVFLG = 0x07
    SYSERR = 0x08
    INVSRCADR = 0x0A
    INVDSTADR = 0x0B
    INVMSGID = 0x0C
    BINDFAIL = 0x0D
    INVPASWD = 0x0E
    INVSYSID = 0x0F
    CANCELFAIL = 0x11
    REPLACEFAIL = 0x13
    MSGQFUL = 0x14
    INVSERTYP = 0x15
    INVNUMDESTS = 0x33
    INVDLNAME = 0x34
    INVDESTFLAG = 0x40
    INVSUBREP = 0x42
    INVESMCLASS = 0x43
    CNTSUBDL = 0x44
    SUBMITFAIL = 0x45
    INVSRCTON = 0x48
    INVSRCNPI = 0x49
    INVDSTTON = 0x50
    INVDSTNPI = 0x51
    INVSYSTYP = 0x53
    INVREPFLAG = 0x54
    INVNUMMSGS = 0x55
    THROTTLED = 0x58
    INVSCHED = 0x61
    INVEXPIRY = 0x62
    INVDFTMSGID = 0x63
    RX_T_APPN = 0x64
    RX_P_APPN = 0x65
    RX_R_APPN = 0x66
    QUERYFAIL = 0x67
    INVOPTPARSTREAM = 0xC0
    OPTPARNOTALLWD = 0xC1
    INVPARLEN = 0xC2
    MISSINGOPTPARAM = 0xC3
    INVOPTPARAMVAL = 0xC4
    DELIVERYFAILURE = 0xFE
    UNKNOWNERR = 0xFF


class Class(Enum):
    """What to do about a refusal.

    SLOWER: the SMSC asks for less; the same message again after a pause, and a lower rate. RETRY: something is
    wrong over there, the same message again later. NEVER: this message will be refused however often it is
    sent. FATAL: the link is of no use like this; its settings must be mended, or it must be bound anew.
    """

    OK = "ok"
    SLOWER = "slower"
    RETRY = "retry"
    NEVER = "never"
    FATAL = "fatal"


_CLASSES: dict[int, Class] = {
    Status.OK: Class.OK,
    Status.THROTTLED: Class.SLOWER,
    Status.MSGQFUL: Class.SLOWER,
    Status.SYSERR: Class.RETRY,
    Status.SUBMITFAIL: Class.RETRY,
    Status.RX_T_APPN: Class.RETRY,
    Status.DELIVERYFAILURE: Class.RETRY,
    Status.UNKNOWNERR: Class.RETRY,
    Status.INVBNDSTS: Class.FATAL,
    Status.ALYBND: Class.FATAL,
    Status.BINDFAIL: Class.FATAL,
    Status.INVPASWD: Class.FATAL,
    Status.INVSYSID: Class.FATAL,
    Status.INVSYSTYP: Class.FATAL,
}

# A bind that fails for one of these may work a moment later; any other needs a person.
_BIND_RETRY = frozenset({Status.SYSERR, Status.BINDFAIL, Status.ALYBND, Status.THROTTLED, Status.MSGQFUL})

_WORDS: dict[int, str] = {
    Status.OK: "no error",
    Status.INVMSGLEN: "the message length is wrong",
    Status.INVCMDLEN: "the command length is wrong",
    Status.INVCMDID: "the command is not known",
    Status.INVBNDSTS: "the command does not fit the bind state",
    Status.ALYBND: "already bound",
    Status.SYSERR: "system error",
    Status.INVSRCADR: "the source address is not allowed",
    Status.INVDSTADR: "the destination address is not valid",
    Status.BINDFAIL: "bind failed",
    Status.INVPASWD: "the password is wrong",
    Status.INVSYSID: "the system_id is not known",
    Status.MSGQFUL: "the message queue is full",
    Status.INVESMCLASS: "the esm_class is not allowed",
    Status.SUBMITFAIL: "submit failed",
    Status.INVSYSTYP: "the system_type is not allowed",
    Status.THROTTLED: "more messages than the throughput limit allows",
    Status.INVEXPIRY: "the validity period is not valid",
    Status.RX_T_APPN: "the receiver has a temporary error",
    Status.RX_P_APPN: "the receiver has a permanent error",
    Status.RX_R_APPN: "the receiver rejects the message",
    Status.DELIVERYFAILURE: "delivery failed",
    Status.UNKNOWNERR: "unknown error",
}


def classify(status: int) -> Class:
    """The class of a refused submit_sm. What the SMSC's vendor made up (0x400 and above) may pass: RETRY."""
    known = _CLASSES.get(status)
    if known is not None:
        return known
    return Class.NEVER if status in Status._value2member_map_ else Class.RETRY


def is_bind_worth_a_retry(status: int) -> bool:
    """Whether a refused bind may be tried again without anybody changing something."""
    return status in _BIND_RETRY or status not in Status._value2member_map_


def name(status: int) -> str:
    """``ESME_RTHROTTLED``, or the number for what is not in the specification."""
    try:
        known = Status(status)
    except ValueError:
        return f"0x{status:08X}"
    return "ESME_ROK" if known is Status.OK else f"ESME_R{known.name}"


def describe(status: int) -> str:
    """Name and a few words, for logs and the trail."""
    words = _WORDS.get(status)
    return name(status) if words is None else f"{name(status)}: {words}"
