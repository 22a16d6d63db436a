"""Times the first and the later start on a fresh copy with empty caches: `concord.py bench first_start`.

Copies the checkout's tracked and untracked files (or clones it with --clone) into an empty folder, runs the
README's command with the caches of pip, uv and npm in empty folders, and prints one JSON object:

  url_s         from the command to a page that is served        wanted < 90
  all_s         until the model worker has joined as well        wanted < 180
  later_url_s   a later start to a served page                   wanted < 10
  later_all_s   a later start with all three processes           wanted < 10
  web_alone_s   the web process alone, from exec to /healthz     wanted < 4
  stop_s        from Ctrl-C to the end, nothing left running
  *_mib         sizes on disk, and what the idle web process holds

Runs on loopback only and ends by itself. Other load on the machine shows in load1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def copy_tree(target: Path, clone: bool) -> None:
    if clone:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(target)], check=True)
        return
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def mib(path: Path) -> int:
    """Allocated size; a file with several names counts once."""
    seen: set[int] = set()
    total = 0
    for file in path.rglob("*"):
        state = file.lstat()
        if state.st_ino not in seen:
            seen.add(state.st_ino)
            total += state.st_blocks * 512
    return round(total / 2**20)


def resident_mib(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return round(int(text.split("VmRSS:")[1].split()[0]) / 1024, 1)


class Started:
    """One `concord.py run`; the clock starts when it is typed."""

    def __init__(self, tree: Path, python: str, environment: dict[str, str], data: Path) -> None:
        self.began, self.data, self.lines = time.monotonic(), data, []  # type: ignore[var-annotated]
        self.process = subprocess.Popen(
            [python, "concord.py", "run", "--port", "0", "--data", str(data)],
            cwd=tree, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def until_url(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            print("   ", line.rstrip(), file=sys.stderr)
            if "ready: http" in line:
                return line.split("ready: ")[1].strip()
        raise SystemExit("it ended without an address")

    def state(self) -> dict[str, Any]:
        return dict(json.loads((self.data / "run" / "state.json").read_text()))

    def until_all(self, limit_s: float = 400) -> None:
        while time.monotonic() - self.began < limit_s:
            running = {name for name, one in self.state()["children"].items() if one["state"] == "running"}
            if {"web", "io", "model"} <= running:
                return
            time.sleep(0.1)
        raise SystemExit("the model worker never joined")

    def seconds(self) -> float:
        return round(time.monotonic() - self.began, 1)

    def stop(self) -> float:
        pids = [one["pid"] for one in self.state()["children"].values() if one["pid"]]
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=60)
        took = time.monotonic() - began
        if self.process.returncode or any(Path(f"/proc/{pid}").exists() for pid in pids):
            raise SystemExit(f"it did not stop cleanly (exit {self.process.returncode}):\n{rest}")
        return round(took, 1)


def web_alone(tree: Path, environment: dict[str, str], data: Path) -> float:
    """Seconds from exec of the web process to the first answer of /healthz."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    began = time.monotonic()
    child = subprocess.Popen(
        [tree / ".venv/bin/python", "-m", "annotator.serve", "--fd", str(listener.fileno())],
        cwd=tree, env={**environment, "CONCORD_DATA": str(data)}, pass_fds=(listener.fileno(),),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60).read()
        return round(time.monotonic() - began, 1)
    finally:
        child.terminate()
        child.wait(timeout=30)
        listener.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python", default=shutil.which("python3") or sys.executable, help="the bare interpreter"
    )
    parser.add_argument(
        "--clone", action="store_true", help="clone what is committed instead of copying files"
    )
    parser.add_argument("--warm", action="store_true", help="keep the machine's caches of pip, uv and npm")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="concord-first-") as folder:
        tree, data, caches = (Path(folder) / name for name in ("tree", "data", "caches"))
        tree.mkdir()
        copy_tree(tree, options.clone)
        # No virtual environment of ours may help: neither its variables nor its programs.
        environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("CONCORD_", "PYTHON")) and key != "VIRTUAL_ENV"
        }
        own = str(ROOT / ".venv")
        paths = [part for part in environment["PATH"].split(os.pathsep) if not part.startswith(own)]
        environment["PATH"] = os.pathsep.join(paths)
        if not options.warm:
            environment |= {
                "PIP_CACHE_DIR": str(caches / "pip"),
                "UV_CACHE_DIR": str(caches / "uv"),
                "npm_config_cache": str(caches / "npm"),
            }
        found: dict[str, Any] = {
            "python": options.python,
            "cold": not options.warm,
            "load1": os.getloadavg()[0],
        }

        first = Started(tree, options.python, environment, data)
        url = first.until_url()
        urllib.request.urlopen(url + "sign-in", timeout=30).read()
        found["url_s"] = first.seconds()
        first.until_all()
        found["all_s"] = first.seconds()
        found["stop_s"] = first.stop()

        later = Started(tree, options.python, environment, data)
        url = later.until_url()
        urllib.request.urlopen(url + "sign-in", timeout=30).read()
        found["later_url_s"] = later.seconds()
        later.until_all()
        found["later_all_s"] = later.seconds()
        time.sleep(5)
        children = later.state()["children"]
        found["web_idle_mib"] = resident_mib(children["web"]["pid"])
        found["io_idle_mib"] = resident_mib(children["io"]["pid"])
        found["supervisor_mib"] = resident_mib(later.state()["supervisor"]["pid"])
        later.stop()
        found["web_alone_s"] = web_alone(tree, environment, data)
        found |= {
            "environment_mib": mib(tree / ".venv"),
            "node_modules_mib": mib(tree / "node_modules"),
            "data_mib": mib(data),
            "load1_end": os.getloadavg()[0],
        }
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
