from django.apps import AppConfig


class SouthboundConfig(AppConfig):
    name = "southbound"

    def ready(self) -> None:
        from devices.inventory import vault
        from southbound.process import session_file

        vault.keep_place(session_file.PLACE)
