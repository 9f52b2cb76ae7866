from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "devices.registry"
    verbose_name = "Registrations"

    def ready(self) -> None:
        from accounts import erasing
        from devices.inventory import events
        from devices.registry.services import erasure, processes

        events.SESSIONS_ENDED.register("registry", processes.close_sessions)
        erasing.register("registry", erasure.erase)
