"""The Content-Security-Policy of every page: own files only, nothing inline, no frames.

Django has none of its own before 6.0. A page that carries foreign code which needs more says so with `allowing`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

HEADER = "Content-Security-Policy"
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",  # WebSockets of the same host and port included (CSP 3)
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def allowing(**more: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A view whose page may do more: `allowing(style_src="'unsafe-inline'")(view)`."""
    added = {name.replace("_", "-"): sources for name, sources in more.items()}

    def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def answer(*args: Any, **kwargs: Any) -> HttpResponse:
            response = view(*args, **kwargs)
            response.headers[HEADER] = policy(added)
            return response

        return answer

    return wrap


def policy(more: dict[str, str] | None = None) -> str:
    """The header's value; what `more` adds stands behind what holds for all pages."""
    whole = dict(POLICY)
    for name, sources in (more or {}).items():
        whole[name] = f"{whole[name]} {sources}" if name in whole else sources
    return "; ".join(f"{name} {sources}" for name, sources in whole.items())


class ContentSecurityMiddleware(MiddlewareMixin):
    """Django's own error pages for developers are inline all over; with DEBUG they are left alone."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if not (settings.DEBUG and response.status_code >= 400):
            response.headers.setdefault(HEADER, _EVERYWHERE)
        return response


_EVERYWHERE = policy()
