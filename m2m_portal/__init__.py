"""Wires the rooms together and decides nothing: settings, urls, asgi, celery, the all-in-one command."""

from m2m_portal.celery import app as celery_app

__all__ = ["celery_app"]
