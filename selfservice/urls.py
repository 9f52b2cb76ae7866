"""Pages of this room."""

from django.urls import path

from selfservice.views import adding, devices, end_devices, home, mending, profile

urlpatterns = [
    path("", home.home, name="home"),
    path("devices/", devices.listing, name="devices"),
    path("devices/add/", adding.add, name="device-add"),
    path("devices/<int:device_id>/", devices.device, name="device"),
    path("devices/<int:device_id>/end-devices/", end_devices.end_devices_of, name="device-end-devices"),
    path("devices/<int:device_id>/new-key/", devices.new_key, name="device-new-key"),
    path("devices/<int:device_id>/key-noted/", devices.key_noted, name="device-key-noted"),
    path("devices/<int:device_id>/key/", mending.key, name="device-key"),
    path("devices/<int:device_id>/endpoint/", mending.endpoint, name="device-endpoint"),
    path("devices/<int:device_id>/name/", mending.name, name="device-name"),
    path("devices/<int:device_id>/release/", devices.release, name="device-release"),
    path("profile/", profile.profile, name="profile"),
    path("profile/name/", profile.rename, name="profile-name"),
    path("profile/time-zone/", profile.choose_time_zone, name="profile-time-zone"),
    path("profile/time-zone/browser/", profile.time_zone_of_browser, name="time-zone-of-browser"),
    path("profile/accounts/", profile.open_account, name="account-open"),
]
