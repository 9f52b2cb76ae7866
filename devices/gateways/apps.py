from django.apps import AppConfig


class GatewaysConfig(AppConfig):
    name = "devices.gateways"
    verbose_name = "Gateways"

    def ready(self) -> None:
        from accounts import erasing
        from devices.gateways.services import erasure

        erasing.register("gateways", erasure.erase)
