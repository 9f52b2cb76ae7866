from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "devices.telemetry"
    verbose_name = "Telemetry"

    def ready(self) -> None:
        from accounts import erasing
        from devices.telemetry.services import erasure

        erasing.register("telemetry", erasure.erase)
