from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InventoryConfig(AppConfig):
    name = "devices.inventory"
    verbose_name = _("Devices")

    def ready(self) -> None:
        from accounts import erasing
        from devices.inventory import sealed_places, vault
        from devices.inventory.services import erasure

        vault.keep_place(sealed_places.KEYS)
        erasing.register("inventory", erasure.erase)
