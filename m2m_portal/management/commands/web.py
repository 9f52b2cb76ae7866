"""`manage.py web`: pages, REST and WebSockets alone, for production."""

from __future__ import annotations

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from m2m_portal import web_connections
from southbound.process import descriptors


class Command(BaseCommand):
    help = "Serves pages, REST and WebSockets on BIND_ADDRESS:HTTP_PORT."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workers", type=int, default=1, help="processes that share the port")

    def handle(self, *args: object, workers: int, **options: object) -> None:
        descriptors.raise_limit()
        uvicorn.run(
            "m2m_portal.asgi:application",
            host=settings.BIND_ADDRESS,
            port=settings.HTTP_PORT,
            workers=workers,
            log_level="warning",
            lifespan="off",
            proxy_headers=False,  # `client_address` counts our proxies; nobody else is believed
            timeout_graceful_shutdown=5,
            **web_connections.options(),
        )
