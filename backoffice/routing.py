"""WebSocket routes of this room."""

from django.urls import path

from backoffice.board.consumers import BoardConsumer
from backoffice.manage.consumers import ManageConsumer, NodeConsumer

websocket_urlpatterns = [
    path("ws/board/", BoardConsumer.as_asgi()),
    path("ws/devices/<int:device_id>/manage/", ManageConsumer.as_asgi()),
    path("ws/devices/<int:device_id>/manage/node/", NodeConsumer.as_asgi()),
]
