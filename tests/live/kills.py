"""Kill -9 at random moments while people work, then compare the ledger with the database.

A process of its own: it starts the real command on a data folder of its own, drives it as REST clients,
writes each acknowledged answer to a ledger with fsync before the next request, and kills the web
process, the io worker or the whole group at a uniform random moment. The supervisor restarts
children; this process restarts only a supervisor that it killed. Clients repeat with the same key.
Usage: python -m tests.live.kills --kills 100 [--seed 1]. Prints one JSON line; exit code 1 when
anything was lost, doubled, or rests where it must not.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

PEOPLE = 6
SLOTS = 2


LIBC = ctypes.CDLL(None)  # loaded once here: between fork and exec nothing may be loaded


def die_with_parent() -> None:
    """In a new child: SIGTERM when the parent dies, so that a run that is cut off leaves no server behind."""
    LIBC.prctl(1, signal.SIGTERM)


class Ledger:
    """Acknowledged answers, each synced before the client goes on."""

    def __init__(self, path: Path) -> None:
        self.out = open(path, "a", encoding="utf-8")  # noqa: SIM115 - lives as long as the run
        self.lock = threading.Lock()
        self.rows: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any]) -> None:
        with self.lock:
            self.out.write(json.dumps(row) + "\n")
            self.out.flush()
            os.fsync(self.out.fileno())
            self.rows.append(row)


class Server:
    """The real command."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.base = f"http://127.0.0.1:{port}"
        self.log = open(data / "supervisor.out", "ab")  # noqa: SIM115
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        env = os.environ | {"CONCORD_DATA": str(self.data), "CONCORD_GRACE_S": "0", "CONCORD_LOG": "ERROR"}
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "annotator.cli",
                "run",
                "--data",
                str(self.data),
                "--port",
                str(self.port),
                "--no-demo",
                "--no-model",
            ],
            cwd=Path(__file__).resolve().parent.parent.parent,
            env=env,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )

    def pids(self) -> dict[str, int]:
        """Live children by name."""
        try:
            state = json.loads((self.data / "run" / "state.json").read_text())
        except (OSError, ValueError):
            return {}
        found = {}
        for name, child in state.get("children", {}).items():
            if child.get("pid") and child.get("state") == "running":
                found[name] = child["pid"]
        return found

    def wait_ready(self, client: Any, seconds: float = 60) -> float:
        """Seconds until /healthz answers 200."""
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            try:
                if client.get(self.base + "/healthz", timeout=2).status_code == 200:
                    return time.monotonic() - start
            except Exception:  # not up yet, whatever the reason
                time.sleep(0.1)
        raise RuntimeError("the server did not come back")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-seconds", type=float, default=1500)
    parser.add_argument("--keep", action="store_true")
    o = parser.parse_args()
    data = Path(tempfile.mkdtemp(prefix="concord-kills-"))
    os.environ |= {
        "CONCORD_DATA": str(data),
        "CONCORD_GRACE_S": "0",
        "CONCORD_FAST_PASSWORDS": "1",
        "DJANGO_SETTINGS_MODULE": "annotator.site.settings",
    }
    import django

    django.setup()
    import httpx
    from django.db import connections

    from tests.template import ready

    ready()
    from knox.models import AuthToken

    from annotator.models import Account, Asset, Member
    from tests.actors import NOW, add, box, make_world

    world = make_world(slots=SLOTS)
    tokens = []
    for i in range(PEOPLE):
        p = Account.objects.create_user(f"person{i}")
        Member.objects.create(project=world.project, account=p, roles=["annotator"], joined_at=NOW)
        tokens.append(AuthToken.objects.create(user=p)[1])
    lead = AuthToken.objects.create(user=world.lead)[1]
    for _ in range(200):
        world.item()
    shas = list(Asset.objects.filter(project=world.project).values_list("sha256", flat=True)[:50])
    project = world.project.public_id
    connections.close_all()

    server = Server(data, free_port())
    try:
        server.start()
        http = httpx.Client(timeout=20)
        server.wait_ready(http)
        ledger = Ledger(data / "ledger.jsonl")
        over = threading.Event()
        in_flight = [0]
        gate = threading.Lock()
        refused: Counter[str] = Counter()

        def send(
            client: Any, token: str, path: str, body: Any, key: str, content: bytes | None = None
        ) -> Any:
            """The same request with the same key until an answer comes."""
            while True:
                with gate:
                    in_flight[0] += 1
                try:
                    headers = {
                        "Authorization": f"Token {token}",
                        "Idempotency-Key": key,
                        "Content-Type": "application/json",
                    }
                    raw = content if content is not None else json.dumps(body).encode()
                    r = client.post(server.base + path, content=raw, headers=headers)
                    if r.status_code < 500:
                        return r
                    refused[f"{r.status_code}"] += 1
                except httpx.HTTPError:
                    pass  # cut: repeat
                finally:
                    with gate:
                        in_flight[0] -= 1
                time.sleep(0.05)

        def person(token: str, number: int) -> None:
            client = httpx.Client(timeout=20)
            rng = random.Random(o.seed * 1000 + number)
            while not over.is_set():
                r = send(
                    client, token, f"/api/projects/{project}/claims", {"stage": "label"}, secrets.token_hex(8)
                )
                work = r.json()
                if r.status_code != 201:
                    time.sleep(0.3)
                    continue
                seat, asset = work["assignment"], work["item"]["assets"][0]["id"]
                revision, digest = seat["revision"], None
                # equal boxes for everybody, so that compare agrees and the task goes on to accepted
                boxes = [add(box(asset, 10 * k, 10, 10 * k + 8, 60)) for k in range(5)]
                for part, submit in ((boxes[:2], False), (boxes[2:], True)):
                    key = secrets.token_hex(8)
                    kind = "submission" if submit else "revisions"
                    r = send(
                        client,
                        token,
                        f"/api/assignments/{seat['id']}/{kind}",
                        {"token": seat["token"], "if_revision": revision, "changes": part, "active_ms": 5},
                        key,
                    )
                    if r.status_code != 201:
                        refused[f"{kind} {r.status_code} {r.json().get('error', {}).get('code')}"] += 1
                        break
                    answer = r.json()
                    revision, digest = answer["revision"], answer["digest"]
                    ledger.add(
                        {"seat": seat["id"], "kind": kind, "revision": revision, "digest": digest, "key": key}
                    )
                time.sleep(rng.uniform(0, 0.05))

        def importer() -> None:
            client = httpx.Client(timeout=20)
            n = 0
            while not over.is_set():
                rows = [
                    {"external_key": f"imp-{n}-{k}", "assets": [{"role": "image", "sha256": shas[k]}]}
                    for k in range(40)
                ]
                raw = "\n".join(json.dumps(r) for r in rows).encode()
                headers_key = secrets.token_hex(8)
                while True:
                    with gate:
                        in_flight[0] += 1
                    try:
                        r = client.post(
                            server.base + f"/api/projects/{project}/imports",
                            content=raw,
                            headers={
                                "Authorization": f"Token {lead}",
                                "Idempotency-Key": headers_key,
                                "Content-Type": "application/x-ndjson",
                            },
                        )
                        if r.status_code < 500:
                            break
                    except httpx.HTTPError:
                        pass
                    finally:
                        with gate:
                            in_flight[0] -= 1
                    time.sleep(0.1)
                if r.status_code == 202:
                    ledger.add(
                        {
                            "kind": "import",
                            "job": r.json()["job"]["id"]
                            if isinstance(r.json().get("job"), dict)
                            else r.json()["job"],
                            "n": n,
                        }
                    )
                    n += 1
                else:
                    refused[f"import {r.status_code}"] += 1
                over.wait(1.0)

        threads = [threading.Thread(target=person, args=(t, i), daemon=True) for i, t in enumerate(tokens)]
        threads.append(threading.Thread(target=importer, daemon=True))
        for t in threads:
            t.start()
        rng = random.Random(o.seed)
        killed: Counter[str] = Counter()
        while_in_flight = 0
        back: list[float] = []
        begin = time.monotonic()
        while sum(killed.values()) < o.kills and time.monotonic() - begin < o.max_seconds:
            time.sleep(rng.uniform(0.05, 1.5))
            pids = server.pids()
            what = rng.choices(["web", "io", "all"], [0.5, 0.35, 0.15])[0]
            targets = list(pids.values()) if what == "all" else [pids[what]] if what in pids else []
            busy = in_flight[0] > 0
            try:
                if what == "all" and server.process is not None:
                    os.kill(server.process.pid, signal.SIGKILL)
                for pid in targets:
                    os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it had just died: not counted
            if not targets:
                continue
            killed[what] += 1
            while_in_flight += busy
            if what == "all":
                assert server.process is not None
                server.process.wait()
                server.start()
            back.append(server.wait_ready(http))
        over.set()
        for t in threads:
            t.join(30)
        # rest: everything that must move on has 15 s to do so
        jobs_left, resting = -1, -1
        django.db.close_old_connections()
        from annotator.models import Event, IdempotencyKey, Item, Job, Revision, Task

        for _ in range(60):
            time.sleep(0.5)
            jobs_left = Job.objects.filter(state__in=["queued", "running"]).count()
            resting = (
                Task.objects.filter(state="compare").count()
                + Task.objects.filter(state="labelling", n_submitted=SLOTS).count()
            )
            if not jobs_left and not resting:
                break
    finally:
        server.stop()

    lost, doubled = [], []
    for row in ledger.rows:
        if row["kind"] == "import":
            continue
        found = Revision.objects.filter(assignment__public_id=row["seat"], number=row["revision"])
        if [r.digest for r in found] != [row["digest"]]:
            lost.append(row)
    keys = Counter(IdempotencyKey.objects.values_list("account_id", "key"))
    doubled += [k for k, n in keys.items() if n > 1]
    saved = Event.objects.filter(verb__in=["annotation.saved", "annotation.submitted"])
    events = Counter((e.object, e.data["revision"]) for e in saved)
    doubled += [e for e, n in events.items() if n > 1]
    revisions = Revision.objects.count()
    without_event = revisions - len(events)
    imports = [row["n"] for row in ledger.rows if row["kind"] == "import"]
    imported = Counter(
        k.rsplit("-", 1)[0]
        for k in Item.objects.filter(external_key__startswith="imp-").values_list("external_key", flat=True)
    )
    import_wrong = [n for n in imports if imported[f"imp-{n}"] != 40]
    states = Counter(Job.objects.values_list("state", flat=True))
    from annotator import anchors

    n_events, faults = anchors.verify()
    result = {
        "kills": dict(killed),
        "killed_in_flight": while_in_flight,
        "acknowledged": len(ledger.rows),
        "lost": len(lost),
        "doubled": len(doubled),
        "revisions": revisions,
        "revisions_without_event": without_event,
        "tasks": dict(Counter(Task.objects.values_list("state", flat=True))),
        "resting_in_compare": resting,
        "jobs": dict(states),
        "jobs_left": jobs_left,
        "imports": len(imports),
        "imports_wrong": len(import_wrong),
        "events": n_events,
        "chain_faults": [str(f) for f in faults],
        "refused": dict(refused),
        "back_after_s": {"median": round(sorted(back)[len(back) // 2], 2), "max": round(max(back), 2)}
        if back
        else None,
        "seconds": round(time.monotonic() - begin),
    }
    print(json.dumps(result))
    bad = lost or doubled or without_event or resting or jobs_left or import_wrong or faults
    if not bad and not o.keep:
        import shutil

        shutil.rmtree(data, ignore_errors=True)
    else:
        print(f"data folder kept: {data}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
