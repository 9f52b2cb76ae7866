"""Health, error pages, and the embedded mailbox: pages that belong to no room."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


def health(request: HttpRequest) -> JsonResponse:
    """200 when the web process reaches its database, 503 when it does not; for load balancers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "database unreachable"}, status=503)
    return JsonResponse({"status": "ok"})


def _api_problem(request: HttpRequest, code: str, detail: str, status: int) -> HttpResponse | None:
    if request.path.startswith("/api/"):
        return JsonResponse({"code": code, "detail": detail}, status=status)
    return None


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _api_problem(
        request, "NOT_FOUND", "There is nothing at this address. The list of addresses is at /api/docs/.", 404
    ) or render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _api_problem(
        request, "INTERNAL_ERROR", "Something went wrong on our side and was recorded. Try again later.", 500
    ) or render(request, "500.html", status=500)
