"""Runs claimers as threads with connections of their own against the database in CONCORD_DATA / CONCORD_DATABASE.

A process of its own, so that SQLite and PostgreSQL are driven alike and nothing of pytest's
transactions is in the way. Prints one JSON line: hand-outs, double claims, errors, claims a second.
Usage: python -m tests.concurrency.claimers --tasks 1000 --slots 2 --people 64
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections import Counter
from typing import Any


def main() -> int:
    """Set up a project, let everybody empty it, count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--skips", type=float, default=0.02, help="share of seats that are skipped once")
    o = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "annotator.site.settings"
    os.environ["CONCORD_GRACE_S"] = "0"
    os.environ["CONCORD_FAST_PASSWORDS"] = "1"
    import django

    django.setup()
    from django.db import close_old_connections, connection

    from tests.template import ready

    ready()
    from annotator.actions import seat_verbs
    from annotator.actions.claim_task import claim_task
    from annotator.actions.save_annotation import save_annotation
    from annotator.models import Account, Assignment, Member, Task
    from annotator.queries.work import seat_of
    from tests.actors import NOW, make_world

    world = make_world(slots=o.slots, skip_per_day=10**6)
    people = [Account.objects.create_user(f"person{i}") for i in range(o.people)]
    for p in people:
        Member.objects.create(project=world.project, account=p, roles=["annotator"], joined_at=NOW)
    for _ in range(o.tasks):
        world.item()
    barrier = threading.Barrier(o.people)
    times: list[float] = []
    errors: Counter[str] = Counter()
    lock = threading.Lock()
    skipped: set[tuple[int, int]] = set()

    def person(account: Account, number: int) -> None:
        member = Member.objects.get(project=world.project, account=account)
        member.account = account
        project = type(world.project).objects.select_related("workflow", "schema").get(pk=world.project.pk)
        member.project = project
        barrier.wait()
        empty = 0
        turn = 0
        while empty < 3:
            turn += 1
            t = time.perf_counter()
            try:
                answer = claim_task(actor=account, project=project, member=member)
                with lock:
                    times.append(time.perf_counter() - t)
                if answer["assignment"] is None:
                    if answer["reason"]["code"] == "all_leased":
                        time.sleep(0.02)
                        empty += 0.05 if empty < 2 else 1
                    else:
                        empty += 1
                    continue
                empty = 0
                seat = seat_of(account, answer["assignment"])
                assert seat is not None
                if (turn * 7919 + number) % 1000 < o.skips * 1000 and (
                    seat.task_id,
                    account.pk,
                ) not in skipped:
                    skipped.add((seat.task_id, account.pk))
                    seat_verbs.skip(actor=account, seat=seat, token=seat.token, reason="race")
                    continue
                save_annotation(
                    actor=account,
                    seat=seat,
                    token=seat.token,
                    if_revision=0,
                    changes=[],
                    parts={},
                    active_ms=0,
                    submit=True,
                )
            except Exception as error:  # counted and reported: the point of the run
                with lock:
                    errors[f"{type(error).__name__}: {error}"[:120]] += 1
                empty += 0.1
        close_old_connections()
        connection.close()

    start = time.perf_counter()
    threads = [threading.Thread(target=person, args=(p, i)) for i, p in enumerate(people)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    wall = time.perf_counter() - start
    rows = list(Assignment.objects.filter(stage="label").values_list("task_id", "person_id", "state"))
    submitted = Counter(task for task, _, state in rows if state == "submitted")
    pairs = Counter((task, person) for task, person, state in rows if state == "submitted")
    live = sum(state in ("live", "ahead") for _, _, state in rows)
    wrong_counters = [
        t.pk for t in Task.objects.all() if t.n_submitted != submitted[t.pk] or t.n_taken != submitted[t.pk]
    ]
    times.sort()
    result: dict[str, Any] = {
        "engine": connection.vendor,
        "people": o.people,
        "tasks": o.tasks,
        "slots": o.slots,
        "handed_out": sum(submitted.values()),
        "wanted": o.tasks * o.slots,
        "over": sum(n > o.slots for n in submitted.values()),
        "under": sum(submitted[t] < o.slots for t in Task.objects.values_list("pk", flat=True)),
        "twice_one_person": sum(n > 1 for n in pairs.values()),
        "left_live": live,
        "wrong_counters": len(wrong_counters),
        "errors": dict(errors),
        "claims": len(times),
        "claims_a_second": round(len(times) / wall, 1),
        "claim_p50_ms": round(times[len(times) // 2] * 1000, 1),
        "claim_p95_ms": round(times[int(len(times) * 0.95)] * 1000, 1),
        "wall_s": round(wall, 1),
    }
    print(json.dumps(result))
    bad = (
        result["over"]
        or result["twice_one_person"]
        or result["errors"]
        or result["wrong_counters"]
        or result["under"]
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
