"""Steps: a file whose bytes are in the blob store becomes an asset; what a check found; what a refused one leaves."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Sum

from annotator import blobs
from annotator.actions.steps.items import TEXT_IN_ROW
from annotator.contributions import site
from annotator.core import masks
from annotator.core.errors import ConcordError, Invalid, TooLarge
from annotator.jobs import enqueue
from annotator.modalities.text import ENCODINGS
from annotator.models import Asset, Job, Part, Project, Release, Upload

if TYPE_CHECKING:
    from annotator.actions.verb import Writing

NAME_CHARS = 400
PROJECT_BYTES = 200 * 2**30


def check_file_name(name: str) -> str:
    """A file's name as people gave it: shown and looked up, never used as a path."""
    if (
        not 1 <= len(name) <= NAME_CHARS
        or name != name.strip()
        or any(ord(c) < 32 or ord(c) == 127 for c in name)
    ):
        raise Invalid(
            "bad_name", "A file name has 1 to 400 characters and no control characters.", field="name"
        )
    return name


def check_quota(project: Project, size: int) -> None:
    """Refuse a file that the project's budget does not hold; unfinished uploads count with their whole size."""
    limit = int(getattr(settings, "PROJECT_BYTES", PROJECT_BYTES))
    stored = Asset.objects.filter(project=project).exclude(state="refused").aggregate(n=Sum("size"))["n"] or 0
    coming = Upload.objects.filter(project=project, finished_at=None).aggregate(n=Sum("size"))["n"] or 0
    if stored + coming + size > limit:
        raise TooLarge(
            "quota_exceeded", "The project's budget for files is used up.", limit=limit, used=stored + coming
        )


def claimed_type(encoding: str) -> str:
    """What an unchecked asset's media type says: only a declared encoding; the rest is for the check to find."""
    if encoding not in ENCODINGS:
        raise Invalid(
            "encoding_unknown", "This encoding is not known.", field="encoding", cure="Use utf-8 or gb18030."
        )
    return f"application/octet-stream; charset={encoding}"


def keep_asset(
    w: Writing, project: Project, *, sha256: str, name: str, size: int, encoding: str
) -> tuple[Asset, Job | None]:
    """Step: the asset row (the one there is, for known bytes) and the job that checks it."""
    asset = Asset.objects.filter(project=project, sha256=sha256).first()
    if asset is None:
        asset = Asset.objects.create(
            project=project,
            sha256=sha256,
            name=name,
            kind="unknown",
            media_type=claimed_type(encoding),
            size=size,
            created_at=w.now,
        )
    elif asset.state == "refused":
        # The same bytes may be right under another name or encoding.
        asset.state, asset.name, asset.reason, asset.media_type = "checking", name, "", claimed_type(encoding)
        asset.save(update_fields=["state", "name", "reason", "media_type"])
    else:
        return asset, None
    w.event(project.public_id, "asset.received", asset.public_id, data={"sha256": sha256, "size": size})
    return asset, enqueue_check(w, project)


def enqueue_check(w: Writing, project: Project) -> Job:
    """One check of all unchecked files of the project; a running one may be past this file, so another follows it."""
    running = (
        Job.objects.filter(kind="check_assets", project=project, state="running").order_by("-id").first()
    )
    job, _ = enqueue(
        w,
        "check_assets",
        {"after": running.public_id if running else ""},
        project=project,
        created_by=w.actor,
    )
    return job


def reason_of(error: ConcordError) -> str:
    """The reason kept with a refused file."""
    return (f"{error.code}: {error.message}" + (f" ({error.place})" if error.place else ""))[:300]


def short_text(text: str | None, sha: str) -> str | None:
    """A text short enough for its row, else None. A long one must be stored in the very bytes of its blob."""
    if text is None or len(text.encode()) <= TEXT_IN_ROW:
        return text
    if hashlib.sha256(text.encode()).hexdigest() != sha:
        raise Invalid(
            "long_text_not_plain",
            "A text longer than 64 KiB must be UTF-8 without a byte-order mark.",
            cure="Save it so, then send it again.",
        )
    return None


def drop_blob(sha: str) -> None:
    """Remove the bytes of a refused file, unless something else in the store is these very bytes.

    The store is one for all: whoever sends the bytes of a mask part, a release's file or a model must not be able
    to have them removed by having them refused as a picture.
    """
    if not _named(sha):
        blobs.path(sha).unlink(missing_ok=True)


def _named(sha: str) -> bool:
    if (
        Asset.objects.filter(sha256=sha).exclude(state="refused").exists()
        or Part.objects.filter(digest=sha).exists()
        or Job.objects.filter(kind="import", result__rejects=sha).exists()
        or any(named(sha) for named in site.blob_names)
    ):
        return True
    releases = Release.objects.values_list("files", "options")
    if any(
        sha in (options.get("members"), *(f["sha256"] for f in files.values())) for files, options in releases
    ):
        return True
    return _is_part(sha)


def _is_part(sha: str) -> bool:
    """A raster part may be named by a prelabel that no seat was handed yet. No picture reads as a part."""
    place = blobs.path(sha)
    try:
        if place.stat().st_size > masks.MAX_PART_BYTES:
            return False
        masks.part_runs(place.read_bytes())
    except (OSError, ConcordError):
        return False
    return True
