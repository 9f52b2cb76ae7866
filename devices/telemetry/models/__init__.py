"""The rows of this room."""

from devices.telemetry.models.tidying import TidyingCursor
from devices.telemetry.models.traces import TRACE_LIMIT, Direction, TraceHead, TraceMessage
from devices.telemetry.models.values import (
    DEFAULT_HISTORY_DAYS,
    HistoryRetention,
    ResourceHistory,
    ResourceValue,
    ValueKind,
)

__all__ = [
    "DEFAULT_HISTORY_DAYS",
    "TRACE_LIMIT",
    "Direction",
    "HistoryRetention",
    "ResourceHistory",
    "ResourceValue",
    "TidyingCursor",
    "TraceHead",
    "TraceMessage",
    "ValueKind",
]
