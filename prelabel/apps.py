"""Django's entry to the wing that drafts."""

from django.apps import AppConfig


class PrelabelConfig(AppConfig):
    """Who drafts first labels."""

    name = "prelabel"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Contribute access rows, navigation, panels and jobs."""
        from prelabel import contrib

        contrib.register()
