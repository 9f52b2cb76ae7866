from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TelemetryConfig(AppConfig):
    name = "devices.telemetry"
    verbose_name = _("Telemetry")

    def ready(self) -> None:
        from accounts import erasing
        from devices.telemetry.services import erasure

        erasing.register("telemetry", erasure.erase)
