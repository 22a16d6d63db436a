"""Make a release from the command line, or write a published one into a folder, or prove that it can be made
again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator import access, blobs, jobs
from annotator.actions.publish_release import publish_release, rebuild
from annotator.core.errors import ConcordError
from annotator.models import Account, Job, Release


class Command(BaseCommand):
    """`release make PROJECT --as NAME`, `release out RELEASE FOLDER`, `release rebuild RELEASE`."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="what", required=True)
        make = verbs.add_parser("make", help="ask for a release and wait for it")
        make.add_argument("project", help="public id of the project")
        make.add_argument("--as", dest="account", required=True, help="username of a lead of the project")
        make.add_argument("--name", default="")
        make.add_argument(
            "--format", action="append", dest="formats", help="a format; all of them when none is named"
        )
        out = verbs.add_parser("out", help="write the files of a published release into an empty folder")
        out.add_argument("release", help="public id of the release")
        out.add_argument("folder", type=Path)
        out.add_argument("--names", action="store_true", help="with the table of names")
        again = verbs.add_parser("rebuild", help="make its files again and compare; nothing is stored")
        again.add_argument("release", help="public id of the release")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["what"])(**options)
        except ConcordError as error:
            raise CommandError(json.dumps(error.as_dict(), ensure_ascii=False)) from None

    def make(self, *, project: str, account: str, name: str, formats: list[str] | None, **_: Any) -> None:
        """The verb as that lead, then its job here unless a worker has taken it."""
        actor = Account.objects.filter(username=account).first()
        found, member = access.membership(actor, project)
        access.require(actor, "releases.create", member)
        assert actor is not None
        answer = publish_release(actor=actor, project=found, name=name, formats=formats)
        job = Job.objects.get(public_id=answer["job"])
        while job.state in ("queued", "running"):
            ticket = jobs.take("io")
            if ticket is not None:
                jobs.run(ticket)
            job.refresh_from_db()
        if job.state != "done":
            raise CommandError(json.dumps(job.error or {"code": job.state}, ensure_ascii=False))
        self.stdout.write(answer["release"])

    def out(self, *, release: str, folder: Path, names: bool, **_: Any) -> None:
        found = self._done(release)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise CommandError(f"{folder} is not empty")
        for name, one in sorted(found.files.items()):
            if one["audience"] == "all" or names:
                with blobs.open_blob(one["sha256"]) as source, open(folder / name, "wb") as target:
                    shutil.copyfileobj(source, target)
        self.stdout.write(f"{found.manifest_digest}  manifest.json")

    def rebuild(self, *, release: str, **_: Any) -> None:
        different = rebuild(self._done(release))
        for name, what in different.items():
            self.stderr.write(f"{name}: {what}")
        if different:
            raise CommandError("the release cannot be made again from what is stored")
        self.stdout.write("the same bytes")

    def _done(self, public_id: str) -> Release:
        found = Release.objects.select_related("project").filter(public_id=public_id, state="done").first()
        if found is None:
            raise CommandError("there is no published release of this id")
        return found
