"""The ledger's and the standard's codes in words. A code without words here is shown readably as it is."""

from __future__ import annotations

ACTIONS = {
    "device.added": "Device added",
    "device.retired": "Device released",
    "device.suspended": "Device suspended",
    "device.resumed": "Device resumed",
    "device.barred": "Device barred",
    "device.renamed": "Device renamed",
    "device.endpoint_corrected": "Endpoint name corrected",
    "device.number_changed": "Phone number changed",
    "device.number_confirmed": "Phone number confirmed by its first SMS",
    "device.awake_window": "Time that it listens changed",
    "device.described": "Device told what it is",
    "device.provisioning": "Set-up state changed",
    "device.first_online": "Device online for the first time",
    "device.refused": "Device refused",
    "credential.made": "Key made",
    "credential.read": "Key read by the portal",
    "credential.first_used": "Key used for the first time",
    "credential.retired": "Key retired",
    "registration.registered": "Device registered",
    "registration.replaced": "Device registered anew",
    "registration.updated": "Registration changed",
    "registration.deregistered": "Device signed off",
    "registration.expired": "Registration ran out",
    "registration.ended": "Registration ended by the portal",
    "registration.address_ended": "Address taken by another device",
    "bootstrap.started": "Bootstrap began",
    "bootstrap.ended": "Bootstrap ended",
    "bootstrap.superseded": "Bootstrap begun anew by the device",
    "command.queued": "Command given",
    "command.done": "Command done",
    "command.refused": "Command refused by the device",
    "command.silent": "Command not answered",
    "command.expired": "Command expired",
    "command.cancelled": "Command withdrawn",
    "gateway.end_devices": "Gateway told which devices are behind it",
    "gateway.took": "Devices behind the gateway taken",
    "gateway.dismissed": "Devices behind the gateway left out",
    "gateway.offered_again": "Devices behind the gateway offered again",
    "end_device.adopted": "Found behind a gateway",
    "end_device.moved": "Moved to another gateway",
    "end_device.gone": "Not told of by its gateway any more",
    "end_device.back": "Told of by its gateway again",
    "end_device.routed": "Got another prefix at its gateway",
    "reach.missed": "Contact missed",
    "reach.taken": "Device looked for",
    "reach.skipped": "Step of the ladder left out",
    "reach.ticket": "Device not reached: over to the support desk",
    "reach.reached": "Device heard again",
    "reach.cancelled": "Device no longer looked for",
    "reach.policy": "Reach policy changed",
    "job.created": "Job created",
    "job.done": "Job done",
    "job.failed": "Job failed",
    "job.retried": "Job tried again",
    "job.cancelled": "Job cancelled",
    "job.step_running": "Step begun",
    "job.step_waiting": "Step waits",
    "job.step_done": "Step done",
    "job.step_skipped": "Step not needed",
    "job.step_failed": "Step failed",
}

RESPONSES = {
    "2.01": "created",
    "2.02": "deleted",
    "2.03": "valid",
    "2.04": "changed",
    "2.05": "content",
    "4.00": "bad request: the device could not make sense of it",
    "4.01": "unauthorized: the device does not take this from us",
    "4.04": "not found: the device has no such thing",
    "4.05": "method not allowed: the device does not offer this",
    "4.06": "not acceptable: the device finds the configuration incomplete or contradictory",
    "4.08": "incomplete: parts of the message were missing",
    "4.09": "conflict with what the device holds",
    "4.13": "too large for the device",
    "4.15": "the device does not know this format",
    "5.00": "internal error in the device",
    "5.01": "not implemented in the device",
    "5.03": "the device has no time now",
}

OPERATIONS = {
    "discover": "Discover",
    "delete": "Delete",
    "write": "Write",
    "read": "Read",
    "finish": "Finish",
    "pack": "Request",
}


def action(code: str) -> str:
    return ACTIONS.get(code) or code.replace(".", " ").replace("_", " ").capitalize()


def response(code: str) -> str:
    return RESPONSES.get(code, "")


def operation(code: str) -> str:
    return OPERATIONS.get(code.lower(), code.capitalize())


def label(key: str) -> str:
    return key.replace("_", " ")
