"""The `concord` command: run, status, and what it passes on to management commands.

In a checkout `python3 concord.py` makes the environment and then calls this; in a wheel it is the front door.
Imports Django only inside the verbs that need it, so that the supervisor's process stays small.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from annotator import places

PORT = 8400
COMPRESSED = {".js", ".css", ".svg", ".json", ".html", ".txt"}
DEMO_ACCOUNTS = "demo-accounts.json"
PASSED_ON = ("owner", "backup", "restore", "release", "verify_release", "verify", "check", "messages", "reference",
             "shots")  # fmt: skip


def _began() -> float:
    """When the person typed the command: the bootstrap script hands it on."""
    try:
        return float(os.environ["CONCORD_STARTED"])
    except (KeyError, ValueError):
        return time.time()


BEGAN = _began()


def say(text: str) -> None:
    print(f"[{time.time() - BEGAN:6.1f} s] {text}", flush=True)


def root() -> Path:
    return places.checkout() or places.PACKAGE.parent


# ---------------------------------------------------------------- preparing the data folder


def _migration_files() -> list[tuple[str, str]]:
    """(application, name) of every migration of the three wings, from the files, without Django."""
    found = []
    for wing in ("annotator", "review", "prelabel"):
        for file in sorted((places.PACKAGE.parent / wing / "migrations").glob("[0-9]*.py")):
            found.append((wing, file.stem))
    return found


def _installed_digest() -> str:
    """Changes whenever a migration file or a package that may bring migrations changes."""
    lock = root() / "requirements.lock"
    if places.checkout() and lock.is_file():
        packages = lock.read_text().splitlines()
    else:
        from importlib.metadata import distributions

        packages = sorted(f"{d.metadata['Name']}=={d.version}" for d in distributions())
    text = json.dumps([packages, _migration_files(), str(places.PACKAGE)])
    return hashlib.sha256(text.encode()).hexdigest()


def _database_is_current(data: Path) -> bool:
    """True only when the SQLite file holds every migration that the last full preparation knew."""
    if os.environ.get("CONCORD_DATABASE", "").startswith("postgres"):
        return False
    database = data / "concord.sqlite3"
    try:
        prepared = json.loads((data / "run" / "prepared.json").read_text())
        if prepared["installed"] != _installed_digest() or not database.is_file():
            return False
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
        try:
            applied = {
                (app, name) for app, name in connection.execute("select app, name from django_migrations")
            }
        finally:
            connection.close()
    except (OSError, ValueError, KeyError, sqlite3.Error):
        return False
    return {(app, name) for app, name in prepared["migrations"]} <= applied


def prepare(data: Path, *, demo: bool) -> None:
    """Database up to date, demo there. Without work to do it does not even import Django."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("run", "logs"):
        (data / name).mkdir(exist_ok=True, mode=0o700)
    accounts = data / DEMO_ACCOUNTS
    if os.environ.get("CONCORD_PRODUCTION", "") == "1":
        demo = False
        if accounts.exists():
            raise SystemExit(
                f"refusing to start in production: {accounts} says that this data folder holds the demo's "
                "accounts. Name another folder with --data."
            )
    current = _database_is_current(data)
    if current and (accounts.exists() or not demo):
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.site.settings")
    os.environ["CONCORD_DATA"] = str(data)
    import django
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    django.setup()
    if not current:
        began = time.time()
        call_command("migrate", interactive=False, verbosity=0)
        applied = sorted(MigrationRecorder(connection).applied_migrations())
        part = data / "run" / ".prepared.json"
        part.write_text(json.dumps({"installed": _installed_digest(), "migrations": applied}))
        part.replace(data / "run" / "prepared.json")
        say(f"database is up to date ({time.time() - began:.1f} s)")
    if demo and not accounts.exists():
        began = time.time()
        call_command("seed_demo", verbosity=0)
        say(f"demo projects are there ({time.time() - began:.1f} s)")


def publish_static(data: Path) -> None:
    """Copy bundles and assets into the data folder's static/, with a packed twin; what is unchanged stays."""
    target = data / "static"
    target.mkdir(parents=True, exist_ok=True)
    wanted: set[Path] = set()
    for top in places.static_roots():
        for source in sorted(path for path in top.rglob("*") if path.is_file()):
            copy = target / source.relative_to(top)
            packed = copy.with_name(copy.name + ".gz")
            wanted |= {copy, packed}
            now = source.stat()
            if (
                copy.exists()
                and copy.stat().st_mtime_ns == now.st_mtime_ns
                and copy.stat().st_size == now.st_size
            ):
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            part = copy.with_name(f".{copy.name}.part")
            shutil.copy2(source, part)
            if source.suffix in COMPRESSED and now.st_size > 500:
                packed_part = packed.with_name(f".{packed.name}.part")
                packed_part.write_bytes(gzip.compress(source.read_bytes(), 9, mtime=0))
                os.utime(packed_part, ns=(now.st_atime_ns, now.st_mtime_ns))
                packed_part.replace(packed)
            part.replace(copy)
    for stale in [path for path in target.rglob("*") if path.is_file() and path not in wanted]:
        stale.unlink()  # a removed bundle must not be served for ever


# ---------------------------------------------------------------- verbs


def _welcome(data: Path, url: str, *, demo: bool) -> None:
    say(f"ready: {url}")
    accounts = data / DEMO_ACCOUNTS
    if demo and accounts.exists():
        try:
            listed = json.loads(accounts.read_text())["accounts"]
        except (OSError, ValueError, KeyError):
            listed = []
        if listed:
            print("\n  Demo accounts (made for this data folder alone):\n")
            for one in listed:
                print(f"    {one['username']:10s} {one['password']:18s} {one['does']}")
            print()
    print(f"  Data: {data}   Logs: {data / 'logs'}   Stop: Ctrl-C\n", flush=True)


def run(arguments: list[str]) -> int:
    """Everything under one supervisor, until a signal."""
    parser = argparse.ArgumentParser(prog="concord run", description="Start Concord; Ctrl-C stops it.")
    parser.add_argument(
        "--host", default=os.environ.get("CONCORD_HOST", "127.0.0.1"), help="address to listen on"
    )
    parser.add_argument("--port", type=int, help=f"port; by default the first free one from {PORT}")
    parser.add_argument("--data", help="data folder (CONCORD_DATA; by default ~/.local/share/concord)")
    parser.add_argument("--no-demo", action="store_true", help="make no demo projects and accounts")
    parser.add_argument("--no-model", action="store_true", help="no model worker, no torch")
    parser.add_argument("--production", action="store_true", help="refuse demo accounts and weak settings")
    parser.add_argument("--verbose", action="store_true", help="show the processes' output here too")
    parser.add_argument("--install-model", metavar="PYTHON", help=argparse.SUPPRESS)
    parser.add_argument("--prepared", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.data:
        os.environ["CONCORD_DATA"] = os.path.abspath(os.path.expanduser(options.data))
    if options.production:
        os.environ["CONCORD_PRODUCTION"] = "1"
    production = os.environ.get("CONCORD_PRODUCTION", "") == "1"
    demo = not options.no_demo and not production
    data = places.data_folder(create=True)
    os.environ["CONCORD_DATA"] = str(data)
    _allow_host(options.host)

    from annotator import supervisor
    from annotator.site import processes

    publish_static(data)
    install = None
    if options.install_model and places.checkout():
        install = [options.install_model, str(root() / "concord.py"), "env", "model"]
    port = options.port if options.port is not None else int(os.environ.get("CONCORD_PORT") or PORT)
    captain = supervisor.Supervisor(
        data,
        root(),
        host=options.host,
        port=port,
        port_is_wish=options.port is None,
        model=not options.no_model,
        install=install,
        assist=processes.assist(data),
        verbose=options.verbose,
        on_ready=lambda url: _welcome(data, url, demo=demo),
        say=say,
    )
    if not options.prepared:
        # A process of its own: this one becomes the supervisor and must not hold Django in memory.
        done = subprocess.run(
            [sys.executable, "-m", "annotator.cli", "prepare", *([] if demo else ["--no-demo"])],
            cwd=root(),
            stdin=subprocess.DEVNULL,
            env={**os.environ, "CONCORD_STARTED": repr(BEGAN)},
            check=False,
        )
        if done.returncode:
            return done.returncode
    say("starting the processes")
    return captain.run()


def _allow_host(host: str) -> None:
    """Listening on an address means being called by it; other names are given in CONCORD_HOSTS."""
    named = os.environ.get("CONCORD_HOSTS", "")
    if not named and host not in ("127.0.0.1", "localhost", "::1"):
        import socket

        own = [socket.gethostname()] if host in ("0.0.0.0", "::") else [host]
        os.environ["CONCORD_HOSTS"] = ",".join(["localhost", "127.0.0.1", "[::1]", *own])


def verb_prepare(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="concord prepare", description="Bring the data folder up to date.")
    parser.add_argument("--no-demo", action="store_true")
    options = parser.parse_args(arguments)
    data = places.data_folder(create=True)
    from annotator.supervisor import lock_folder

    with lock_folder(data):  # never under a running Concord; of two starts at once, one prepares, one is told
        prepare(data, demo=not options.no_demo)
    return 0


def status(arguments: list[str]) -> int:
    """What runs on the data folder."""
    parser = argparse.ArgumentParser(prog="concord status")
    parser.add_argument("--data")
    options = parser.parse_args(arguments)
    if options.data:
        os.environ["CONCORD_DATA"] = options.data
    from annotator.supervisor import ask

    data = places.data_folder()
    answer = ask(data, "status")
    if "error" in answer:
        print(f"nothing runs on {data} ({answer['error']})")
        return 1
    print(f"{answer['url']}  models: {answer['models']}  process {answer['supervisor']['pid']}  data {data}")
    for name, child in answer["children"].items():
        print(f"  {name:8s} {child['state']:8s} pid {child['pid'] or '-':<8} restarts {child['restarts']}")
    return 0


def bench(arguments: list[str]) -> int:
    """Run bench/NAME.py of a checkout."""
    folder = root() / "bench"
    names = sorted(path.stem for path in folder.glob("*.py"))
    if not arguments or arguments[0] not in names:
        print("usage: concord bench NAME [options]; there are: " + ", ".join(names))
        return 2
    os.chdir(root())
    os.execv(sys.executable, [sys.executable, str(folder / f"{arguments[0]}.py"), *arguments[1:]])


def shots(arguments: list[str]) -> int:
    """The pictures of docs/images."""
    return bench(["screens", *arguments])


def manage(arguments: list[str]) -> int:
    """Any management command, as manage.py would."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotator.site.settings")
    places.data_folder(create=True)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["concord", *arguments])
    return 0


def passed_on(arguments: list[str]) -> int:
    """A management command with --data, and with a database for the first operator of an empty folder."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--data")
    known, rest = parser.parse_known_args(arguments)
    if known.data:
        os.environ["CONCORD_DATA"] = os.path.abspath(os.path.expanduser(known.data))
    data = places.data_folder(create=True)
    if rest[0] == "owner" and not _database_is_current(data):
        from annotator.supervisor import lock_folder

        with lock_folder(data):
            prepare(data, demo=False)
    return manage(rest)


VERBS: dict[str, Callable[[list[str]], int]] = {
    "run": run,
    "prepare": verb_prepare,
    "status": status,
    "bench": bench,
    "shots": shots,
    "manage": manage,
}


def main(arguments: list[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given[0] if given else "--help"
    if name in VERBS:
        return VERBS[name](given[1:])
    if name in PASSED_ON:
        return passed_on(given)
    print("usage: concord " + " | ".join([*VERBS, *PASSED_ON]) + " [options]")
    return 0 if name in ("-h", "--help", "help") else 2


if __name__ == "__main__":
    sys.exit(main())
