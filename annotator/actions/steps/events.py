"""Step: append to a hash chain. Demands an open transaction; locks the chain's head."""

from __future__ import annotations

import hashlib
from datetime import UTC
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from annotator import sql
from annotator.core.canonical import canonical_text, digest
from annotator.models import ChainHead, Event

if TYPE_CHECKING:
    from annotator.actions.verb import Writing

GENESIS = "0" * 64
_COLUMNS = (
    "id",
    "chain",
    "seq",
    "at",
    "actor",
    "verb",
    "object",
    "task",
    "data",
    "request",
    "prev",
    "digest",
)


def event_digest(fields: dict[str, Any]) -> str:
    """sha256 of the canonical JSON of an event's fields: all columns but its own digest."""
    return digest(fields)


def append_bulk(w: Writing, chain: str, rows: list[tuple[str, str, str, dict[str, Any]]]) -> None:
    """`append` for hundreds of rows: the same events and digests, without building a model instance for each.

    The hashed text of an event is its canonical JSON with the keys in their fixed order, so it is put together here
    directly; a test holds it to `event_digest`.
    """
    from annotator.actions.steps import bulk

    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("events are appended inside a verb only")
    heads = ChainHead.objects
    if connection.features.has_select_for_update:
        heads.bulk_create([ChainHead(chain=chain)], ignore_conflicts=True)
        head = heads.select_for_update().get(chain=chain)
    else:
        head, _ = heads.get_or_create(chain=chain)
    at = w.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    actor = w.actor.public_id if w.actor is not None else "system"
    # ids, verbs and request ids are texts without anything odd: the quoting of canonical JSON is enough for them
    seq, prev, quote, sha = head.seq, head.digest, encode_basestring, hashlib.sha256
    first = f'{{"actor":{quote(actor)},"at":"{at}","chain":{quote(chain)},"data":'
    last = f'","request":{quote(w.request)},"seq":'
    made = []
    for pk, (verb, obj, task, data) in zip(bulk.reserve_ids(Event, len(rows)), rows, strict=True):
        seq += 1
        hashed = (
            f'{first}{canonical_text(data)},"object":{quote(obj)},"prev":"{prev}{last}{seq},'
            f'"task":{quote(task)},"verb":{quote(verb)}}}'
        )
        prev, before = sha(hashed.encode()).hexdigest(), prev
        made.append((pk, chain, seq, at, actor, verb, obj, task, data, w.request, before, prev))
    bulk.insert(Event, _COLUMNS, made)
    heads.filter(chain=chain).update(seq=seq, digest=prev)


def append(w: Writing, chain: str, rows: list[tuple[str, str, str, dict[str, Any]]]) -> list[Event]:
    """Add rows (verb, object, task, data) to the chain, in order; returns the stored events."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("events are appended inside a verb only")
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    find = f"SELECT seq, digest FROM annotator_chainhead WHERE chain = %s{lock}"
    head = sql.row(find, [chain])
    if head is None:
        ChainHead.objects.bulk_create([ChainHead(chain=chain)], ignore_conflicts=True)
        head = sql.row(find, [chain])
        assert head is not None
    at = w.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    actor = w.actor.public_id if w.actor is not None else "system"
    seq, prev = head
    made = []
    for verb, obj, task, data in rows:
        seq += 1
        fields = {
            "chain": chain,
            "seq": seq,
            "at": at,
            "actor": actor,
            "verb": verb,
            "object": obj,
            "task": task,
            "data": data,
            "request": w.request,
            "prev": prev,
        }
        prev = event_digest(fields)
        made.append(Event(**fields, digest=prev))
    if len(made) == 1:
        made[0].save(force_insert=True)
    else:
        Event.objects.bulk_create(made, batch_size=500)
    sql.run("UPDATE annotator_chainhead SET seq = %s, digest = %s WHERE chain = %s", [seq, prev, chain])
    return made
