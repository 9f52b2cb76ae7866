"""REST routes of this room."""

from django.urls import path

from api.people import views

urlpatterns = [
    path("operators/", views.OperatorList.as_view(), name="api-operators"),
    path("signup/", views.Signup.as_view(), name="api-signup"),
    path("auth/login/", views.Login.as_view(), name="api-login"),
    path("auth/logout/", views.Logout.as_view(), name="api-logout"),
    path("auth/logoutall/", views.LogoutAll.as_view(), name="api-logoutall"),
    path("me/", views.Me.as_view(), name="api-me"),
    path("me/accounts/", views.MyAccounts.as_view(), name="api-my-accounts"),
]
