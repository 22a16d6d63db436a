"""Django's entry to the wing that judges."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """Is it right?"""

    name = "review"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Contribute access rows, navigation, panels, release parts and subscribers."""
        from review import contrib

        contrib.register()
