"""Check a released folder: says good, or names the first bad file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator.models import Event, Release
from annotator.queries.release_check import check_folder


class Command(BaseCommand):
    """`verify_release FOLDER [--release ID | --manifest SHA256]`."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--release", help="public id: the manifest must be the one in this site's event log"
        )
        parser.add_argument("--manifest", help="sha256 that the manifest must have")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = options["manifest"]
        if options["release"]:
            found = Release.objects.select_related("project").filter(public_id=options["release"]).first()
            if found is None:
                raise CommandError("there is no release of this id")
            event = Event.objects.filter(
                chain=found.project.public_id, verb="release.published", object=found.public_id
            ).first()
            if event is None:
                raise CommandError("the event log does not know that this release was published")
            wanted = event.data["manifest"]
        n, fault = check_folder(options["folder"], wanted)
        if fault is not None:
            raise CommandError(f"{fault.file} {fault.what}")
        self.stdout.write(
            f"good: {n} files"
            + ("" if wanted else " (give --release or --manifest to hold the manifest itself)")
        )
