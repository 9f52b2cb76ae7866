from django.apps import AppConfig


class ObservationsConfig(AppConfig):
    name = "devices.observations"
    verbose_name = "Observations"
