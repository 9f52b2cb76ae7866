from django.apps import AppConfig


class SelfserviceConfig(AppConfig):
    name = "selfservice"

    def ready(self) -> None:
        from devices.inventory import vault
        from selfservice import key_sheet

        vault.keep_place(key_sheet.PLACE)
