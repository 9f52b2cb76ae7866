from django.apps import AppConfig


class SouthboundConfig(AppConfig):
    name = "southbound"

    def ready(self) -> None:
        from devices.inventory import vault
        from southbound.transports import session_file

        vault.keep_place(session_file.PLACE)
