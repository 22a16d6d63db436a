"""The one place where a write begins: a verb opens `writing`, steps run inside it.

A verb is keyword-only, takes `actor`, `now` and `idem`, opens exactly one `writing` block and calls
steps. Steps demand an open transaction and open none; verbs never call verbs.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from annotator import db
from annotator.actions.steps import events
from annotator.core.canonical import digest
from annotator.core.errors import Conflict
from annotator.core.times import iso
from annotator.models import Account, Event, IdempotencyKey

KEY_LIMIT = 80


@dataclass(frozen=True)
class Idem:
    """An idempotency key with what it was sent for."""

    key: str
    route: str
    body_digest: str


@dataclass
class Writing:
    """An open write: who, when, and what the caller will be answered."""

    actor: Account | None
    now: datetime
    request: str = ""
    idem: Idem | None = None
    replayed: Any = None
    _rings: set[str] = field(default_factory=set)

    def event(
        self, chain: str, verb: str, object: str, *, task: str = "", data: dict[str, Any] | None = None
    ) -> Event:
        """Append one event to a chain (a project's public id, or "site")."""
        return events.append(self, chain, [(verb, object, task, data or {})])[0]

    def events(self, chain: str, rows: list[tuple[str, str, str, dict[str, Any]]]) -> list[Event]:
        """Append many: (verb, object, task, data) each."""
        return events.append(self, chain, rows)

    def answer(self, body: Any, status: int = 200) -> Any:
        """Keep the answer under the idempotency key, in this transaction, and return it."""
        if self.idem is not None and self.actor is not None:
            IdempotencyKey.objects.create(
                account=self.actor,
                key=self.idem.key,
                route=self.idem.route,
                body_digest=self.idem.body_digest,
                status=status,
                answer=body,
                at=self.now,
            )
        return body

    def after(self, action: Callable[[], None]) -> None:
        """Run `action` once this write is committed."""
        transaction.on_commit(action)

    def ring(self, lane: str) -> None:
        """Wake a lane's worker after the commit (once a write)."""
        if lane not in self._rings:
            self._rings.add(lane)
            from annotator.jobs import ring

            transaction.on_commit(lambda: ring(lane))


def _advisory(text: str, *, shared: bool = False) -> None:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{'_shared' if shared else ''}(%s)", [number])


def _lock_chain(chain: str | None) -> None:
    """PostgreSQL: writers of one chain go one after the other, from the verb's first statement on.

    They would meet at the chain's head anyway, but with other rows locked before it in differing
    orders: deadlocks. A verb that names no chain excludes all others.
    """
    if chain is None:
        _advisory("concord")
    else:
        _advisory("concord", shared=True)
        _advisory(f"chain:{chain}")


@contextlib.contextmanager
def writing(
    *,
    actor: Account | None,
    now: datetime | None = None,
    idem: Idem | None = None,
    request: str = "",
    chain: str | None = None,
) -> Iterator[Writing]:
    """Open the write: lock, durable transaction, replay check.

    `chain` (a project's public id, or "site") is the one chain that this write appends to; naming it
    lets writes of different projects run side by side on PostgreSQL.
    `replayed` is the stored answer when this key was answered before; the verb returns it unchanged.
    Raises Conflict("key_reused") when the key came with another body or route.
    """
    if idem is not None and len(idem.key) > KEY_LIMIT:
        raise Conflict("key_too_long", "An idempotency key has at most 80 characters.")
    with db.write_lock(), transaction.atomic(durable=True):
        if connection.vendor == "postgresql":
            _lock_chain(chain)
        w = Writing(actor=actor, now=now or timezone.now(), request=request, idem=idem)
        if idem is not None and actor is not None:
            if connection.vendor == "postgresql":
                _advisory(f"key:{actor.pk}:{idem.key}")
            known = IdempotencyKey.objects.filter(account=actor, key=idem.key).first()
            if known is not None:
                if (known.route, known.body_digest) != (idem.route, idem.body_digest):
                    raise Conflict(
                        "key_reused",
                        "This idempotency key was used for another request.",
                        cure="Use a new key for a new request.",
                    )
                w.replayed = known.answer
        yield w


def body_digest(body: Any) -> str:
    """Digest of a parsed body (bytes are hashed as they are)."""
    if isinstance(body, bytes):
        return hashlib.sha256(body).hexdigest()
    return digest(body)


__all__ = ["Idem", "Writing", "body_digest", "iso", "writing"]
