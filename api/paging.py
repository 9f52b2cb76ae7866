"""How REST lists are divided into pages."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination, PageNumberPagination

from accounts.scoping.paging import KeyedPaginator


class Pages(PageNumberPagination):
    """Fifty rows a page; `page_size` up to 500."""

    django_paginator_class = KeyedPaginator
    page_size_query_param = "page_size"
    max_page_size = 500


class LedgerPages(CursorPagination):
    """Steps from event to event: counting a ledger would read all of it.

    By a key that no two events share: by their times alone, thousands of one moment would be a page without an end.
    """

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500
