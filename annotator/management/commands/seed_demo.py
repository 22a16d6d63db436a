"""Make the demo projects and accounts in this data folder. Never in production."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """One demo a data folder."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Does nothing when the demo is there."""
        from annotator.site import demo

        if settings.PRODUCTION:
            raise CommandError("The demo is not made in production: its accounts are for trying out only.")
        if (settings.DATA / demo.ACCOUNTS_FILE).exists():
            self.stdout.write("The demo is there already.")
            return
        demo.seed(settings.DATA)
