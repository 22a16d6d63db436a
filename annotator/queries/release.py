"""Reads for releases: what belongs into one at an event number, and its items, streamed in order of their
keys.

Everything here depends on rows that do not change after the event: frozen row ids, accepted documents,
seats that answered before acceptance. The same release reads the same on any engine, in any locale, after
any restore.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db.models import Count

from annotator import blobs
from annotator.contributions import site
from annotator.core.canonical import canonical, strict_loads
from annotator.core.errors import Invalid
from annotator.core.ids import sha256_hex
from annotator.core.times import iso
from annotator.formats import Entry, Header
from annotator.models import (
    AcceptedDocument,
    Account,
    Assignment,
    ChainHead,
    Event,
    ItemAsset,
    Prelabel,
    Project,
    Release,
    SchemaVersion,
    Task,
)
from annotator.shapes import parse_schema

CHUNK = 500
LEFT_OUT_USES = ("withdrawn", "gold", "pilot")
_ACCOUNT = re.compile(r"u_[a-z2-7]{16}\Z")


@dataclass
class Snapshot:
    """What a release is made from: accepted documents at one event number, in order of external_key.

    `accepted` holds row ids of AcceptedDocument; `left_out` says how many tasks stay out, by reason.
    Gates, filters and release parts of the upper wings read this and nothing that moves on.
    """

    project: Project
    event_seq: int
    event_digest: str
    event_at: str
    accepted: list[int]
    left_out: dict[str, int]
    options: dict[str, Any] = field(default_factory=dict)
    release: Release | None = None

    def documents(self, chunk: int = CHUNK) -> Iterator[tuple[int, int, str, int, str, dict[str, Any]]]:
        """(accepted row id, task row id, external_key, schema number, way, document), streamed in order."""
        columns = ("id", "task_id", "task__item__external_key", "schema__number", "way", "document")
        for ids in _chunks(self.accepted, chunk):
            found = {row[0]: row for row in AcceptedDocument.objects.filter(id__in=ids).values_list(*columns)}
            for one in ids:
                yield found[one]


def _chunks(values: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def take_snapshot(project: Project, options: dict[str, Any]) -> Snapshot:
    """The project's accepted documents now. Called inside the verb, so that the event number and the rows
    agree."""
    chain = project.public_id
    head = ChainHead.objects.filter(chain=chain).first()
    if head is None or head.seq == 0:
        raise Invalid("nothing_happened", "Nothing has happened in this project yet.")
    at = Event.objects.values_list("at", flat=True).get(chain=chain, seq=head.seq)
    rows = AcceptedDocument.objects.filter(task__project=project, current=True, task__state="accepted")
    columns = ("id", "task__item__external_key", "task__item__use", "task__batch__kind")
    left_out: dict[str, int] = defaultdict(int)
    kept: list[tuple[str, int]] = []
    for row_id, key, use, kind in rows.values_list(*columns):
        reason = use if use in LEFT_OUT_USES else "pilot" if kind == "pilot" else None
        if reason is None:
            kept.append((key, row_id))
        else:
            left_out[reason] += 1
    out: dict[int, str] = {}
    for chosen in site.release_filters:
        out |= chosen(project, [row_id for _, row_id in kept])
    for reason in out.values():
        left_out[reason] += 1
    # sorted here and not by the database: engines and collations differ
    accepted = [row_id for _, row_id in sorted(kept) if row_id not in out]
    waiting = Task.objects.filter(project=project).exclude(state="accepted").order_by()
    for state, n in waiting.values_list("state").annotate(n=Count("id")):
        left_out[state] += n
    return Snapshot(
        project=project,
        event_seq=head.seq,
        event_digest=head.digest,
        event_at=at,
        accepted=accepted,
        left_out=dict(sorted(left_out.items())),
        options=options,
    )


def members_json(snapshot: Snapshot) -> bytes:
    """The frozen list, as it is kept in the blob store."""
    body = {"accepted": snapshot.accepted, "at": snapshot.event_at, "left_out": snapshot.left_out}
    return canonical(body)


def snapshot_of(release: Release) -> Snapshot:
    """The snapshot that the release was asked for with."""
    body = strict_loads(blobs.read(release.options["members"]))
    return Snapshot(
        project=release.project,
        event_seq=release.event_seq,
        event_digest=release.event_digest,
        event_at=body["at"],
        accepted=body["accepted"],
        left_out=body["left_out"],
        options={name: value for name, value in release.options.items() if name != "members"},
        release=release,
    )


def header_of(snapshot: Snapshot) -> Header:
    """What formats need to know of the whole; the schema is the one in force when the release was asked
    for."""
    version = SchemaVersion.objects.get(project=snapshot.project, number=snapshot.options["schema"])
    return Header(
        title=snapshot.options["title"],
        number=snapshot.options["number"],
        event_seq=snapshot.event_seq,
        event_digest=snapshot.event_digest,
        at=snapshot.event_at,
        schema=parse_schema(version.document),
    )


class Pseudonyms:
    """HMAC of a person under the key of the release line; remembers whom it named, for the leads' table."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.people: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def __call__(self, account: str, person: str | None = None) -> str:
        """Pseudonym of an account's person (public ids). A known second account is the same person."""
        known = self._names.get(account)
        if known is None:
            raw = hmac.new(self._key, (person or account).encode("ascii"), hashlib.sha256).digest()
            known = self._names[account] = "w_" + b32encode(raw[:10]).decode("ascii").lower()
            self.people[known] = person or account
        return known


def _unnamed(value: Any, pseudonyms: Pseudonyms) -> Any:
    """Account ids anywhere in a provenance become pseudonyms, also as keys."""
    if isinstance(value, str):
        return pseudonyms(value) if _ACCOUNT.match(value) else value
    if isinstance(value, list):
        return [_unnamed(entry, pseudonyms) for entry in value]
    if isinstance(value, dict):
        return {_unnamed(key, pseudonyms): _unnamed(entry, pseudonyms) for key, entry in value.items()}
    return value


_COLUMNS = (
    "id", "task_id", "number", "round", "document", "digest", "way", "provenance", "event_seq", "at",
    "schema__number", "schema__digest", "task__item_id", "task__item__public_id", "task__item__external_key",
    "task__item__group", "task__item__metadata", "task__item__tags", "task__item__source",
    "task__item__origin", "task__item__holdout", "task__batch__name", "task__public_id",
)  # fmt: skip


def entries(snapshot: Snapshot, pseudonyms: Pseudonyms) -> Iterator[Entry]:
    """The items of a release, in order of external_key; some queries a chunk of 500, none an item.

    Invalid("document_damaged") where a stored document is not what its digest says: nothing false is
    released.
    """
    guidelines: dict[int, Any] = {
        number: document.get("guideline", {}).get("version", 1)
        for number, document in SchemaVersion.objects.filter(project=snapshot.project).values_list(
            "number", "document"
        )
    }
    for ids in _chunks(snapshot.accepted, CHUNK):
        rows = {row[0]: row for row in AcceptedDocument.objects.filter(id__in=ids).values_list(*_COLUMNS)}
        assets = _assets_of([rows[one][12] for one in ids])
        seats = _seats_of([rows[one][1] for one in ids])
        sources = _sources_of(rows[one][4] for one in ids)
        for one in ids:
            yield _entry(rows[one], assets, seats, sources, guidelines, pseudonyms)


def _entry(
    row: tuple[Any, ...],
    assets: Mapping[int, list[dict[str, Any]]],
    seats: Mapping[int, list[tuple[Any, ...]]],
    sources: Mapping[str, dict[str, Any]],
    guidelines: Mapping[int, Any],
    pseudonyms: Pseudonyms,
) -> Entry:
    (
        _, task_id, number, round_, document, digest, way, provenance, event_seq, at,
        schema_number, schema_digest, item_id, item_public, key,
        group, metadata, tags, source, origin, holdout, batch, task_public,
    ) = row  # fmt: skip
    raw = canonical(document)
    if sha256_hex(raw) != digest:
        raise Invalid("document_damaged", "A stored document is not what its digest says.", field=key)
    people: dict[str, Any] = {}
    for (
        public, stage, seat_round, slot, account, person, revision, seat_digest, shown, exposed,
        submitted_at,
    ) in seats.get(task_id, ()):  # fmt: skip
        if seat_round == round_ and submitted_at is not None and submitted_at <= at:
            people[public] = {
                "stage": stage, "slot": slot, "person": pseudonyms(account, person), "revision": revision,
                "digest": seat_digest, "shown": shown, "exposed": exposed, "submitted_at": iso(submitted_at),
            }  # fmt: skip
    # most provenances name seats only; looking is much cheaper than walking
    whence = _unnamed(provenance, pseudonyms) if "'u_" in repr(provenance) else provenance
    named = {
        region["origin"]["prelabel"]
        for region in document["regions"].values()
        if "prelabel" in region["origin"]
    }
    return Entry(
        key=key,
        item={
            "id": item_public, "task": task_public, "group": group, "batch": batch, "metadata": metadata,
            "tags": tags, "source": source, "origin": origin, "holdout": holdout,
        },
        assets=assets.get(item_id, []),
        document=document,
        document_bytes=raw,
        accepted={
            "digest": digest, "number": number, "round": round_, "way": way, "event": event_seq, "at":
            iso(at), },
        schema={
            "number": schema_number,
            "digest": schema_digest,
            "guideline": guidelines.get(schema_number, 1),
        },
        provenance={**whence, "seats": people},
        prelabels={one: sources[one] for one in sorted(named) if one in sources},
    )  # fmt: skip


def _assets_of(items: list[int]) -> dict[int, list[dict[str, Any]]]:
    columns = (
        "item_id", "role", "asset__public_id", "asset__sha256", "asset__name", "asset__kind",
        "asset__media_type", "asset__size", "asset__width", "asset__height", "asset__text",
    )  # fmt: skip
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    rows = ItemAsset.objects.filter(item_id__in=items).order_by("item_id", "position").values_list(*columns)
    for item, role, public, sha256, name, kind, media_type, size, width, height, text in rows:
        asset: dict[str, Any] = {
            "id": public, "role": role, "kind": kind, "name": name, "sha256": sha256, "media_type":
            media_type, "size": size,
        }  # fmt: skip
        if kind == "image":
            asset["width"], asset["height"] = width, height
        elif kind == "text":
            asset["text"] = text if text is not None else blobs.read(sha256).decode("utf-8")
        found[item].append(asset)
    return found


def _seats_of(tasks: list[int]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    columns = (
        "task_id", "public_id", "stage", "round", "slot", "account__public_id", "person__public_id",
        "revision", "digest", "shown", "exposed", "submitted_at",
    )  # fmt: skip
    rows = Assignment.objects.filter(task_id__in=tasks, stage__in=("label", "check", "arbitrate"))
    for row in rows.exclude(submitted_at=None).values_list(*columns):
        found[row[0]].append(row[1:])
    return found


def _sources_of(documents: Iterator[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    wanted: set[str] = set()
    for document in documents:
        for region in document["regions"].values():
            prelabel = region["origin"].get("prelabel")
            if prelabel is not None:
                wanted.add(prelabel)
    if not wanted:
        return {}
    rows = Prelabel.objects.filter(public_id__in=sorted(wanted))
    return {
        public: {"source": source, "version": version, "score": score}
        for public, source, version, score in rows.values_list(
            "public_id", "set__source", "set__version", "score"
        )
    }


def names_of(pseudonyms: Pseudonyms) -> dict[str, dict[str, str]]:
    """The leads' table: pseudonym -> who that is."""
    by_account = {person: pseudonym for pseudonym, person in pseudonyms.people.items()}
    rows = Account.objects.filter(public_id__in=sorted(by_account)).values_list(
        "public_id", "username", "name"
    )
    found = {by_account[public]: {"username": username, "name": name} for public, username, name in rows}
    return dict(sorted(found.items()))


def part_reader() -> Callable[[str], bytes]:
    """Bytes of raster parts, the last few thousand kept: neighbours share parts."""
    return lru_cache(maxsize=4096)(blobs.read)


# --- for the doors ---


def release_json(release: Release, *, lead: bool) -> dict[str, Any]:
    """One release as the API and pages show it; the names file exists for leads only."""
    files = [
        {"name": name, "size": one["size"], "sha256": one["sha256"], "audience": one["audience"]}
        for name, one in sorted(release.files.items())
        if lead or one["audience"] == "all"
    ]
    body: dict[str, Any] = {
        "id": release.public_id, "number": release.number, "name": release.name, "state": release.state,
        "event": {"seq": release.event_seq, "digest": release.event_digest}, "formats":
        release.options.get("formats", []), "counts": release.counts, "files": files, "manifest_sha256":
        release.manifest_digest or None, "created_at": iso(release.created_at),
    }  # fmt: skip
    return body


def releases_of(project: Project, *, lead: bool, before: int | None = None, limit: int = 50) -> list[Release]:
    """Newest first; who is not lead sees finished ones only."""
    rows = Release.objects.filter(project=project)
    if not lead:
        rows = rows.filter(state="done")
    if before is not None:
        rows = rows.filter(number__lt=before)
    return list(rows.order_by("-number")[:limit])


def find_release(public_id: str) -> Release | None:
    """A release with its project, or None."""
    return Release.objects.select_related("project").filter(public_id=public_id).first()
