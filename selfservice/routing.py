"""WebSocket routes of this room."""

from django.urls import path

from selfservice.consumers import StepperConsumer

websocket_urlpatterns = [path("ws/devices/<int:device_id>/stepper/", StepperConsumer.as_asgi())]
