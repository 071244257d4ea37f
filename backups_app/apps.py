"""The Django application; importing the checks registers them."""

from django.apps import AppConfig


class BackupsAppConfig(AppConfig):
    name = "backups_app"
    verbose_name = "Backup Management"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from backups_app import checks  # noqa: F401  (registers the system checks)
