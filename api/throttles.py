"""Limits over REST for whoever has not signed in yet, counted by where the request came from."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle

from audit.middleware import client_source


class ByClient(ScopedRateThrottle):
    """A view names its `throttle_scope`. What a client writes into X-Forwarded-For does not make it another."""

    def get_ident(self, request: Request) -> str:
        return client_source(request._request)
