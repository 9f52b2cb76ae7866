"""No encryption: where the operator allows it, or behind a gateway whose channel protects the device."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from devices.inventory.security.mode import Mode, Offer

MODE = Mode(
    name="none",
    label=_("No encryption"),
    noun="endpoint name",
    needs_consent=True,
    is_anonymous=True,
    reaches=frozenset({"ip", "gateway"}),
    offers=(
        Offer("none", _("No encryption"), _("For a laboratory. Anybody on the way can read and pretend.")),
    ),
)
