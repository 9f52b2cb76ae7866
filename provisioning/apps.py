from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"

    def ready(self) -> None:
        from accounts import erasing
        from provisioning.services import device_erasure, erasure

        erasing.register("devices", device_erasure.erase)
        erasing.register("provisioning", erasure.erase)
