"""The rows of this room."""

from devices.commands.models.command import COMMAND_ENDED, Command, CommandState, Operation

__all__ = [
    "COMMAND_ENDED",
    "Command",
    "CommandState",
    "Operation",
]
