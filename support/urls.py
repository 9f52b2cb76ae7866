"""Pages of this room."""

from django.urls import path

from support.views import device, search, waiting_room

urlpatterns = [
    path("", search.search, name="support"),
    path("devices/<int:device_id>/", device.device, name="support-device"),
    path("waiting-room/", waiting_room.waiting_room, name="support-waiting-room"),
]
