"""Reads object lists out of rows. One row that cannot be read is one device's fault, and never a page's or a ladder's.

What stands there instead is what is known of a device that said nothing: it is told right by its next Register.
"""

from __future__ import annotations

import logging
from typing import Any

from lwm2m.errors import Lwm2mError
from lwm2m.links import ObjectLinks

logger = logging.getLogger(__name__)


def read(stored: Any, *, device_id: int | None = None) -> ObjectLinks | None:
    """What `ObjectLinks.to_json` wrote; None where there is nothing, and where it is not that."""
    if not stored:
        return None
    try:
        return ObjectLinks.from_json(stored)
    except Lwm2mError:
        logger.warning("object_links_unreadable device=%s", device_id)
        return None
