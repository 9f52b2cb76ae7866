"""The finite catalogue of causes: one code for ledger, stepper, API, webhooks and statistics alike.

A code is never renamed or given another meaning once it stands in a ledger.
"""

from audit.catalogue import (
    access,
    bootstrap,
    gateways,
    ladder,
    message,
    people,
    reach,
    registration,
    security,
    sms,
)
from audit.catalogue.cause import Area, Cause, Mender, Severity

__all__ = ["CAUSES", "Area", "Cause", "Mender", "Severity", "get"]

_LISTED: tuple[Cause, ...] = (
    *security.CAUSES,
    *bootstrap.CAUSES,
    *access.CAUSES,
    *registration.CAUSES,
    *message.CAUSES,
    *reach.CAUSES,
    *gateways.CAUSES,
    *ladder.CAUSES,
    *people.CAUSES,
    *sms.CAUSES,
)
CAUSES: dict[str, Cause] = {cause.code: cause for cause in _LISTED}
if len(CAUSES) != len(_LISTED):
    raise RuntimeError("two causes in audit/catalogue have the same code")


def get(code: str) -> Cause:
    """The cause of a code; raises KeyError for one that is not in the catalogue."""
    return CAUSES[code]
