from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ObservationsConfig(AppConfig):
    name = "devices.observations"
    verbose_name = _("Observations")

    def ready(self) -> None:
        from accounts import erasing
        from devices.observations.services import erasure

        erasing.register("observations", erasure.erase)
