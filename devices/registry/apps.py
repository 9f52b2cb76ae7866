from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    name = "devices.registry"
    verbose_name = _("Registrations")

    def ready(self) -> None:
        from accounts import erasing
        from devices.inventory import events
        from devices.registry.services import erasure, processes

        events.SESSIONS_ENDED.register("registry", processes.close_sessions)
        erasing.register("registry", erasure.erase)
