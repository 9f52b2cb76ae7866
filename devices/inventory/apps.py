from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "devices.inventory"
    verbose_name = "Devices"

    def ready(self) -> None:
        from devices.inventory import sealed_places, vault

        vault.keep_place(sealed_places.KEYS)
