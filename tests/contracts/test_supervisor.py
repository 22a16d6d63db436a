"""The supervisor with toy children: restarts, one a data folder, clean ends, no orphans, assist on demand."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from annotator.supervisor import LOG_FILES, Log, ask

ROOT = Path(__file__).resolve().parents[2]

# One toy plays every part: it answers /healthz as web, and as worker does what a file in its folder says.
TOY = """
import os, signal, socket, sys, time
from pathlib import Path
name = sys.argv[1] if sys.argv[1] != "worker" else sys.argv[2]
orders = Path(os.environ["CONCORD_DATA"]) / f"order-{name}"
if orders.exists() and orders.read_text() == "crash":
    print(f"{name} falls over"); sys.exit(7)
if orders.exists() and orders.read_text() == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(f"{name} is up", flush=True)
if name == "--fd":
    listener = socket.socket(fileno=int(sys.argv[2]))
    while True:
        client, _ = listener.accept()
        client.recv(4096)
        client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
        client.close()
if orders.exists() and orders.read_text() == "idle":
    time.sleep(0.2); sys.exit(0)
if orders.exists() and orders.read_text() == "family":
    if os.fork() == 0:
        (orders.parent / "grandchild").write_text(str(os.getpid()))
        time.sleep(600)
time.sleep(600)
"""

DRIVER = """
import sys
from pathlib import Path
from annotator import supervisor
supervisor.TERM_WAIT_S = 1.0
data, port, wish, install = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "wish", sys.argv[4:]
toy = [sys.executable, str(data / "toy.py")]
one = supervisor.Supervisor(
    data, data, port=port, port_is_wish=wish, model=bool(install), install=install or None,
    manage=toy, serve=toy, assist=[*toy, "assist"], on_ready=lambda url: print("READY", url, flush=True),
    say=lambda text: print(text, flush=True))
one.torch_there = lambda: True
sys.exit(one.run())
"""


def wait_for(what: Callable[[], Any], seconds: float = 10.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.03)
    raise AssertionError("waited in vain")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Started:
    """A supervisor in a process of its own."""

    def __init__(
        self, data: Path, port: int = 0, wish: str = "named", install: list[str] | None = None
    ) -> None:
        self.data = data
        (data / "toy.py").write_text(textwrap.dedent(TOY))
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(data), str(port), wish, *(install or [])],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.lines: list[str] = []

    def until(self, word: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if word in line:
                return line.rstrip()
        raise AssertionError(f"{word!r} never came: {self.lines}")

    def state(self) -> dict[str, Any]:
        return ask(self.data, "status")

    def pid(self, name: str) -> int | None:
        found = self.state()["children"].get(name, {}).get("pid")
        return int(found) if found else None

    def end(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=20)
        return self.process.returncode, "\n".join(self.lines) + rest


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    begun: list[Started] = []

    def call(**given: Any) -> Started:
        begun.append(Started(given.pop("data", tmp_path), **given))
        return begun[-1]

    yield call
    for one in begun:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate(timeout=20)


def test_it_says_ready_and_stops_cleanly_on_ctrl_c(begin: Callable[..., Started], tmp_path: Path) -> None:
    one = begin()
    url = one.until("READY").split()[1]
    assert url.startswith("http://127.0.0.1:")
    pids = [pid for name in ("web", "io") if (pid := one.pid(name))]
    assert len(pids) == 2
    wait_for(lambda: (tmp_path / "logs" / "io.log").exists())
    state = json.loads((tmp_path / "run" / "state.json").read_text())
    assert state["url"] == url and state["ready"] and state["children"]["web"]["state"] == "running"
    one.process.send_signal(signal.SIGINT)
    assert one.process.wait(timeout=10) == 0
    assert not any(alive(pid) for pid in pids)
    assert json.loads((tmp_path / "run" / "state.json").read_text())["children"]["web"]["state"] == "stopped"
    assert ask(tmp_path, "status")["error"]
    assert "io is up" in (tmp_path / "logs" / "io.log").read_text()


def test_a_killed_child_comes_back_and_connections_wait_for_it(begin: Callable[..., Started]) -> None:
    one = begin()
    url = one.until("READY").split()[1]
    for name in ("web", "io"):
        before = one.pid(name)
        assert before
        os.kill(before, signal.SIGKILL)
        wait_for(lambda before=before: not alive(before))
        if name == "web":  # not refused: the supervisor holds the listening socket
            port = int(url.rstrip("/").rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                client.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
                assert b" 200 " in client.recv(64)
        wait_for(lambda name=name, before=before: one.pid(name) not in (None, before))
        assert one.state()["children"][name]["restarts"] == 1
    assert one.end()[0] == 0


def test_two_supervisors_never_share_a_data_folder(begin: Callable[..., Started], tmp_path: Path) -> None:
    one = begin()
    one.until("READY")
    second = begin(data=tmp_path)
    output, _ = second.process.communicate(timeout=20)
    assert second.process.returncode == 1
    assert f"already runs on {tmp_path} at http://" in output
    assert one.state()["ready"]


def test_children_of_a_killed_supervisor_end_and_the_folder_is_free(begin: Callable[..., Started]) -> None:
    one = begin()
    one.until("READY")
    pids = [pid for name in ("web", "io") if (pid := one.pid(name))]
    one.process.kill()
    one.process.wait()
    wait_for(lambda: not any(alive(pid) for pid in pids))
    second = begin(data=one.data)
    second.until("READY")
    assert second.end()[0] == 0


def test_a_child_deaf_to_sigterm_and_its_own_children_are_killed(
    begin: Callable[..., Started], tmp_path: Path
) -> None:
    (tmp_path / "order-io").write_text("family")
    one = begin()
    one.until("READY")
    grandchild = int(
        wait_for(lambda: (tmp_path / "grandchild").exists() and (tmp_path / "grandchild").read_text())
    )
    (tmp_path / "order-web").write_text("")
    assert alive(grandchild)
    code, _ = one.end()
    assert code == 0
    wait_for(lambda: not alive(grandchild))

    (tmp_path / "order-io").write_text("deaf")
    two = begin(data=tmp_path)
    two.until("READY")
    wait_for(lambda: (tmp_path / "logs" / "io.log").read_text().count("io is up") == 2)
    pid = two.pid("io")
    code, output = two.end()
    assert code == 0 and "io did not end" in output
    assert pid and not alive(pid)


def test_a_child_that_falls_over_at_once_is_started_with_growing_pauses(
    begin: Callable[..., Started], tmp_path: Path
) -> None:
    (tmp_path / "order-io").write_text("crash")
    one = begin()
    one.until("short life number 3")
    assert any("io falls over" in line for line in one.lines), "the last words are shown"
    assert any("starts again in 0.5 s" in line for line in one.lines)
    assert one.state()["children"]["web"]["state"] == "running"
    (tmp_path / "order-io").unlink()
    wait_for(lambda: one.pid("io") and one.state()["children"]["io"]["state"] == "running")
    assert one.end()[0] == 0


def test_assist_starts_when_asked_and_ends_by_itself(begin: Callable[..., Started], tmp_path: Path) -> None:
    one = begin()
    one.until("READY")
    assert one.pid("assist") is None
    assert ask(tmp_path, "assist") == {"state": "starting"}
    first = wait_for(lambda: one.pid("assist"))
    assert ask(tmp_path, "assist") == {"state": "running", "pid": first}
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: one.pid("assist") is None)
    (tmp_path / "order-assist").write_text("idle")
    time.sleep(1.0)  # it is not brought back by itself, and a start right after a fall is refused
    assert one.pid("assist") is None
    assert ask(tmp_path, "assist") == {"state": "starting"}
    wait_for(lambda: one.state()["children"]["assist"]["state"] == "stopped")
    assert ask(tmp_path, "nonsense")["error"]
    assert one.end()[0] == 0


def test_a_wished_port_gives_way_and_a_named_one_does_not(
    begin: Callable[..., Started], tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        named = begin(port=port)
        output, _ = named.process.communicate(timeout=20)
        assert named.process.returncode == 1 and f"port {port} is taken" in output
        one = begin(port=port, wish="wish")
        url = one.until("READY").split()[1]
        assert int(url.rstrip("/").rpartition(":")[2]) > port
        assert any(f"port {port} is taken, using" in line for line in one.lines)
        assert one.end()[0] == 0


def test_the_model_worker_joins_after_the_installation(begin: Callable[..., Started], tmp_path: Path) -> None:
    code = "import time; print('fetching', flush=True); time.sleep(0.4)"
    one = begin(install=[sys.executable, "-c", code])
    one.until("READY")
    assert one.state()["models"] == "installing" and one.pid("model") is None
    one.until("models are installed")
    assert one.pid("model") and one.state()["models"] == "ready"
    assert os.getpriority(os.PRIO_PROCESS, one.pid("model") or 0) >= 10
    assert one.end()[0] == 0


def test_a_failed_installation_is_said_and_the_rest_runs(begin: Callable[..., Started]) -> None:
    one = begin(install=[sys.executable, "-c", "raise SystemExit('no such package')"])
    one.until("could not be installed")
    assert one.state()["models"] == "failed" and one.pid("web") and one.pid("model") is None
    assert one.end()[0] == 0


def test_a_data_folder_with_a_long_name(begin: Callable[..., Started], tmp_path: Path) -> None:
    data = tmp_path / ("d" * 90) / ("e" * 90)
    data.mkdir(parents=True)
    one = begin(data=data)
    one.until("READY")
    assert one.state()["ready"]
    assert one.end()[0] == 0


def test_logs_turn_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotator.supervisor.LOG_BYTES", 1000)
    log = Log(tmp_path / "io.log")
    for number in range(200):
        log.write(f"line {number}".encode())
    log.file.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == sorted(["io.log", *(f"io.{number}.log" for number in range(1, LOG_FILES))])
    assert "line 199" in (tmp_path / "io.log").read_text()
    assert all(path.stat().st_size < 1100 for path in tmp_path.iterdir())
