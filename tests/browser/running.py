"""The real command on a data folder of its own, for tests that look at Concord from outside.

The demo is made once and copied; a start on a copy is what a person does, nothing is patched inside it.
Imports nothing of Concord.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tests.template import RUN, lay

ROOT = Path(__file__).resolve().parents[2]

START_S = 120.0  # a busy machine, all processes at once
STOP_S = 20.0


def environment(data: Path, **more: str) -> dict[str, str]:
    """This process's, without its settings: the site must not know that it is tested."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CONCORD_") and name != "DJANGO_SETTINGS_MODULE"
    }
    return {**kept, "CONCORD_DATA": str(data), "CONCORD_FAST_PASSWORDS": "1", **more}


def make_demo(data: Path) -> None:
    """Database and demo in an empty folder; no process runs on it yet."""
    if RUN in os.environ:
        lay(data)
    done = subprocess.run(
        [sys.executable, "-m", "annotator.cli", "prepare"],
        cwd=ROOT,
        env=environment(data),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=START_S,
    )
    assert done.returncode == 0, f"the demo could not be made:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def demo_once(folder: Path) -> Path:
    """The demo made in `folder` by whoever of several test processes comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        data = folder / "data"
        if not (data / "demo-accounts.json").exists():
            shutil.rmtree(data, ignore_errors=True)
            make_demo(data)
    return data


def _end_with_parent() -> None:
    """A test run that is killed leaves no Concord behind (Linux; elsewhere it stays)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Site:
    """One running Concord. `fresh()` stops it, puts the demo back as it was made, and starts it again."""

    def __init__(self, template: Path, data: Path) -> None:
        self.template = template
        self.data = data
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        listed = json.loads((template / "demo-accounts.json").read_text())["accounts"]
        self.passwords = {one["username"]: one["password"] for one in listed}

    def fresh(self, **settings: str) -> None:
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        # Doorbells are pipes, made again by every start.
        shutil.copytree(self.template, self.data, ignore=shutil.ignore_patterns("bell-*"))
        self.start(**settings)

    def start(self, **settings: str) -> None:
        """The command itself on a free port, without the model worker."""
        self._output = open(self.data / "output.txt", "wb")  # noqa: SIM115 (closed by stop)
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "annotator.cli", "run"),
                *("--data", str(self.data), "--port", "0", "--no-model"),
            ],
            cwd=ROOT,
            env=environment(self.data, **settings),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            preexec_fn=_end_with_parent,
        )
        until = time.monotonic() + START_S
        while True:
            said = self.output()
            if "ready: " in said:
                self.url = said.partition("ready: ")[2].split()[0].rstrip("/")
                return
            assert self._process.poll() is None, f"Concord ended at its start:\n{said[-4000:]}"
            assert time.monotonic() < until, f"Concord was not ready after {START_S:.0f} s:\n{said[-4000:]}"
            time.sleep(0.1)

    def output(self) -> str:
        return (self.data / "output.txt").read_text("utf-8", "replace")

    def logs(self) -> str:
        """What the processes said: for the message of a failed test."""
        found = [file for file in sorted((self.data / "logs").glob("*.log")) if file.stat().st_size]
        return "\n".join(f"--- {file.name}\n{file.read_text('utf-8', 'replace')[-3000:]}" for file in found)

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert self._output is not None
        self._output.close()


@contextlib.contextmanager
def site_in(template: Path, data: Path) -> Iterator[Site]:
    """A site that is stopped whatever happens; it is not started yet."""
    site = Site(template, data)
    try:
        yield site
    finally:
        site.stop()
