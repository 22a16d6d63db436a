"""Job `import`: rows from a spooled JSON array, JSON lines or archive become items with tasks.

Rows are written in chunks; each chunk is one transaction together with the job's cursor and the fence, so that a
killed worker's successor goes on after the last whole chunk and a stale worker writes nothing. Rules, published:

* accepted + already_there + rejected = total; each rejected row stands in the file of rejects with its reason.
* on_bad=partial (default) imports the good rows; on_bad=refuse imports nothing unless all rows are good.
* a row whose key is there with the same assets is "already there"; with other assets it is rejected.
* a cancelled import keeps the rows of its whole chunks and says how many; nothing half-written stays.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from annotator import blobs, jobs, spool
from annotator.actions.steps import items as steps
from annotator.actions.steps.assets import drop_blob, reason_of, short_text
from annotator.actions.steps.prelabels import PrelabelCheck, open_set
from annotator.actions.verb import writing
from annotator.core import archives, rows
from annotator.core.document import AssetInfo
from annotator.core.errors import ConcordError, Conflict, Invalid, NotFound
from annotator.modalities import Limits, check
from annotator.models import Asset, Batch, Item, ItemAsset, Job, Project, SchemaVersion, Upload
from annotator.queries.versions import parsed

CHUNK_ROWS = 500
ROWS_NAMES = {"rows.jsonl": "jsonl", "rows.ndjson": "jsonl", "rows.json": "json"}


@dataclass
class Tally:
    """What the import has done so far; kept in the job's result, so a successor goes on from it."""

    rows: int = 0
    accepted: int = 0
    already_there: int = 0
    rejected: int = 0
    rejects_bytes: int = 0
    files: int = 0
    warnings: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @staticmethod
    def read(result: dict[str, Any] | None) -> Tally:
        """The tally of an interrupted run; a new one without."""
        kept = (result or {}).get("cursor")
        if not kept:
            return Tally()
        return Tally(**{**kept, "warnings": Counter(kept["warnings"]), "reasons": Counter(kept["reasons"])})

    def cursor(self) -> dict[str, Any]:
        """The form that is stored."""
        return {"cursor": {**self.__dict__, "warnings": dict(self.warnings), "reasons": dict(self.reasons)}}

    def report(self, rejects: str | None, on_bad: str) -> dict[str, Any]:
        """The job's result as people see it."""
        return {
            "total": self.rows,
            "accepted": self.accepted,
            "already_there": self.already_there,
            "rejected": self.rejected,
            "reasons": dict(self.reasons),
            "warnings": dict(self.warnings),
            "files": self.files,
            "rejects": rejects,
            "on_bad": on_bad,
        }


def run(ticket: jobs.Ticket) -> dict[str, Any]:
    """The handler. Raises ConcordError for a file that cannot be read at all."""
    with _fewer_collections():
        return _Import(ticket).run()


@contextlib.contextmanager
def _fewer_collections() -> Iterator[None]:
    """Rows make no cycles and die by their counts, but their many dictionaries set the cycle collector off all the
    time: a fifth of an import's CPU, measured."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Import:
    def __init__(self, ticket: jobs.Ticket) -> None:
        self.ticket = ticket
        self.payload = ticket.payload
        self.project = Project.objects.select_related("workflow", "schema").get(pk=ticket.job.project_id)
        self.batch = Batch.objects.get(project=self.project, public_id=self.payload["batch"])
        self.actor = ticket.job.created_by
        self.file = spool.path(self.payload["file"])
        self.rejects = spool.path(f"rejects-{ticket.job.public_id}")
        self.tally = Tally.read(ticket.job.result)
        self.sets: dict[str, int] = {}
        self.checker: PrelabelCheck | None = None
        self.schema: SchemaVersion | None = None
        self.roles: set[str] = set()
        self.size = 0
        self.pending = bytearray()

    # --- the whole ---

    def run(self) -> dict[str, Any]:
        _sweep()
        if not self.file.exists():
            raise NotFound("spool_gone", "The file of this import is gone.", cure="Send it again.")
        self.size = self.file.stat().st_size
        try:
            self._use_schema(self.project.schema)
            if self.payload["on_bad"] == "refuse" and not self.tally.rows:
                self._rehearse()
            self._import()
        except jobs.Cancelled:
            self._note(self._keep_rejects())
            self._clean()
            raise
        except ConcordError:
            self._note(self._keep_rejects())
            self._clean()
            raise
        result = self.tally.report(self._keep_rejects(), self.payload["on_bad"])
        with writing(actor=self.actor) as w:
            self.ticket.fence()
            w.event(
                self.project.public_id,
                "import.done",
                self.ticket.job.public_id,
                data={k: result[k] for k in ("total", "accepted", "already_there", "rejected")},
            )
            Job.objects.filter(pk=self.ticket.job.pk).update(progress=self.size, total=self.size)
        self._clean()
        return result

    def _rehearse(self) -> None:
        """Check every row without writing one; refuse the whole when any is bad."""
        tally, self.tally = self.tally, Tally()
        seen: dict[str, bytes] = {}
        with self._rows() as given:
            for chunk in _chunks(given):
                ready, _ = self._check(chunk)
                late: list[tuple[rows.Given, ConcordError]] = []
                self._without_known(ready, late)
                for one, _, item in ready:
                    content = hashlib.sha256("".join(a.sha256 for _, a in item.assets).encode()).digest()[:8]
                    if seen.setdefault(item.key, content) != content and not any(g is one for g, _ in late):
                        late.append((one, _key_taken()))
                for one, error in late:
                    self._reject(one, error)
                self.tally.rows += len(chunk)
                if self.pending:
                    with writing(actor=self.actor):
                        self.ticket.fence()
                        self._keep_pending()
                self.ticket.progress(
                    min(chunk[-1].end, self.size) // 2, self.size, f"{self.tally.rows:,} rows checked"
                )
        if self.tally.rejected:
            raise Conflict(
                "rows_refused",
                "Nothing was imported: some rows are bad.",
                rejected=self.tally.rejected,
                total=self.tally.rows,
                cure="Mend them, or import with on_bad=partial.",
            )
        self.tally = tally
        self.tally.rejects_bytes = 0

    def _import(self) -> None:
        done = self.tally.rows
        with self._rows() as given:
            for chunk in _chunks(_after(given, done)):
                self._write(chunk)
                if Job.objects.filter(pk=self.ticket.job.pk, cancel_asked=True).exists():
                    raise jobs.Cancelled

    # --- where rows come from ---

    @contextlib.contextmanager
    def _rows(self) -> Iterator[Iterator[rows.Given]]:
        form = self.payload["form"]
        with open(self.file, "rb") as file:
            if form != "zip":
                yield map(rows.unwrap, rows.read_lines(file) if form == "jsonl" else rows.read_array(file))
                return
            members = archives.check_zip(file, max_bytes=settings.IMPORT_LIMIT)
            with archives.open_zip(file, members) as archive:
                listed = next((m for m in members if m.name in ROWS_NAMES), None)
                others = [m for m in members if m is not listed]
                if listed is None:
                    yield self._pictures(archive, others)
                    return
                if self.tally.files < len(others):
                    for member in others:
                        self._file(archive, member)
                    self.tally.files = len(others)
                # unpacked beside the archive: its length is within the budget that was just checked
                with blobs.temporary() as (unpacked, _):
                    for piece in archives.read_member(archive, listed):
                        unpacked.write(piece)
                    unpacked.seek(0)
                    yield map(
                        rows.unwrap,
                        rows.read_lines(unpacked)
                        if ROWS_NAMES[listed.name] == "jsonl"
                        else rows.read_array(unpacked),
                    )

    def _pictures(self, archive: zipfile.ZipFile, members: list[archives.Member]) -> Iterator[rows.Given]:
        """An archive without rows: each file is an item, its key the file's name."""
        for number, member in enumerate(members, start=1):
            if number <= self.tally.rows:
                yield rows.Given(number)  # done by the run before
                continue
            asset = self._file(archive, member)
            value: dict[str, Any] = {"external_key": member.name[:200]}
            if asset.state != "ready":
                error = Invalid("file_refused", asset.reason or "The file was refused.", place=member.name)
                yield rows.Given(
                    number, {**value, "assets": [{"name": member.name}]}, error, end=member.offset
                )
                continue
            value["assets"] = [{"role": asset.kind, "sha256": asset.sha256}]
            self.tally.files += 1
            yield rows.Given(number, value, end=member.offset)

    def _file(self, archive: zipfile.ZipFile, member: archives.Member) -> Asset:
        """Store one member as a checked asset of the project, in a write of its own."""
        sha, size = blobs.put_stream(archives.read_member(archive, member))
        known = Asset.objects.filter(project=self.project, sha256=sha).first()
        if known is not None and known.state == "ready":
            self._alias(sha, member.name, size)
            return known
        fields: dict[str, Any] = {"state": "ready", "reason": ""}
        try:
            header = check(blobs.path(sha), member.name, Limits(settings.PIXEL_LIMIT))
            fields |= {
                "kind": header.kind,
                "media_type": header.media_type,
                "width": header.width,
                "height": header.height,
                "text": short_text(header.text, sha),
            }
        except ConcordError as error:
            fields |= {"state": "refused", "reason": reason_of(error), "kind": "unknown", "media_type": ""}
        with writing(actor=self.actor) as w:
            self.ticket.fence()
            asset, made = Asset.objects.update_or_create(
                project=self.project,
                sha256=sha,
                defaults=fields,
                create_defaults={**fields, "name": member.name, "size": size, "created_at": w.now},
            )
            self._upload(w.now, sha, member.name, size)
            w.event(
                self.project.public_id,
                "asset.stored" if asset.state == "ready" else "asset.refused",
                asset.public_id,
                data={"sha256": sha, "size": size},
            )
        if asset.state == "refused":
            drop_blob(sha)
        self.ticket.progress(min(member.offset, self.size), self.size)
        return asset

    def _alias(self, sha: str, name: str, size: int) -> None:
        if not Upload.objects.filter(project=self.project, sha256=sha, name=name).exists():
            with writing(actor=self.actor) as w:
                self.ticket.fence()
                self._upload(w.now, sha, name, size)

    def _upload(self, now: Any, sha: str, name: str, size: int) -> None:
        """Remember under which name whose file came: rows may name it so, and importers list their own."""
        if self.actor is not None:
            Upload.objects.create(
                project=self.project,
                account=self.actor,
                name=name,
                size=size,
                sha256=sha,
                offset=size,
                created_at=now,
                finished_at=now,
            )

    # --- checking ---

    def _use_schema(self, version: SchemaVersion | None) -> None:
        self.schema = version
        schema = parsed(version) if version is not None else None
        self.checker = PrelabelCheck(schema)
        self.roles = {
            str(c["asset"])
            for c in (schema.controls.values() if schema else ())
            if c["kind"] == "regions" and c["asset"]
        }

    def _check(
        self, chunk: list[rows.Given]
    ) -> tuple[list[tuple[rows.Given, rows.Row, steps.NewItem]], dict[str, tuple[str, str]]]:
        """Good rows of the chunk as new items (assets resolved, prelabels checked); bad ones go to the rejects.

        New texts are returned by digest: they become assets in the same write as their items.
        """
        assert self.checker is not None
        good: list[tuple[rows.Given, rows.Row]] = []
        reject = self._reject

        for given in chunk:
            if given.error is not None:
                reject(given, given.error)
                continue
            try:
                good.append((given, rows.check_row(given.value, given.number)))
            except ConcordError as error:
                reject(given, error)
        by_name, by_digest = self._assets([row for _, row in good])
        texts: dict[str, tuple[str, str]] = {}
        ready: list[tuple[rows.Given, rows.Row, steps.NewItem]] = []
        for given, row in good:
            try:
                assets = [
                    (ref.role, self._asset(ref, at, row, by_name, by_digest, texts))
                    for at, ref in enumerate(row.assets)
                ]
                if self.roles and not self.roles & {role for role, _ in assets}:
                    raise Invalid(
                        "asset_role_missing",
                        "The row has no asset in a role that the schema labels.",
                        field="assets",
                        cure="Roles of the schema: " + ", ".join(sorted(self.roles)) + ".",
                    )
                item = steps.NewItem(
                    row.key, assets, row.group, row.metadata, row.tags, row.source, row.origin, row.priority
                )
                if row.prelabel is not None:
                    infos = {
                        role: AssetInfo(a.public_id, role, a.kind, a.width, a.height, a.text)
                        for role, a in assets
                    }
                    item.regions, item.answers = self.checker.check(row.prelabel, infos)
                    item.score, item.set_source = row.prelabel["score"], row.prelabel["source"]
                ready.append((given, row, item))
            except ConcordError as error:
                reject(given, error)
        return ready, texts

    def _assets(self, found: list[rows.Row]) -> tuple[dict[str, list[Asset]], dict[str, Asset]]:
        """Assets that the rows name, by name and by digest, in three queries."""
        names = {ref.name for row in found for ref in row.assets if ref.name is not None}
        digests = {ref.sha256 for row in found for ref in row.assets if ref.sha256 is not None}
        by_name: dict[str, list[Asset]] = {}
        if names:
            for asset in Asset.objects.filter(project=self.project, name__in=names).defer(
                "reason", "created_at"
            ):
                by_name.setdefault(asset.name, []).append(asset)
            # a file that came again under another name is one asset with two names
            other = Upload.objects.filter(
                project=self.project, name__in=names - by_name.keys(), finished_at__isnull=False
            )
            aliases = list(other.values_list("name", "sha256").distinct()) if names - by_name.keys() else []
            digests |= {sha for _, sha in aliases}
        else:
            aliases = []
        by_digest = (
            {a.sha256: a for a in Asset.objects.filter(project=self.project, sha256__in=digests)}
            if digests
            else {}
        )
        for name, sha in aliases:
            if sha in by_digest:
                by_name.setdefault(name, []).append(by_digest[sha])
        return by_name, by_digest

    def _asset(
        self,
        ref: rows.AssetRef,
        at: int,
        row: rows.Row,
        by_name: dict[str, list[Asset]],
        by_digest: dict[str, Asset],
        texts: dict[str, tuple[str, str]],
    ) -> steps.AssetRow:
        if ref.text is not None:
            raw = ref.text.encode()
            sha = hashlib.sha256(raw).hexdigest()
            if sha not in texts:
                texts[sha] = (row.key[:400], ref.text)
                if len(raw) > steps.TEXT_IN_ROW:
                    blobs.put(raw)
            # the row ids are known once the texts are stored, in the write; until then the digest stands for it
            return steps.AssetRow(0, f"text:{sha}", sha, "text", None, None, ref.text)
        if ref.sha256 is not None:
            found = [by_digest[ref.sha256]] if ref.sha256 in by_digest else []
        else:
            found = by_name.get(ref.name or "", [])
        field_name = f"assets.{at}"
        if not found:
            raise Invalid(
                "asset_unknown", "The project has no such file.", field=field_name, cure="Upload it first."
            )
        if len(found) > 1:
            raise Invalid(
                "asset_ambiguous",
                "Several files have this name.",
                field=field_name,
                cure="Name the file by sha256.",
            )
        asset = found[0]
        if asset.state != "ready":
            raise Invalid(
                "asset_not_ready",
                "The file was refused or is not checked yet.",
                field=field_name,
                state=asset.state,
            )
        text = asset.text
        if asset.kind == "text" and text is None:
            text = blobs.read(asset.sha256).decode()
        return steps.AssetRow(
            asset.pk, asset.public_id, asset.sha256, asset.kind, asset.width, asset.height, text
        )

    # --- writing ---

    def _write(self, chunk: list[rows.Given]) -> None:
        """One chunk: checked outside, then written with the cursor in one transaction."""
        before = self._snapshot()
        ready, texts = self._check(chunk)
        self._merge_warnings()
        rejected_late: list[tuple[rows.Given, ConcordError]] = []
        with writing(actor=self.actor) as w:
            self.ticket.fence()
            schema_now = Project.objects.values_list("schema_id", flat=True).get(pk=self.project.pk)
            stale = self.schema is None or schema_now != self.schema.pk
            if not stale:
                fresh = self._without_known(ready, rejected_late)
                self._store(w, fresh, texts)
                self.tally.accepted += len(fresh)
                self.tally.already_there += len(ready) - len(fresh) - len(rejected_late)
                self.tally.rows += len(chunk)
                for one, error in rejected_late:
                    self._reject(one, error)
                self._keep_pending()
                Job.objects.filter(pk=self.ticket.job.pk).update(
                    result=self.tally.cursor(),
                    progress=min(chunk[-1].end, self.size),
                    total=self.size,
                    message=f"{self.tally.rows:,} rows",
                )
        if stale:
            # another schema came into force between check and write: check this chunk again under it
            self._restore(before)
            self._use_schema(SchemaVersion.objects.get(pk=schema_now))
            self._write(chunk)
            return

    def _merge_warnings(self) -> None:
        if self.checker is not None:
            self.tally.warnings.update(self.checker.warnings)
            self.checker.warnings.clear()

    def _snapshot(self) -> dict[str, Any]:
        return self.tally.cursor()

    def _restore(self, before: dict[str, Any]) -> None:
        self.tally = Tally.read(before)
        self.pending.clear()

    def _without_known(
        self,
        ready: list[tuple[rows.Given, rows.Row, steps.NewItem]],
        late: list[tuple[rows.Given, ConcordError]],
    ) -> list[steps.NewItem]:
        """Items whose key is new; a known key with the same assets is left out, with others it is rejected."""
        keys = [item.key for _, _, item in ready]
        known: dict[str, list[str]] = {}
        pks = dict(
            Item.objects.filter(project=self.project, external_key__in=keys).values_list("pk", "external_key")
        )
        if pks:
            links = ItemAsset.objects.filter(item_id__in=list(pks)).order_by("item_id", "position")
            for pk, sha in links.values_list("item_id", "asset__sha256"):
                known.setdefault(pks[pk], []).append(sha)
        fresh = []
        for given, _, item in ready:
            digests = [a.sha256 for _, a in item.assets]
            if item.key not in known:
                known[item.key] = digests
                fresh.append(item)
            elif known[item.key] != digests:
                late.append((given, _key_taken()))
        return fresh

    def _store(self, w: Any, fresh: list[steps.NewItem], texts: dict[str, tuple[str, str]]) -> None:
        wanted = {a.sha256 for item in fresh for _, a in item.assets if a.public_id.startswith("text:")}
        stored = (
            steps.store_texts(w, self.project, {sha: texts[sha] for sha in texts if sha in wanted})
            if wanted
            else {}
        )
        for item in fresh:
            if item.regions is not None:
                item.set_id = self._set(w, item.set_source)
            if not stored:
                continue
            renamed = {}
            for at, (role, asset) in enumerate(item.assets):
                if asset.public_id.startswith("text:"):
                    renamed[asset.public_id] = stored[asset.sha256]
                    item.assets[at] = (role, stored[asset.sha256])
            for region in (item.regions or {}).values():
                if region["asset"] in renamed:
                    region["asset"] = renamed[region["asset"]].public_id
        steps.store_items(w, self.project, self.batch, fresh)

    def _set(self, w: Any, source: str) -> int:
        if source not in self.sets:
            self.sets[source] = open_set(w, self.project, source, self.ticket.job.public_id).pk
        return self.sets[source]

    def _reject(self, given: rows.Given, error: ConcordError) -> None:
        self.pending.extend(rows.reject_line(given.number, given.value, given.raw, error))
        self.tally.rejected += 1
        self.tally.reasons[error.code] += 1

    def _keep_pending(self) -> None:
        """Write what was rejected since the last whole chunk. Inside a fenced write only: the file has one writer."""
        if not self.pending:
            return
        with open(self.rejects, "ab") as out:
            out.truncate(self.tally.rejects_bytes)
            out.write(self.pending)
            out.flush()
            os.fsync(out.fileno())
        self.tally.rejects_bytes += len(self.pending)
        self.pending.clear()

    # --- the end ---

    def _keep_rejects(self) -> str | None:
        """The file of rejects in the blob store, by digest; None when no row was rejected."""
        if not self.tally.rejects_bytes or not self.rejects.exists():
            return None
        with open(self.rejects, "rb") as file:
            digest, _ = blobs.put_stream(iter(lambda: file.read(1 << 18), b""))
        return digest

    def _note(self, rejects: str | None) -> None:
        """What stands although the job did not end well: the row says it, the message in words."""
        report = self.tally.report(rejects, self.payload["on_bad"])
        stands = 0 if self.payload["on_bad"] == "refuse" and not self.tally.accepted else self.tally.accepted
        with writing(actor=self.actor):
            self.ticket.fence()
            Job.objects.filter(pk=self.ticket.job.pk).update(
                result=report, message=f"{stands:,} rows were imported before it ended and stay."
            )

    def _clean(self) -> None:
        spool.drop(self.file.name)
        spool.drop(self.rejects.name)


def _key_taken() -> Invalid:
    return Invalid(
        "key_taken",
        "Another item has this key already.",
        field="external_key",
        cure="An item's content never changes: give the new file a key of its own.",
    )


def _chunks(given: Iterator[rows.Given]) -> Iterator[list[rows.Given]]:
    """Lists of CHUNK_ROWS rows. A reader that breaks off yields what it had, then raises."""
    chunk: list[rows.Given] = []
    try:
        for one in given:
            chunk.append(one)
            if len(chunk) == CHUNK_ROWS:
                yield chunk
                chunk = []
    except ConcordError:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def _after(given: Iterator[rows.Given], done: int) -> Iterator[rows.Given]:
    for one in given:
        if one.number > done:
            yield one


def _sweep() -> None:
    unfinished = Job.objects.filter(kind="import", state__in=["queued", "running"]).values_list(
        "public_id", "payload"
    )
    keep = set()
    for public_id, payload in unfinished:
        keep |= {payload["file"], f"rejects-{public_id}"}
    week = timezone.now() - timedelta(days=7)
    stale = Upload.objects.filter(finished_at=None, created_at__lte=week)
    if stale.exists():
        # given up by their maker: they would count against the project's budget for ever
        with writing(actor=None) as w:
            for upload in stale.select_related("project"):
                w.event(upload.project.public_id, "upload.dropped", upload.public_id)
            stale.delete()
    open_ = Upload.objects.filter(finished_at=None).values_list("public_id", flat=True)
    spool.sweep(keep | {f"up-{upload}" for upload in open_})
