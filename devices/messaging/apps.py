from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "devices.messaging"
    verbose_name = "SMS"

    def ready(self) -> None:
        from accounts import erasing
        from devices.inventory import vault
        from devices.messaging import sealed_places
        from devices.messaging.services import erasure, smsc_links
        from devices.registry.models import Transport
        from devices.registry.selectors import flows

        vault.keep_place(sealed_places.PASSWORDS)
        flows.register(Transport.SMS, smsc_links.holder_of)
        erasing.register("messaging", erasure.erase)
