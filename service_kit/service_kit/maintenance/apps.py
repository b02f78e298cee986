from django.apps import AppConfig


class MaintenanceConfig(AppConfig):
    name = "service_kit.maintenance"
