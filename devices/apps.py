from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "devices"

    def ready(self) -> None:
        from accounts import erasing
        from devices import folding, sealed_places, vault
        from devices.services import erasure

        folding.connect()
        erasing.register("devices", erasure.erase)
        for place in sealed_places.places():
            vault.keep_place(place)
