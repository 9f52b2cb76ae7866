from django.apps import AppConfig


class GatewaysConfig(AppConfig):
    name = "devices.gateways"
    verbose_name = "Gateways"
