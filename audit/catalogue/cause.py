"""What a cause is."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from django.utils.functional import Promise

Area: TypeAlias = Literal["security", "bootstrap", "registration", "message", "reach", "access", "people"]
Severity: TypeAlias = Literal["info", "warning", "error"]
Mender: TypeAlias = Literal["subscriber", "staff", "engineer", "nobody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why something did not go as asked, in one sentence for each reader, and what mends it: lazy translations.

    `severity`: info is part of normal life, warning wants a look, error stops the device or the person.
    `mended_by`: who can do what `action` says.
    """

    code: str
    area: Area
    severity: Severity
    mended_by: Mender
    subscriber: Promise
    support: Promise
    engineer: Promise
    action: Promise
