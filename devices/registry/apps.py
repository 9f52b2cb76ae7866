from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "devices.registry"
    verbose_name = "Registrations"
