"""Django's entry to the foundation wing."""

from django.apps import AppConfig


class AnnotatorConfig(AppConfig):
    """What is labelled, and keeping it."""

    name = "annotator"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connections get their SQLite settings; annotator's own contributions are filled in."""
        from annotator import contrib, db

        db.install()
        contrib.register()
