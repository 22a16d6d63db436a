"""Verbs and job of a release: freeze what belongs to it, write its files, publish them whole.

The request freezes the list of accepted documents at one event number; the job reads only what was frozen,
so that a second try, another process or a restored site makes the same bytes. Files get their final names
before the row says that they are there; until then nobody sees any of them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Max

from annotator import blobs, jobs
from annotator.actions.verb import Idem, Writing, writing
from annotator.contributions import site
from annotator.core.canonical import canonical
from annotator.core.errors import Conflict, Invalid
from annotator.formats import FORMATS, Output
from annotator.models import Account, Job, Project, Release, SchemaVersion
from annotator.queries.release import (
    Pseudonyms,
    Snapshot,
    entries,
    header_of,
    members_json,
    names_of,
    part_reader,
    snapshot_of,
    take_snapshot,
)
from annotator.queries.release_check import MANIFEST, SUMS

FORMAT = 1
"""Format number of the manifest; readers accept all earlier ones."""
NAMES = "names.json"
MAX_NAME_CHARS = 200


# --- the request ---


def publish_release(
    *,
    actor: Account,
    project: Project,
    name: str = "",
    formats: list[str] | None = None,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
) -> dict[str, Any]:
    """Verb: freeze the snapshot and queue the job; {release, number, job}.

    Raises Invalid for unknown formats or nothing accepted, Conflict("release_held") with the gates' reasons.
    """
    wanted = [FORMATS.get(one).ID for one in (formats if formats is not None else FORMATS.ids())]
    if not wanted or len(set(wanted)) != len(wanted):
        raise Invalid("bad_formats", "Name each format once, and at least one.", field="formats")
    if len(name) > MAX_NAME_CHARS:
        raise Invalid("name_too_long", "The name has at most 200 characters.", field="name")
    make_key(project)
    with writing(actor=actor, now=now, idem=idem, request=request) as w:
        if w.replayed is not None:
            return dict(w.replayed)
        fresh = Project.objects.select_related("schema").get(pk=project.pk)
        if fresh.schema is None:
            raise Invalid("no_schema", "The project has no schema yet.", cure="Publish a schema first.")
        number = (Release.objects.filter(project=fresh).aggregate(n=Max("number"))["n"] or 0) + 1
        options = {
            "formats": wanted, "schema": fresh.schema.number, "number": number, "title": fresh.title,
            "name": name, }  # fmt: skip
        snapshot = take_snapshot(fresh, options)
        reasons = [reason for gate in site.release_gates for reason in gate(snapshot)]
        if reasons:
            raise Conflict("release_held", "A gate holds the release.", reasons=reasons)
        if not snapshot.accepted:
            raise Invalid(
                "nothing_accepted",
                "No accepted document may be released.",
                cure="Have tasks accepted first.",
                left_out=snapshot.left_out,
            )
        members = blobs.put(members_json(snapshot))
        release = Release.objects.create(
            project=fresh,
            number=number,
            name=name,
            event_seq=snapshot.event_seq,
            event_digest=snapshot.event_digest,
            options={**options, "members": members},
            counts={"accepted": len(snapshot.accepted), "left_out": snapshot.left_out},
            created_by=actor,
            created_at=w.now,
        )
        w.event(
            fresh.public_id,
            "release.requested",
            release.public_id,
            data={
                "number": number,
                "at_event": snapshot.event_seq,
                "members": members,
                "n": len(snapshot.accepted),
            },
        )
        job, _ = jobs.enqueue(w, "release", {"release": release.public_id}, project=fresh, created_by=actor)
        answer = {"release": release.public_id, "number": number, "job": job.public_id}
        return dict(w.answer(answer, status=202))


# --- the key of the release line ---


def key_path(project: Project) -> Path:
    return Path(settings.DATA) / "keys" / "release" / project.public_id


def make_key(project: Project) -> None:
    """One random key a project, made at its first release: pseudonyms of its releases agree, others' do
    not."""
    path = key_path(project)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)  # of two first releases at once one key stays
    except FileExistsError:
        pass
    finally:
        part.unlink()


def read_key(project: Project) -> bytes:
    """The line's key; without it pseudonyms of earlier releases would not come back, so it is never made
    anew here."""
    try:
        return key_path(project).read_bytes()
    except FileNotFoundError:
        raise Invalid(
            "release_key_missing",
            "The key of this project's releases is missing.",
            cure="Restore keys/release in the data folder from the backup.",
        ) from None


# --- writing the files ---


@contextmanager
def _folder(release: Release, token: str) -> Iterator[Path]:
    """A working folder of this try; what earlier tries left is removed."""
    top = Path(settings.DATA) / "tmp"
    top.mkdir(parents=True, exist_ok=True)
    for left in top.glob(f"release-{release.public_id}-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = top / f"release-{release.public_id}-{token[:12]}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_files(
    release: Release, folder: Path, progress: Any = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write all files of a release into `folder`: (files by name, counts). The same bytes each time.

    Raises Invalid when stored documents are damaged or parts are missing; then nothing may be published.
    """
    snapshot = snapshot_of(release)
    pseudonyms = Pseudonyms(read_key(release.project))
    header = header_of(snapshot)
    with Output(folder) as output:
        part_bytes = part_reader()
        writers = [FORMATS.get(one).writer(header, output, part_bytes) for one in snapshot.options["formats"]]
        schemas: set[int] = set()
        counts: dict[str, Any] = {"items": 0, "regions": 0, "by_label": {}, "by_way": {}, "assets": 0}
        for number, entry in enumerate(entries(snapshot, pseudonyms), start=1):
            for one in writers:
                one.add(entry)
            _count(counts, entry)
            schemas.add(entry.schema["number"])
            if progress is not None and number % 250 == 0:
                progress(number, len(snapshot.accepted))
        for one in writers:
            one.close()
        _write_schemas(output, release.project, schemas | {snapshot.options["schema"]})
        for part in sorted(site.release_parts, key=lambda part: part.name):
            for name, data in sorted(part.make(snapshot).items()):
                output.file(name).write(data)
        output.close()
        counts["by_label"] = dict(sorted(counts["by_label"].items()))
        counts["by_way"] = dict(sorted(counts["by_way"].items()))
        files = {name: {"sha256": one.sha256, "size": one.size} for name, one in sorted(output.files.items())}
        manifest = _manifest(release, snapshot, files, counts, output.losses)
        for name in (MANIFEST, SUMS):
            sums = "".join(f"{one['sha256']}  {other}\n" for other, one in sorted(files.items()))
            out = output.file(name)
            out.write(manifest if name == MANIFEST else sums.encode("utf-8"))
            out.close()
            files[name] = {"sha256": out.sha256, "size": out.size}
        names = output.file(NAMES)
        names.write(_readable({"format": FORMAT, "people": names_of(pseudonyms)}))
        names.close()
        found = {name: {**one, "audience": "all"} for name, one in files.items()}
        found[NAMES] = {"sha256": names.sha256, "size": names.size, "audience": "lead"}
        shown = {
            **counts,
            "accepted": counts["items"],
            "left_out": snapshot.left_out,
            "losses": output.losses,
        }
        return found, shown


def _count(counts: dict[str, Any], entry: Any) -> None:
    counts["items"] += 1
    counts["assets"] += len(entry.assets)
    regions = entry.document["regions"]
    counts["regions"] += len(regions)
    by_label, by_way = counts["by_label"], counts["by_way"]
    for region in regions.values():
        by_label[region["label"]] = by_label.get(region["label"], 0) + 1
    by_way[entry.accepted["way"]] = by_way.get(entry.accepted["way"], 0) + 1


def _readable(value: Any) -> bytes:
    """Indented, keys sorted: files that people open."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"
    return text.encode("utf-8")


def _write_schemas(output: Output, project: Project, numbers: set[int]) -> None:
    rows = SchemaVersion.objects.filter(project=project, number__in=sorted(numbers)).order_by("number")
    out = output.file("schemas.jsonl")
    for number, digest, document in rows.values_list("number", "digest", "document"):
        out.write(canonical({"number": number, "digest": digest, "document": document}), b"\n")


def _manifest(
    release: Release,
    snapshot: Snapshot,
    files: dict[str, Any],
    counts: dict[str, Any],
    losses: dict[str, Any],
) -> bytes:
    """No clock, no host, no path, no id made for this release: only what the event log and the documents
    say."""
    rows = SchemaVersion.objects.filter(project=release.project, number=snapshot.options["schema"])
    body = {
        "format": FORMAT,
        "kind": "concord.release",
        "project": {"id": release.project.public_id, "title": snapshot.options["title"]},
        "number": snapshot.options["number"],
        "name": snapshot.options["name"],
        "event": {"seq": snapshot.event_seq, "digest": snapshot.event_digest, "at": snapshot.event_at},
        "schema": {
            "number": snapshot.options["schema"],
            "digest": rows.values_list("digest", flat=True).get(),
        },
        "formats": snapshot.options["formats"],
        "counts": {**counts, "left_out": snapshot.left_out},
        "losses": losses,
        "pseudonyms": {"method": "HMAC-SHA256 of the person under the key of the project's releases"},
        "files": files,
    }
    return _readable(body)


# --- the job ---


def run(ticket: jobs.Ticket) -> dict[str, Any]:
    """Job handler: write, adopt into the blob store, publish. A second try makes the same bytes again."""
    release = Release.objects.select_related("project").get(public_id=ticket.payload["release"])
    if release.state == "done":
        return {"release": release.public_id, "counts": release.counts}
    with _folder(release, ticket.token) as folder:
        files, counts = write_files(release, folder, ticket.progress)
        for name, one in files.items():
            blobs.adopt(folder / name, one["sha256"])
    with writing(actor=ticket.job.created_by, chain=release.project.public_id) as w:
        ticket.fence()
        _publish(w, release, files, counts)
    return {"release": release.public_id, "number": release.number, "counts": counts, "files": sorted(files)}


def give_up(job: Job) -> None:
    """A cancelled or failed making leaves a release that says so, wherever it ended."""
    release = Release.objects.select_related("project").get(public_id=job.payload["release"])
    with writing(actor=job.created_by, chain=release.project.public_id) as w:
        if Release.objects.filter(pk=release.pk, state="making").update(state="failed"):
            w.event(release.project.public_id, "release.failed", release.public_id)


def _publish(w: Writing, release: Release, files: dict[str, Any], counts: dict[str, Any]) -> None:
    manifest = files[MANIFEST]["sha256"]
    changed = Release.objects.filter(pk=release.pk, state="making").update(
        state="done", files=files, counts=counts, manifest_digest=manifest
    )
    if not changed:
        raise Conflict("state_changed", "The release is not being made any more.")
    w.event(
        release.project.public_id,
        "release.published",
        release.public_id,
        data={
            "number": release.number,
            "manifest": manifest,
            "n": counts["items"],
            "at_event": release.event_seq,
        },
    )


def rebuild(release: Release) -> dict[str, str]:
    """Names of files whose bytes a fresh build makes differently -> what differs; {} is a proof of the
    release.

    Reads only; the names file is left out, because people may be renamed.
    """
    with _folder(release, "rebuild") as folder:
        files, _ = write_files(release, folder)
    different: dict[str, str] = {}
    for name in sorted(files.keys() | release.files.keys()):
        if name == NAMES:
            continue
        one, other = files.get(name), release.files.get(name)
        if one is None or other is None:
            different[name] = "only in the published release" if one is None else "only in the new build"
        elif one["sha256"] != other["sha256"]:
            different[name] = "other bytes"
    return different
