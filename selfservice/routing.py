"""WebSocket routes of this room."""

from django.urls import URLPattern

websocket_urlpatterns: list[URLPattern] = []
