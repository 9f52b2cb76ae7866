from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "devices.messaging"
    verbose_name = "SMS"

    def ready(self) -> None:
        from devices.inventory import vault
        from devices.messaging import sealed_places

        vault.keep_place(sealed_places.PASSWORDS)
