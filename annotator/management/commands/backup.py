"""Write database, blobs and keys of this moment into one file. People may go on working meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator.actions.backup import backup


class Command(BaseCommand):
    """`backup FILE.tar`."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the file to write; it must not exist")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            body = backup(options["file"])
        except (FileExistsError, RuntimeError) as error:
            raise CommandError(str(error)) from None
        rows = sum(table["rows"] for table in body["tables"].values())
        self.stdout.write(f"{options['file']}: {rows} rows, {body['blobs']} blobs")
        for chain, (seq, _) in sorted(body["heads"].items()):
            self.stdout.write(f"  {chain} at event {seq}")
        if body["missing_blobs"]:
            n = len(body["missing_blobs"])
            self.stderr.write(
                f"warning: {n} blobs that rows name are not in the blob store (listed in the manifest)"
            )
