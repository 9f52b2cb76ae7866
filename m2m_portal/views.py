"""The error pages of the whole site; under /api/ they are problems in JSON. And what is asked of every site."""

from __future__ import annotations

import time

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template import loader
from django.templatetags.static import static
from django.utils.translation import get_language, gettext
from django.views.decorators.http import condition, require_safe
from django.views.i18n import JavaScriptCatalog

from audit import away


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Nothing here is for a search engine (RFC 9309)."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain")


_STARTED = f"{time.time():.0f}"
javascript_catalog = condition(etag_func=lambda request: f'"{get_language()}-{_STARTED}"')(
    JavaScriptCatalog.as_view(packages=["m2m_portal"])
)
"""What our scripts say, in the reader's language; asked anew only when the language or the release changes."""


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """For whoever asks without having read a page that names the icon."""
    return redirect(static("portal/icon.svg"))


def _api_problem(request: HttpRequest, code: str, detail: str, status: int) -> HttpResponse | None:
    if request.path.startswith("/api/"):
        return JsonResponse({"code": code, "detail": detail}, status=status)
    return None


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _api_problem(
        request,
        "NOT_FOUND",
        gettext("There is nothing at this address. The list of addresses is at /api/docs/."),
        404,
    ) or render(request, "404.html", status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django refuses before any view sees it: a body over the limit, a foreign host name, a damaged address."""
    if isinstance(exception, RequestDataTooBig):
        said = _api_problem(
            request, "REQUEST_TOO_LARGE", gettext("The body is too large. Send less in one request."), 413
        )
    else:
        said = _api_problem(
            request,
            "CLIENT_REQUEST_MALFORMED",
            gettext("The request cannot be read. Check its host name, address and body."),
            400,
        )
    return said or HttpResponse(loader.render_to_string("400.html"), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    return (
        away.answer_to_current(request)
        or _api_problem(
            request,
            "INTERNAL_ERROR",
            gettext("Something went wrong on our side and was recorded. Try again later."),
            500,
        )
        or render(request, "500.html", status=500)
    )
