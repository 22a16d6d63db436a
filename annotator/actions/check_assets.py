"""Job `check_assets`: reads the header of each unchecked file of a project; ready, or refused with the reason.

Decoders run here, in the io worker, never in the web process. Bytes of a refused file are removed.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings

from annotator import blobs, jobs
from annotator.actions.steps.assets import drop_blob, reason_of, short_text
from annotator.actions.verb import writing
from annotator.core.errors import ConcordError
from annotator.modalities import Limits, check
from annotator.models import Asset, Project

PAGE = 50


def run(ticket: jobs.Ticket) -> dict[str, Any]:
    """Check until nothing is unchecked. A killed run is repeated: a file is either checked or not."""
    project = Project.objects.get(pk=ticket.job.project_id)
    ready = refused = 0
    while True:
        page = list(Asset.objects.filter(project=project, state="checking").order_by("id")[:PAGE])
        if not page:
            return {"ready": ready, "refused": refused}
        found = [(asset, _look(asset)) for asset in page]
        with writing(actor=ticket.job.created_by) as w:
            ticket.fence()
            rows = []
            for asset, fields in found:
                # `name` in the condition: the same bytes may have come again under another name meanwhile
                if Asset.objects.filter(pk=asset.pk, state="checking", name=asset.name).update(**fields):
                    rows.append((f"asset.{fields['state']}", asset.public_id, "", {"sha256": asset.sha256}))
                    ready += fields["state"] == "ready"
                    refused += fields["state"] == "refused"
            if rows:
                w.events(project.public_id, rows)
        for asset, fields in found:
            if fields["state"] == "refused":
                drop_blob(asset.sha256)
        ticket.progress(ready + refused, message=f"{ready} files ready, {refused} refused")


def _look(asset: Asset) -> dict[str, Any]:
    """The columns that the check sets."""
    declared = re.search(r"charset=([a-z0-9-]+)", asset.media_type)
    limits = Limits(settings.PIXEL_LIMIT, encoding=declared.group(1) if declared else "utf-8")
    try:
        if not blobs.exists(asset.sha256):
            return {
                "state": "refused",
                "reason": "file_lost: The bytes are gone.",
                "kind": "unknown",
                "media_type": "",
            }
        header = check(blobs.path(asset.sha256), asset.name, limits)
        text = short_text(header.text, asset.sha256)
    except ConcordError as error:
        return {"state": "refused", "reason": reason_of(error), "kind": "unknown", "media_type": ""}
    return {
        "state": "ready",
        "reason": "",
        "kind": header.kind,
        "media_type": header.media_type,
        "width": header.width,
        "height": header.height,
        "text": text,
    }
