"""Anchors: heads of the event chains in an append-only file outside the database, and `verify`.

A chain checked by itself does not see a cut tail; the anchors do.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from annotator.actions.steps.events import GENESIS, event_digest
from annotator.actions.verb import iso
from annotator.models import ChainHead, Event


def path() -> Path:
    """The anchor file; copy it elsewhere to be safe from whoever owns this machine."""
    return Path(settings.DATA) / "anchors.jsonl"


_written: dict[str, int] = {}


def write() -> int:
    """Append the heads that moved since the last time; returns how many."""
    if not _written and path().exists():
        for line in read():
            _written[line["chain"]] = line["seq"]
    rows = [h for h in ChainHead.objects.order_by("chain") if _written.get(h.chain) != h.seq]
    if not rows:
        return 0
    with open(path(), "a", encoding="utf-8") as out:
        for head in rows:
            out.write(
                json.dumps(
                    {"at": iso(timezone.now()), "chain": head.chain, "seq": head.seq, "digest": head.digest}
                )
                + "\n"
            )
        out.flush()
        os.fsync(out.fileno())
    _written.update({h.chain: h.seq for h in rows})
    return len(rows)


def read() -> Iterator[dict]:
    """The anchors, oldest first; a torn last line (power loss) is left out."""
    if not path().exists():
        return
    with open(path(), encoding="utf-8") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                continue


@dataclass(frozen=True)
class Fault:
    """The first bad place of a chain."""

    chain: str
    seq: int
    what: str


def verify(chain: str | None = None) -> tuple[int, list[Fault]]:
    """(events read, faults): each chain from its start, against its head and against the anchors."""
    chains = (
        [chain]
        if chain
        else sorted(
            set(Event.objects.values_list("chain", flat=True).distinct())
            | set(ChainHead.objects.values_list("chain", flat=True))
            | {a["chain"] for a in read()}
        )
    )
    heads = {h.chain: h for h in ChainHead.objects.all()}
    anchors: dict[str, dict[int, str]] = {}
    for a in read():
        anchors.setdefault(a["chain"], {})[a["seq"]] = a["digest"]
    n, faults = 0, []
    for name in chains:
        read_n, fault = _verify_one(name, heads.get(name), anchors.get(name, {}))
        n += read_n
        if fault is not None:
            faults.append(fault)
    return n, faults


def _verify_one(chain: str, head: ChainHead | None, anchors: dict[int, str]) -> tuple[int, Fault | None]:
    prev, seq = GENESIS, 0
    fields = ("chain", "seq", "at", "actor", "verb", "object", "task", "data", "request", "prev")
    for e in Event.objects.filter(chain=chain).order_by("seq").iterator(chunk_size=2000):
        if e.seq != seq + 1:
            return seq, Fault(chain, seq + 1, "missing or doubled")
        if e.prev != prev:
            return seq, Fault(chain, e.seq, "does not follow the event before it")
        if event_digest({f: getattr(e, f) for f in fields}) != e.digest:
            return seq, Fault(chain, e.seq, "content differs from its digest")
        prev, seq = e.digest, e.seq
        if seq in anchors and anchors[seq] != prev:
            return seq, Fault(chain, seq, "differs from the anchor")
    if head is not None and (head.seq, head.digest) != (seq, prev):
        return seq, Fault(chain, min(head.seq, seq) + 1, "the head says otherwise")
    if anchors and max(anchors) > seq:
        return seq, Fault(chain, seq + 1, f"the tail is cut: an anchor knows event {max(anchors)}")
    return seq, None
