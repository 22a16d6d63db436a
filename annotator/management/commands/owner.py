"""Make an operator account (or let one in again) and print the single-use link that sets its password."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator.actions.accounts import RESET_HOURS, make_owner
from annotator.core.errors import ConcordError


class Command(BaseCommand):
    """concord owner NAME"""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """username, --url"""
        parser.add_argument("username", nargs="?", default="operator")
        parser.add_argument("--url", default="", help="Address of the site, put before the link.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the link and nothing else that is secret."""
        try:
            account, link = make_owner(username=options["username"])
        except ConcordError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"operator: {account.username}")
        self.stdout.write(f"open once, within {RESET_HOURS} hours: {options['url'].rstrip('/')}{link}")
