from django.apps import AppConfig


class SouthboundConfig(AppConfig):
    name = "southbound"
