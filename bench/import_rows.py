#!/usr/bin/env python3
"""Import of rows that name stored assets, with five prelabel boxes each: rows a second and memory of the worker.

    CONCORD_DATA=$(mktemp -d) python bench/import_rows.py --rows 50000 --form json

Prints one JSON object. Makes its own data folder's database; never run it on a folder in use. The upload of the body
is not part of the figure: the job is, from the first row read to the last chunk written.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
LABELS = ["car", "person", "bus", "sign", "dog"]


def make_row(rng: random.Random, n: int) -> dict[str, object]:
    """One row of the driver's kind."""
    regions = []
    for _ in range(5):
        w, h = rng.randint(20, 300), rng.randint(20, 200)
        x, y = rng.randint(0, 1920 - w), rng.randint(0, 1080 - h)
        regions.append(
            {
                "shape": "box",
                "label": rng.choice(LABELS),
                "geometry": {"x0": x, "y0": y, "x1": x + w, "y1": y + h},
            }
        )
    return {
        "external_key": f"img-{n:06d}",
        "assets": [{"role": "image", "name": f"img-{n:06d}.png"}],
        "prelabel": {"source": "upload:bench", "score": round(rng.random(), 4), "regions": regions},
    }


def main() -> None:
    """Set up, import, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--form", choices=("json", "jsonl"), default="json")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if not os.environ.get("CONCORD_DATA"):
        sys.exit("Name an empty data folder in CONCORD_DATA.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.site.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    from annotator import jobs, spool
    from annotator.actions.import_batch import import_batch
    from annotator.actions.projects import create_project
    from annotator.models import Account, Asset, Event, Item, Job, Prelabel, Project

    actor = Account.objects.create_user(f"bench-{time.time_ns()}", "not-used-by-anybody")
    schema = {
        "format": 1,
        "title": "Bench",
        "constraints": [],
        "guideline": {"version": 1, "text": ""},
        "controls": [
            {
                "name": "objects",
                "kind": "regions",
                "shapes": ["box"],
                "asset": "image",
                "title": "Objects",
                "labels": "all",
            }
        ],
        "labels": [
            {"name": name, "title": name, "color": "#d62728", "class": "B", "attributes": []}
            for name in LABELS
        ],
    }
    made = create_project(actor=actor, title="Import bench", schema=schema)
    project = Project.objects.get(public_id=made["id"])
    now = timezone.now()
    for start in range(0, options.rows, 5000):
        Asset.objects.bulk_create(
            [
                Asset(
                    project=project,
                    sha256=hashlib.sha256(b"%d" % n).hexdigest(),
                    name=f"img-{n:06d}.png",
                    kind="image",
                    media_type="image/png",
                    size=1000,
                    width=1920,
                    height=1080,
                    state="ready",
                    created_at=now,
                )
                for n in range(start, min(start + 5000, options.rows))
            ]
        )
    rng = random.Random(1)

    def body():  # type: ignore[no-untyped-def]
        yield b"[" if options.form == "json" else b""
        for n in range(options.rows):
            between = b"" if not n else (b"," if options.form == "json" else b"")
            yield (
                between + json.dumps(make_row(rng, n)).encode() + (b"\n" if options.form == "jsonl" else b"")
            )
        yield b"]" if options.form == "json" else b""

    place, sha, size = spool.write(body())
    import_batch(
        actor=actor,
        project=project,
        spooled=place,
        sha256=sha,
        form=options.form,
        batch="bench",
        on_bad="partial",
    )
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    profiler = None
    if options.profile:
        import cProfile

        profiler = cProfile.Profile()
        profiler.enable()
    began, cpu = time.perf_counter(), time.process_time()
    ticket = jobs.take("io")
    assert ticket is not None
    state = jobs.run(ticket)
    wall, used = time.perf_counter() - began, time.process_time() - cpu
    if profiler is not None:
        import pstats

        profiler.disable()
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(40)
    job = Job.objects.get(pk=ticket.job.pk)
    print(
        json.dumps(
            {
                "rows": options.rows,
                "form": options.form,
                "bytes": size,
                "state": state,
                "result": job.result,
                "rows_per_s": round(options.rows / wall),
                "wall_s": round(wall, 2),
                "cpu_s": round(used, 2),
                "rss_before_mib": round(base),
                "rss_peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                "items": Item.objects.filter(project=project).count(),
                "prelabels": Prelabel.objects.filter(item__project=project).count(),
                "events": Event.objects.filter(chain=project.public_id, verb="item.imported").count(),
                "load1": round(os.getloadavg()[0], 2),
            }
        )
    )


if __name__ == "__main__":
    main()
