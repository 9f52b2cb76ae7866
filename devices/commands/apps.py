from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommandsConfig(AppConfig):
    name = "devices.commands"
    verbose_name = _("Commands")

    def ready(self) -> None:
        from accounts import erasing
        from devices.commands import sealed_places
        from devices.commands.services import erasure
        from devices.inventory import vault

        vault.keep_place(sealed_places.COMMANDS)
        erasing.register("commands", erasure.erase)
