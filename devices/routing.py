"""WebSocket routes of this room."""

from django.urls import path

from devices.consumers import BoardConsumer

websocket_urlpatterns = [path("ws/board/", BoardConsumer.as_asgi())]
