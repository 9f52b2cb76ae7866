from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "devices.telemetry"
    verbose_name = "Telemetry"
