"""The rows of this room."""

from devices.messaging.models.link import DEFAULT_DAILY_MESSAGES, Addressing, LinkState, SmscLink
from devices.messaging.models.messages import (
    SMS_OPEN,
    SmsMessage,
    SmsPart,
    SmsPurpose,
    SmsReceiptKey,
    SmsSpent,
    SmsState,
)

__all__ = [
    "DEFAULT_DAILY_MESSAGES",
    "SMS_OPEN",
    "Addressing",
    "LinkState",
    "SmsMessage",
    "SmsPart",
    "SmsPurpose",
    "SmsReceiptKey",
    "SmsSpent",
    "SmsState",
    "SmscLink",
]
