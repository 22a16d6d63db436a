"""Long work: handlers by kind, enqueueing as a step, and the worker's loop for a lane.

The row is the truth; the queue does not exist. A worker takes the oldest queued row of its lane by a
conditional update, works with a lease and a fencing token, and writes results only while it still
holds the token. The doorbell is a datagram on a local socket; a poll each second is the fall-back.
A job whose worker dies is taken up again when its lease is over; after POISON tries it fails.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, close_old_connections, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from annotator import db
from annotator.actions.steps import events
from annotator.actions.verb import Writing, writing
from annotator.core.canonical import digest
from annotator.core.errors import ConcordError, Unavailable
from annotator.models import Account, Job, Project

log = logging.getLogger("concord.jobs")
LEASE = timedelta(seconds=15)
POISON = 3
BEAT_S = 0.5
LANES = ("io", "model")


class Cancelled(Exception):
    """Raised inside a handler when cancelling was asked for."""


class Fenced(Exception):
    """Raised when the job is no longer this worker's: nothing may be written."""


@dataclass(frozen=True)
class Kind:
    """A kind of job. `undo` removes what a cancelled or failed job may have left (optional)."""

    name: str
    lane: str
    handler: Callable[[Ticket], dict[str, Any] | None]
    undo: Callable[[Job], None] | None = None


KINDS: dict[str, Kind] = {}


def register(
    name: str,
    lane: str,
    handler: Callable[[Ticket], dict[str, Any] | None],
    undo: Callable[[Job], None] | None = None,
) -> None:
    """Make a kind known (in `AppConfig.ready`). Handlers import what is heavy inside."""
    KINDS[name] = Kind(name, lane, handler, undo)


@dataclass
class Ticket:
    """What a handler gets: the job, and the only ways to write progress and results."""

    job: Job
    token: str
    _last: float = 0.0

    @property
    def payload(self) -> dict[str, Any]:
        """The job's payload."""
        return self.job.payload

    def progress(
        self, done: int, total: int | None = None, message: str = "", *, force: bool = False
    ) -> None:
        """Say how far the work is (at most 2 writes a second); raises Cancelled or Fenced."""
        t = time.monotonic()
        if not force and t - self._last < BEAT_S:
            return
        self._last = t
        fields: dict[str, Any] = {"progress": done, "lease_until": timezone.now() + LEASE}
        if total is not None:
            fields["total"] = total
        if message:
            fields["message"] = message[:500]
        with db.write_lock(), transaction.atomic(durable=True):
            changed = self._mine().update(**fields)
        if not changed:
            raise Fenced
        if Job.objects.filter(pk=self.job.pk, cancel_asked=True).exists():
            raise Cancelled

    def fence(self) -> None:
        """Inside the handler's own write: raise Fenced unless the job is still this worker's.

        Takes the row's lock on engines that have one, so that result and fence commit together.
        """
        if not self._mine().update(lease_until=timezone.now() + LEASE):
            raise Fenced

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self.job.pk, state="running", token=self.token)


def enqueue(
    w: Writing, kind: str, payload: dict[str, Any], *, project: Project | None, created_by: Account | None
) -> tuple[Job, bool]:
    """Step: a queued job, or the unfinished one with the same payload. Returns (job, made)."""
    lane = KINDS[kind].lane
    key = digest({"project": project.public_id if project else "", "payload": payload})
    known = Job.objects.filter(kind=kind, payload_digest=key, state__in=["queued", "running"]).first()
    if known is not None:
        return known, False
    job = Job.objects.create(
        project=project,
        kind=kind,
        lane=lane,
        payload=payload,
        payload_digest=key,
        created_by=created_by,
        created_at=w.now,
    )
    events.append(
        w, project.public_id if project else "site", [("job.queued", job.public_id, "", {"kind": kind})]
    )
    w.ring(lane)
    return job, True


# --- the doorbell -------------------------------------------------------------------------------


def bell_path(lane: str) -> Path:
    """The local socket that wakes a lane. Kept short: socket names have 107 bytes."""
    return Path(settings.DATA) / "run" / f"bell-{lane}"


def ring(lane: str) -> None:
    """Wake the lane's worker, if one listens. Never waits, never fails."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as s:
        try:
            s.sendto(b"1", str(bell_path(lane)))
        except OSError:
            return  # nobody listens: the worker polls


def bell(lane: str) -> socket.socket:
    """The listening end; an older one is replaced."""
    path = bell_path(lane)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(str(path))
    return s


# --- the worker ---------------------------------------------------------------------------------


def take(lane: str) -> Ticket | None:
    """The oldest waiting job of the lane, now running under this worker's token."""
    now = timezone.now()
    waiting = Q(state="queued") | Q(state="running", lease_until__lt=now)
    found = Job.objects.filter(waiting, lane=lane, kind__in=list(KINDS)).order_by("id").first()
    if found is None:
        return None
    if found.state == "running" and found.attempts >= POISON:
        _undo(found)
        error = {
            "code": "poison",
            "message": "This job ended its worker each time it was tried.",
            "tries": found.attempts,
        }
        with writing(actor=None, now=now) as w:
            _finish(w, found, found.token, "failed", error=error)
        return None
    with writing(actor=None, now=now) as w:
        token = secrets.token_hex(16)
        changed = (
            Job.objects.filter(pk=found.pk, state=found.state, token=found.token)
            .filter(waiting)
            .update(
                state="running",
                token=token,
                attempts=F("attempts") + 1,
                lease_until=now + LEASE,
                started_at=found.started_at or now,
            )
        )
        if not changed:
            return None
    found.refresh_from_db()
    return Ticket(found, token)


def run(ticket: Ticket) -> str:
    """Run one job to its end; returns the state it rests in ("fenced" when it was taken away)."""
    kind = KINDS[ticket.job.kind]
    beat = _Beat(ticket)
    beat.start()
    try:
        if ticket.job.cancel_asked:
            raise Cancelled
        result = kind.handler(ticket)
        state, extra = "done", {"result": result or {}}
    except Cancelled:
        state, extra = "cancelled", {}
    except Fenced:
        return "fenced"
    except ConcordError as error:
        state, extra = "failed", {"error": error.as_dict()}
    except OperationalError:
        # The database went away or stayed locked: the lease runs out and the job is tried again.
        log.exception("job %s lost its database", ticket.job.public_id)
        return "fenced"
    except Exception as error:
        log.exception("job %s failed", ticket.job.public_id)
        state = "failed"
        extra = {
            "error": {
                "code": "internal",
                "message": "The job failed.",
                "detail": f"{type(error).__name__}: {error}"[:300],
            }
        }
    finally:
        beat.stop()
    if state != "done":
        if not ticket._mine().exists():
            return "fenced"  # another worker is at it by now: nothing of its work is undone
        _undo(ticket.job)
    with writing(actor=None) as w:
        if not _finish(w, ticket.job, ticket.token, state, **extra):
            return "fenced"
    return state


def _undo(job: Job) -> None:
    """Remove what a job that will not finish may have left; idempotent, outside any transaction."""
    undo = KINDS[job.kind].undo
    if undo is not None:
        undo(job)


def _finish(w: Writing, job: Job, token: str, state: str, **fields: Any) -> bool:
    changed = Job.objects.filter(pk=job.pk, state="running", token=token).update(
        state=state, finished_at=w.now, lease_until=None, **fields
    )
    if changed:
        events.append(
            w,
            job.project.public_id if job.project else "site",
            [(f"job.{state}", job.public_id, "", {"kind": job.kind, "attempts": job.attempts})],
        )
    return bool(changed)


class _Beat(threading.Thread):
    """Renews the lease while the handler works, so that a long step does not lose its job."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__(daemon=True)
        self.ticket, self.over = ticket, threading.Event()

    def run(self) -> None:
        while not self.over.wait(LEASE.total_seconds() / 3):
            try:
                with db.write_lock(), transaction.atomic(durable=True):
                    self.ticket._mine().update(lease_until=timezone.now() + LEASE)
            except (OperationalError, ConcordError):
                log.warning("lease of job %s could not be renewed", self.ticket.job.public_id)
        connection.close()

    def stop(self) -> None:
        """End the thread."""
        self.over.set()
        self.join()


def cancel(*, actor: Account | None, job: Job, now: Any = None, request: str = "") -> Job:
    """Verb: a queued job ends at once, a running one at its next step. A finished one stays as it is."""
    with writing(actor=actor, now=now, request=request) as w:
        if Job.objects.filter(pk=job.pk, state="queued").update(state="cancelled", finished_at=w.now):
            w.event(
                job.project.public_id if job.project else "site",
                "job.cancelled",
                job.public_id,
                data={"kind": job.kind},
            )
        elif Job.objects.filter(pk=job.pk, state="running").update(cancel_asked=True):
            w.event(
                job.project.public_id if job.project else "site",
                "job.cancel_asked",
                job.public_id,
                data={"kind": job.kind},
            )
    job.refresh_from_db()
    if job.state == "cancelled":
        _undo(job)
    return job


def _ticked(tick: Callable[[], bool], lane: str) -> bool:
    """One tick; one that fails holds up neither the other ticks nor the jobs."""
    try:
        return tick()
    except (OperationalError, Unavailable):
        raise  # the database is away: for all of them
    except Exception:
        log.exception("worker %s: a tick failed", lane)
        return False


def work(
    lane: str,
    *,
    ticks: list[Callable[[], bool]] | None = None,
    once: bool = False,
    stop: threading.Event | None = None,
) -> int:
    """The worker's loop: jobs of the lane, then the ticks (sweepers, news); sleeps on the doorbell.

    A tick returns True when there may be more to do at once. With `once` the loop ends when nothing
    is left. Returns how many jobs were run.
    """
    s = bell(lane)
    s.settimeout(1.0)
    done = 0
    parent = os.getppid()
    try:
        while not (stop and stop.is_set()):
            if not once and os.getppid() != parent:
                break  # the supervisor is gone
            busy = False
            try:
                for tick in ticks or []:
                    busy = _ticked(tick, lane) or busy
                ticket = take(lane)
                if ticket is not None:
                    run(ticket)
                    done += 1
                    busy = True
            except (OperationalError, ConcordError):
                log.exception("worker %s: the database is away for now", lane)
                close_old_connections()
                time.sleep(0.5)
            except Exception:
                log.exception("worker %s: the round failed", lane)
                time.sleep(0.5)
            if busy:
                continue
            if once:
                break
            try:
                s.recv(16)
                s.setblocking(False)
                try:
                    while True:
                        s.recv(16)
                except BlockingIOError:
                    pass
                finally:
                    s.settimeout(1.0)
            except TimeoutError:
                pass
    finally:
        s.close()
    return done
