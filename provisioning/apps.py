from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    verbose_name = _("Provisioning")

    def ready(self) -> None:
        from accounts import erasing
        from devices.commands import events as command_events
        from devices.inventory import vault
        from devices.registry import events as registry_events
        from provisioning import events
        from provisioning.services import erasure, key_sheet

        vault.keep_place(key_sheet.PLACE)
        registry_events.HEARD.register("provisioning", events.devices_heard)
        command_events.SETTLED.register("provisioning", events.commands_settled)
        erasing.register("provisioning", erasure.erase)
