"""Known by a phone number, for which the SMSC vouches (`OMA-TS-LightweightM2M_Transport 6.4`): SMS alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.translation import gettext_lazy as _

from devices.inventory.security.mode import Material, Mode
from lwm2m.accounts import SMS_NOSEC, ServerAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber(Mode):
    def account(self, account: ServerAccount, material: Material, number: str) -> ServerAccount:
        """The server at our number; the device has nothing but SMS, so its binding is S, with queue mode SQ."""
        return replace(
            account,
            uri=f"tel:{number}",
            binding="SQ" if "Q" in account.binding else "S",
            sms_security_mode=SMS_NOSEC,
            server_sms_number=number.removeprefix("+"),
        )


MODE = PhoneNumber(
    name="msisdn",
    label=_("Phone number, vouched for by the SMSC"),
    noun="phone number",
    by_number=True,
    reaches=frozenset({"sms"}),
)
