"""Pages of this room beside allauth's."""

from django.urls import path

from accounts import views

urlpatterns = [path("invitation/<str:token>/", views.invitation, name="staff-invitation")]
