"""The Reach table: a peer and this server driven by the same driver in the same run, alternating stage by stage.

Both servers must be up (how to start the peer is the driver's own README; ours: bench/drive_concord.py).
Usage:
    python bench/reach.py DRIVER.py --python PYTHON_WITH_AIOHTTP --peer http://127.0.0.1:8080 --peer-pid PID \
        --ours http://127.0.0.1:8800 --ours-pid PID --people DATA/bench-people.json [--quick] [--out FILE.jsonl]
Prints one JSON line a measurement as the driver does (kept in --out) and a Markdown table at the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# (name, driver options, options of --quick). Overlap is 1 as the peer's stages have it.
STAGES: list[tuple[str, list[str], list[str]]] = [
    ("race", ["--scale", "1000", "--rounds", "10", "--concurrency", "8"], []),
    ("session", ["--scale", "10000", "--requests", "160", "--concurrency", "1,8"], ["--scale", "1000"]),
    (
        "save",
        ["--scale", "2000", "--requests", "400", "--concurrency", "8"],
        ["--scale", "1000", "--requests", "160"],
    ),
    ("import", ["--scale", "50000", "--batch", "5000"], ["--scale", "10000", "--batch", "5000"]),
    ("list", ["--scale", "50000", "--concurrency", "1"], ["--scale", "10000"]),
    ("export", ["--scale", "10000", "--repeat", "3", "--formats", "JSON,COCO"], ["--scale", "1000"]),
    ("badinput", [], []),
]


def run(command: list[str], out: Any) -> list[dict[str, Any]]:
    """Run one driver call; echo and keep its lines."""
    rows = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout
        for line in p.stdout:
            print(line, end="", flush=True)
            out.write(line)
            out.flush()
            if line.startswith("{"):
                rows.append(json.loads(line))
    return rows


def first(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    """The first row with these fields, or an empty one."""
    return next((r for r in rows if all(r.get(k) == v for k, v in wanted.items())), {})


def lat(row: dict[str, Any], name: str | None = None) -> str:
    """p50/p95 in ms."""
    x = row.get(name, {}) if name else row
    return f"{x.get('p50_ms', '–')} / {x.get('p95_ms', '–')}"


def table(peer: list[dict[str, Any]], ours: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = ["| measure | peer | ours |", "|---|---|---|"]

    def add(what: str, of: Any) -> None:
        lines.append(f"| {what} | {of(peer)} | {of(ours)} |")

    add(
        "race: tasks given to two people, of handed out",
        lambda r: (
            f"{first(r, stage='race').get('tasks_given_to_two_or_more')} of {first(r, stage='race').get('handed')}"
        ),
    )
    for c in (1, 8):
        s = {"stage": "session", "concurrency": c}
        add(f"next task, {c} people, p50/p95 ms", lambda r, s=s: lat(first(r, **s), "next"))
        add(f"save in the session, {c} people, p50/p95 ms", lambda r, s=s: lat(first(r, **s), "save"))
    add(
        "save alone, 8 people: p50/p95 ms; a second",
        lambda r: f"{lat(first(r, stage='save'), 'save')}; {first(r, stage='save').get('per_s')}",
    )
    add(
        "import, rows a second; server memory before, peak MiB",
        lambda r: (
            f"{first(r, stage='import').get('tasks_per_s')}; {first(r, stage='import').get('rss_before_mib')}, "
            f"{first(r, stage='import').get('rss_peak_mib')}"
        ),
    )
    for v in ("plain", "sort", "filter", "deep"):
        add(f"list of 100, {v}, p50/p95 ms", lambda r, v=v: lat(first(r, stage="list", variant=v)))
    for f in ("JSON", "COCO"):
        add(
            f"release or export, {f}, median s",
            lambda r, f=f: first(r, stage="export", format=f).get("median_s"),
        )
    add(
        "bad input accepted without a word; answered 5xx; cases",
        lambda r: (
            f"{sum(bool(x.get('accepted')) for x in r if x['stage'] == 'badinput')}; "
            f"{sum(x.get('status', 0) >= 500 for x in r if x['stage'] == 'badinput')}; "
            f"{sum(x['stage'] == 'badinput' for x in r)}"
        ),
    )
    add(
        "server memory after the whole run, MiB",
        lambda r: next((x["rss_after_mib"] for x in reversed(r) if "rss_after_mib" in x), None),
    )
    return "\n".join(lines)


def main() -> int:
    """Alternate, then print."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("driver")
    p.add_argument("--python", default=sys.executable)
    p.add_argument("--peer", default="")
    p.add_argument("--peer-name", default="labelstudio")
    p.add_argument("--peer-pid", default="0")
    p.add_argument("--ours", required=True)
    p.add_argument("--ours-pid", default="0")
    p.add_argument("--people", required=True)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--stages", default=",".join(s for s, _, _ in STAGES))
    p.add_argument("--out", default="reach.jsonl")
    o = p.parse_args()
    peer: list[dict[str, Any]] = []
    ours: list[dict[str, Any]] = []
    with open(o.out, "a") as out:
        for name, options, quick in STAGES:
            if name not in o.stages.split(","):
                continue
            more = ["--stages", name, *options, *(quick if o.quick else [])]
            if o.peer:
                peer += run(
                    [
                        o.python,
                        o.driver,
                        "--target",
                        o.peer_name,
                        "--base-url",
                        o.peer,
                        "--server-pid",
                        o.peer_pid,
                        *more,
                    ],
                    out,
                )
            ours += run(
                [
                    o.python,
                    str(HERE / "drive_concord.py"),
                    o.driver,
                    "--people",
                    o.people,
                    "--base-url",
                    o.ours,
                    "--server-pid",
                    o.ours_pid,
                    *more,
                ],
                out,
            )
        text = table(peer, ours)
        print(text)
        out.write(json.dumps({"table": text}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
