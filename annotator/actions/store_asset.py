"""Verb: a file whose bytes are in the blob store becomes an asset of the project, to be checked by a job."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from annotator.actions.steps.assets import check_file_name, check_quota, keep_asset
from annotator.actions.verb import Idem, writing
from annotator.models import Account, Project, Upload
from annotator.queries.items import asset_body


def store_asset(
    *,
    actor: Account,
    project: Project,
    sha256: str,
    name: str,
    size: int,
    encoding: str = "utf-8",
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """The bytes are stored already; the row makes them the project's. Known bytes give the asset there is."""
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return w.replayed  # type: ignore[no-any-return]
        check_quota(project, size)
        asset, job = keep_asset(
            w, project, sha256=sha256, name=check_file_name(name), size=size, encoding=encoding
        )
        Upload.objects.create(
            project=project,
            account=actor,
            name=name,
            size=size,
            sha256=sha256,
            offset=size,
            created_at=w.now,
            finished_at=w.now,
        )
        return w.answer({"asset": asset_body(asset), "job": job.public_id if job else None}, 202)  # type: ignore[no-any-return]
