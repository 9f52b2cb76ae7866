"""Addresses with U+0000 in them are refused before any view looks something up by them.

PostgreSQL keeps no such character and fails on it, where SQLite finds nothing; forms, JSON bodies and names of devices
refuse it already.
"""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin


class DamagedAddressMiddleware(MiddlewareMixin):
    """Raises BadRequest, which is 400 as a page or as a problem in JSON. The query is looked at as it was sent."""

    def process_request(self, request: HttpRequest) -> None:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("U+0000 in the address")
