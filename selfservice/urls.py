"""Pages of this room."""

from django.urls import path

from selfservice.views import home, profile

urlpatterns = [
    path("", home.home, name="home"),
    path("profile/", profile.profile, name="profile"),
    path("profile/name/", profile.rename, name="profile-name"),
    path("profile/accounts/", profile.open_account, name="account-open"),
]
