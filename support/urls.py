"""Pages of this room."""

from django.urls import path

from support.views import device, handed_over, search, waiting_room

urlpatterns = [
    path("", search.search, name="support"),
    path("devices/<int:device_id>/", device.device, name="support-device"),
    path("handed-over/", handed_over.handed_over, name="support-handed-over"),
    path("waiting-room/", waiting_room.waiting_room, name="support-waiting-room"),
]
