"""WebSocket routes of this room."""

from django.urls import path

from support.consumers import TimelineConsumer

websocket_urlpatterns = [path("ws/support/devices/<int:device_id>/", TimelineConsumer.as_asgi())]
