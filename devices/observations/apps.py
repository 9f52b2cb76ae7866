from django.apps import AppConfig


class ObservationsConfig(AppConfig):
    name = "devices.observations"
    verbose_name = "Observations"

    def ready(self) -> None:
        from accounts import erasing
        from devices.observations.services import erasure

        erasing.register("observations", erasure.erase)
