"""Run the assist process (the supervisor starts it at the first request for it)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """The process of the interactive tools."""

    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Works until idle or told to stop."""
        from prelabel.serve.assist import main

        raise SystemExit(main(Path(settings.DATA)))
