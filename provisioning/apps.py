from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"

    def ready(self) -> None:
        from accounts import erasing
        from provisioning.services import erasure

        erasing.register("provisioning", erasure.erase)
