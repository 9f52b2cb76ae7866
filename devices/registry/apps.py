from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "devices.registry"
    verbose_name = "Registrations"

    def ready(self) -> None:
        from devices.inventory import events
        from devices.registry.services import processes

        events.SESSIONS_ENDED.register("registry", processes.close_sessions)
