"""Which page belongs to which room; each room keeps its own urls."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView

from m2m_portal import views
from m2m_portal.content_security import allowing

# ReDoc writes its styles into the page and searches in a worker made of a blob.
redoc = allowing(style_src="'unsafe-inline'", worker_src="blob:")(
    SpectacularRedocView.as_view(url_name="schema")
)

urlpatterns = [
    path("robots.txt", views.robots),
    path("favicon.ico", views.favicon),
    path("jsi18n/", views.javascript_catalog, name="javascript-catalog"),
    path("admin/", admin.site.urls),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("api/redoc/", redoc, name="api-redoc"),
    path("support/", include("support.urls")),
    path("", include("selfservice.urls")),
]
if settings.LOCAL_MAIL_PAGE:
    urlpatterns.insert(0, path("local-mail/", include("m2m_portal.local_mail_urls")))

handler400 = "m2m_portal.views.bad_request"
handler404 = "m2m_portal.views.not_found"
handler500 = "m2m_portal.views.server_error"
