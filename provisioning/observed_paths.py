"""Checks the paths that a profile wants observed."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from lwm2m.errors import Lwm2mError
from lwm2m.paths import Path

LIMIT = 50


def check(value: Any) -> None:
    """A list of objects, instances or resources, such as ["/3303", "/3304/0/5700"]."""
    if not isinstance(value, list) or len(value) > LIMIT or not all(isinstance(one, str) for one in value):
        raise ValidationError(
            gettext('Write a list of at most %(limit)s paths, such as ["/3303"].') % {"limit": LIMIT}
        )
    for one in value:
        try:
            path = Path.parse(one)
        except Lwm2mError as error:
            raise ValidationError(error.detail) from None
        if path.depth == 0:
            raise ValidationError(gettext("The root cannot be observed; name an object, such as /3303."))
