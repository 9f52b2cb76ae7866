from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GatewaysConfig(AppConfig):
    name = "devices.gateways"
    verbose_name = _("Gateways")

    def ready(self) -> None:
        from accounts import erasing
        from devices.gateways.services import erasure

        erasing.register("gateways", erasure.erase)
