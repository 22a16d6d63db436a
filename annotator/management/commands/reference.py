"""Write docs/reference from the code, or with --check say which pages are out of step."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation


class Command(BaseCommand):
    """concord reference [--check]"""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """--check"""
        parser.add_argument(
            "--check", action="store_true", help="Write nothing; exit with 1 when out of step."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Pages that are as they should be are left alone."""
        from annotator.site import reference

        folder = reference.folder()
        if folder is None:
            raise CommandError("The reference is made in a checkout, not from an installed wheel.")
        with translation.override("en"):
            made = reference.pages()
        old = {name: (folder / name).read_text("utf-8") if (folder / name).exists() else "" for name in made}
        changed = sorted(name for name in made if made[name] != old[name])
        if options["check"]:
            if changed:
                raise CommandError(f"out of step: {', '.join(changed)}; run `python3 concord.py reference`")
            self.stdout.write(f"{len(made)} pages are in step")
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name in changed:
            (folder / name).write_text(made[name], "utf-8")
        self.stdout.write(f"{len(changed)} of {len(made)} pages written")
