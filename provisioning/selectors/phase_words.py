"""The phases of a device's way online in the subscriber's words."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

NAMES = {
    "ordered": _("Ordered"),
    "prepared": _("Prepared"),
    "first_contact": _("First contact"),
    "found": _("Found"),
    "configured": _("Configured"),
    "registered": _("Registered"),
    "online": _("Online"),
}

_WORDS = {
    ("ordered", "done"): _("The device was added."),
    ("prepared", "running"): _("We prepare the settings and the keys of this device."),
    ("prepared", "done"): _("The settings and the keys are ready."),
    ("first_contact", "waiting"): _("Switch the device on; it contacts us by itself."),
    ("first_contact", "stuck"): _("We wait for the device."),
    ("first_contact", "done"): _("The device contacted us."),
    ("configured", "running"): _("The device is receiving its settings."),
    ("configured", "waiting"): _("The device will receive its settings now."),
    ("configured", "stuck"): _("The device has not taken its settings yet; the next contact goes on."),
    ("configured", "done"): _("The device has its settings."),
    ("registered", "waiting"): _("We wait until the device signs in with its new settings."),
    ("registered", "stuck"): _("The device has not signed in yet."),
    ("registered", "done"): _("The device signed in."),
    ("online", "running"): _("We read what kind of device it is."),
    ("online", "stuck"): _("The device signed in but does not answer yet."),
    ("online", "done"): _("The device is online and managed."),
}
_BEHIND = {
    ("prepared", "running"): _("We check whether this device may be taken."),
    ("prepared", "done"): _("The device may be taken."),
    ("found", "waiting"): _("Switch the device on and pair it with your gateway."),
    ("found", "stuck"): _("We wait until your gateway sees the device."),
    ("found", "done"): _("Your gateway sees the device."),
    ("configured", "running"): _("The gateway is being told what to report of this device."),
    ("configured", "stuck"): _("The gateway does not know yet what to report of this device."),
    ("configured", "done"): _("The gateway knows what to report of this device."),
    ("online", "stuck"): _("The gateway sees the device, which does not answer yet."),
    ("online", "done"): _("The device is online through its gateway and managed."),
}
_BY_SMS = {
    ("prepared", "running"): _("We prepare the settings of this device."),
    ("prepared", "done"): _("The settings are ready."),
    (
        "first_contact",
        "waiting",
    ): _("Switch the device on; it sends us a text message, which may take some minutes."),
    ("first_contact", "stuck"): _("We wait for a text message of the device."),
    ("first_contact", "done"): _("The device sent us a text message."),
    (
        "configured",
        "running",
    ): _("The device is receiving its settings by text message; this takes some minutes."),
    ("online", "running"): _("We ask by text message what kind of device it is."),
}
_AGAIN = {
    ("first_contact", "done"): _("The device came to be set up anew, as after a factory reset."),
    ("registered", "done"): _("The device signed in with its new settings."),
}
_DIRECT = {
    "first_contact": _("Not needed: the device has its keys from the factory."),
    "configured": _("Not needed: the device has its settings from the factory."),
}


def words(
    phase: str,
    state: str,
    *,
    is_direct: bool,
    is_behind: bool = False,
    is_by_sms: bool = False,
    is_again: bool = False,
) -> str:
    """One sentence, empty for what is still to come."""
    if state == "done" and is_direct and phase in _DIRECT:
        return str(_DIRECT[phase])
    if state == "failed":
        return gettext("This did not work; it was given up.")
    if is_again and (phase, state) in _AGAIN:
        return str(_AGAIN[phase, state])
    if is_behind and (phase, state) in _BEHIND:
        return str(_BEHIND[phase, state])
    if is_by_sms and (phase, state) in _BY_SMS:
        return str(_BY_SMS[phase, state])
    return str(_WORDS.get((phase, state), ""))
