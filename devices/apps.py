from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "devices"

    def ready(self) -> None:
        from devices import sealed_places, vault

        for place in sealed_places.places():
            vault.keep_place(place)
