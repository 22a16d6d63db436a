"""Check the event chains: every digest is computed again and held against the heads and the anchors."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotator import anchors


class Command(BaseCommand):
    """concord verify [CHAIN]"""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """chain: a project's id or "site"; all without it."""
        parser.add_argument("chain", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line a fault; exit status 1 with any."""
        read, faults = anchors.verify(options["chain"])
        for fault in faults:
            self.stdout.write(f"{fault.chain}: event {fault.seq}: {fault.what}")
        self.stdout.write(f"{read} events read, {len(faults)} faults")
        if faults:
            sys.exit(1)
