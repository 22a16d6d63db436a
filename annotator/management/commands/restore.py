"""Restore a backup into an empty data folder (CONCORD_DATA) and database. Checked whole before anything is
written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator.actions.restore import check, restore
from annotator.anchors import verify
from annotator.core.errors import ConcordError


class Command(BaseCommand):
    """`restore FILE.tar`, `restore FILE.tar --check`."""

    help = __doc__
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help="only check the file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            body = check(options["file"]) if options["check"] else restore(options["file"])
        except ConcordError as error:
            raise CommandError(json.dumps(error.as_dict(), ensure_ascii=False)) from None
        rows = sum(table["rows"] for table in body["tables"].values())
        self.stdout.write(f"{'good' if options['check'] else 'restored'}: {rows} rows, {body['blobs']} blobs")
        if body["missing_blobs"]:
            self.stderr.write(
                f"warning: {len(body['missing_blobs'])} blobs were missing when the backup was made"
            )
        if not options["check"]:
            n, faults = verify()
            for fault in faults:
                self.stderr.write(f"{fault.chain} event {fault.seq}: {fault.what}")
            if faults:
                raise CommandError("the restored event log does not verify")
            self.stdout.write(f"event log good: {n} events")
