"""Shapes of JSON for the payload of a protocol message."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.translation import ngettext

from backoffice.manage import shown

register = template.Library()

_ONE_VALUE = {"base64", "object_link", "bytes", "hex"}


@register.filter
def shape(said: Any) -> str:
    """nodes, object, list, or plain: bytes and links are objects in JSON and one value to a reader."""
    if isinstance(said, dict):
        if isinstance(said.get("nodes"), list):
            return "nodes"
        return "plain" if said.keys() <= _ONE_VALUE else "object"
    return "list" if isinstance(said, list) else "plain"


@register.filter
def plain(said: Any) -> str:
    if isinstance(said, dict):
        return (
            ngettext("%(count)s byte", "%(count)s bytes", said["bytes"]) % {"count": said["bytes"]}
            if said.keys() == {"bytes"}
            else shown.of(said, None).text
        )
    return said if isinstance(said, str) else json.dumps(said)
