"""A page of the desk: its own context, and how many devices wait for somebody here."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from provisioning.selectors import handed_over
from support.access import operator_ids


def draw(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    waiting = handed_over.count_words(operator_ids(request.user))
    return render(request, template, {**context, "handed_over": waiting})
