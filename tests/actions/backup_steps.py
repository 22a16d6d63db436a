# ruff: noqa: E501 - tables
"""What `test_backup` runs in processes of their own: `make FOLDER`, `back FILE`. Each has its own data folder.

A process, not a fixture: settings name the data folder once a process, and the point is another process, locale,
time zone, hash seed and engine.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("CONCORD_FAST_PASSWORDS", "1")
os.environ.setdefault("CONCORD_GRACE_S", "0")
os.environ["DJANGO_SETTINGS_MODULE"] = "annotator.site.settings"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def make(target: Path) -> None:
    """A site with a finished project of boxes, a mask, strange numbers; its release; its backup in `target`."""
    import numpy as np
    from django.core.management import call_command

    from annotator import blobs, jobs
    from annotator.actions.publish_release import publish_release
    from annotator.actions.seat_verbs import sweep
    from annotator.core import masks
    from annotator.models import Asset, Release
    from tests.actors import add, box, claim, make_world, save
    from tests.template import ready

    ready()
    world = make_world(slots=1)
    for key in ("b", "a", "ä", "Z", "z", "中", "😀"):
        task = world.item(key)
        # the helper makes rows only; here the file is there too
        Asset.objects.filter(pk=task.item.item_assets.get().asset_id).update(sha256=blobs.put(key.encode()))
    pixels = np.zeros((480, 640), bool)
    pixels[100:300, 200:600] = True
    tiles, parts = masks.mask_to_parts(pixels)
    sent = {name: base64.b64encode(raw).decode() for name, raw in parts.items()}
    for number in range(7):
        seat = claim(world, world.ann1)
        assert seat is not None
        asset = seat.task.item.item_assets.get().asset.public_id
        odd = box(asset, 0.1, 12.345, 100, 99.999) | {
            "newer": [1e300, 1e21, 5e-324, 0.1, -0.0, 123456789012345680000]
        }
        mask = box(asset, 0, 0, 1, 1) | {"shape": "mask", "geometry": {"tiles": tiles}}
        changes = [add(odd), add(mask)] if number % 2 else [add(odd)]
        save(seat, changes, submit=True, parts=sent if number % 2 else {})
    while sweep():
        pass
    answer = publish_release(actor=world.lead, project=world.project, name="first")
    while (ticket := jobs.take("io")) is not None:
        jobs.run(ticket)
    release = Release.objects.get(public_id=answer["release"])
    assert release.state == "done", release.state
    call_command("backup", str(target), verbosity=0)
    print(
        json.dumps({"release": release.public_id, "files": release.files, "items": release.counts["items"]})
    )


def back(target: Path, release: str) -> None:
    """Restore `target`, then make the release again and compare; go on working."""
    from django.core.management import call_command
    from django.db import connection

    from annotator import anchors
    from annotator.models import AcceptedDocument, Account, Member, Release

    call_command("restore", str(target), verbosity=0, stdout=sys.stderr)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
    call_command("release", "rebuild", release, stdout=sys.stderr)
    call_command(
        "release", "out", release, str(target.with_name(f"{connection.vendor}-out")), stdout=sys.stderr
    )
    row = Release.objects.get(public_id=release)
    anchors.write()
    from annotator.actions.publish_release import publish_release

    lead = Account.objects.get(username="lead")
    second = publish_release(actor=lead, project=Member.objects.filter(account=lead).get().project)
    from annotator.actions.restore import restore
    from annotator.core.errors import Conflict

    try:
        restore(target)
        refused = ""
    except Conflict as error:
        refused = error.code
    print(
        json.dumps(
            {
                "refused": refused,
                "files": row.files, "vendor": connection.vendor, "faults": len(anchors.verify()[1]),
                "accepted": AcceptedDocument.objects.count(), "second": second["number"],
                "password": lead.check_password("password-of-lead"),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    import django

    django.setup()
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        back(Path(sys.argv[2]), sys.argv[3])
