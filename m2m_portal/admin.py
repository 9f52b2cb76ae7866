"""The admin site of the operators' staff."""

from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.sites import AdminSite


class PortalAdminConfig(AdminConfig):
    default_site = "m2m_portal.admin.PortalAdminSite"


class PortalAdminSite(AdminSite):
    site_header = "M2M portal"
    site_title = "M2M portal"
    index_title = "Operations"
    enable_nav_sidebar = True
