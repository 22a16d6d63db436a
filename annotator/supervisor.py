"""The supervisor: one small process that starts the others, restarts those that die, and ends them all.

Standard library only; it never imports Django, so it stays small and cannot die of the application's faults.
One thread, one loop; its events are children's output and deaths, requests on a UNIX socket, and timers.

    web      HTTP and sockets, on a listening socket that the supervisor keeps across restarts
    io       worker of the io lane: imports, comparison, releases
    model    worker of the model lane, niced; only when torch can be imported
    assist   started by the first request for it, ends by itself when idle
    install  once, in the background, when the model packages are not there yet

Two supervisors never share a data folder (a lock file that the kernel frees on kill). When the supervisor is
killed with -9 the kernel sends each child SIGTERM (PR_SET_PDEATHSIG; Linux only, elsewhere they stay).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import importlib.util
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

TERM_WAIT_S = 8.0  # between SIGTERM and SIGKILL
STEADY_S = 5.0  # a child that lived this long and was killed is restarted at once
STEADY_ERROR_S = 60.0  # one that ended by itself: a slow import before the same error again is no steady life
PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # before the 1st, 2nd … restart in a row of short lives
LOG_BYTES = 8 * 2**20
LOG_FILES = 3
LIBC = ctypes.CDLL(None)


# ---------------------------------------------------------------- the control socket


@contextlib.contextmanager
def _address(folder: Path, name: str) -> Iterator[str]:
    """A path for a UNIX socket; a long one goes through /proc, since the kernel takes 107 bytes."""
    path = str(folder / name)
    if len(os.fsencode(path)) < 100:
        yield path
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}/{name}"
    finally:
        os.close(fd)


def ask(data: str | Path, command: str, *, timeout_s: float = 2.0) -> dict[str, Any]:
    """Send one command ("status", "assist", "stop") to the supervisor of a data folder.

    Answers its dict, or {"error": ...} when none answers: callers show that nothing supervises here.
    """
    try:
        with socket.socket(socket.AF_UNIX) as client, _address(Path(data) / "run", "supervisor.sock") as path:
            client.settimeout(timeout_s)
            client.connect(path)
            client.sendall(json.dumps({"command": command}).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = client.recv(65536)
                if not part:
                    break
                answer += part
        found = json.loads(answer)
        return found if isinstance(found, dict) else {"error": "bad answer"}
    except (OSError, ValueError) as error:
        return {"error": f"no supervisor answers: {error}"}


# ---------------------------------------------------------------- one supervisor a data folder


def lock_folder(data: Path) -> IO[str]:
    """Hold the data folder until the returned file is closed; the kernel frees it when the holder is killed.

    Raises SystemExit with a sentence when another process holds it.
    """
    for folder in (data, data / "run", data / "logs"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = open(data / "run" / "supervisor.lock", "a+")  # noqa: SIM115  (the caller's to close)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        try:
            state = json.loads((data / "run" / "state.json").read_text())
            where = f" at {state['url']} (process {state['supervisor']['pid']})" if state["url"] else ""
        except (OSError, ValueError, KeyError):
            where = ""
        raise SystemExit(f"Concord already runs on {data}{where}; --data names another folder") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


# ---------------------------------------------------------------- children


class Log:
    """One child's log file: lines with a time, turned over at LOG_BYTES, LOG_FILES kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = open(path, "ab", buffering=0)  # noqa: SIM115  (kept open for the child's life)

    def write(self, line: bytes) -> None:
        try:
            if self.file.tell() > LOG_BYTES:
                self.file.close()
                for number in range(LOG_FILES - 1, 0, -1):
                    older = self.path.with_suffix(f".{number}.log")
                    newer = self.path.with_suffix(f".{number - 1}.log") if number > 1 else self.path
                    if newer.exists():
                        newer.replace(older)
                self.file = open(self.path, "ab", buffering=0)  # noqa: SIM115
            self.file.write(time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime()).encode() + line + b"\n")
        except OSError:
            pass  # a full disk must not take the supervisor down; the children meet it themselves and say so


@dataclass
class Child:
    """One kind of process: how it is started, and what became of it."""

    name: str
    command: list[str]
    nice: int = 0
    on_demand: bool = False  # exit 0 is its own wish and is not followed by a restart
    once: bool = False  # never restarted
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    state: str = "stopped"  # stopped, running, waiting (for its restart), done, failed
    started: float = 0.0
    since: float = 0.0  # wall clock, for people
    starts: int = 0
    short_lives: int = 0
    restart_at: float | None = None
    last_exit: int | None = None
    kill_at: float | None = None
    partial: bytes = b""
    tail: list[str] = field(default_factory=list)

    def described(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "pid": self.process.pid if self.process else None,
            "restarts": max(0, self.starts - 1),
            "since": self.since,
            "last_exit": self.last_exit,
        }


class Supervisor:
    """Owns a data folder's processes from start to stop. `run()` returns the exit status."""

    def __init__(
        self,
        data: Path,
        root: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 8400,
        port_is_wish: bool = True,
        model: bool = True,
        install: list[str] | None = None,
        manage: list[str] | None = None,
        assist: list[str] | None = None,
        serve: list[str] | None = None,
        verbose: bool = False,
        on_ready: Callable[[str], None] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.data, self.root, self.say, self.on_ready, self.verbose = data, root, say, on_ready, verbose
        self.host, self.port, self.port_is_wish = host, port, port_is_wish
        self.model_wanted, self.install = model, install
        self.models = "off" if not model else "installing" if install else "ready"
        self.run_folder, self.logs = data / "run", data / "logs"
        self.selector = selectors.DefaultSelector()
        self.children: dict[str, Child] = {}
        self.log_files: dict[str, Log] = {}
        self.stopping = False
        self.stop_signals = 0
        self.exit_code = 0
        self.url = ""
        self.ready = False
        self.began = time.time()
        self.manage = manage or [sys.executable, "-m", "annotator.cli", "manage"]
        self.assist = assist or []
        self.serve = serve or [sys.executable, "-m", "annotator.serve"]
        self.lock_file: IO[str] | None = None
        self.listener: socket.socket | None = None
        self.control: socket.socket | None = None
        self.probe: socket.socket | None = None
        self.probed = 0.0

    # -- what must be ours before anything starts

    def take_lock(self) -> None:
        self.lock_file = lock_folder(self.data)

    def open_listener(self) -> None:
        """Bind the port; a wished port that is taken gives way to the next free one, a named one does not."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        tries = range(self.port, self.port + 20) if self.port_is_wish and self.port else [self.port]
        for number in tries:
            listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((self.host, number))
                listener.listen(2048)
            except OSError as error:
                listener.close()
                if error.errno != errno.EADDRINUSE:
                    raise SystemExit(
                        f"cannot listen on {self.host} port {number}: {error.strerror}"
                    ) from None
                if len(tries) == 1:
                    raise SystemExit(f"port {number} is taken; --port names another") from None
                continue
            if number != self.port and self.port:
                self.say(f"port {self.port} is taken, using {number}")
            self.port = listener.getsockname()[1]
            self.listener = listener
            shown = (
                "127.0.0.1" if self.host in ("0.0.0.0", "") else "[::1]" if self.host == "::" else self.host
            )
            shown = f"[{shown}]" if ":" in shown and not shown.startswith("[") else shown
            self.url = f"http://{shown}:{self.port}/"
            return
        raise SystemExit(f"ports {self.port} to {self.port + 19} are all taken; --port names another")

    def open_control(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.run_folder / "supervisor.sock")  # ours: the lock says that no other lives
        self.control = socket.socket(socket.AF_UNIX)
        old = os.umask(0o177)
        try:
            with _address(self.run_folder, "supervisor.sock") as path:
                self.control.bind(path)
        finally:
            os.umask(old)
        self.control.listen(16)
        self.control.setblocking(False)
        self.selector.register(self.control, selectors.EVENT_READ, self.answer_one)

    # -- children

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "CONCORD_DATA": str(self.data),
            "CONCORD_RUN": str(self.run_folder),
            "CONCORD_HOST": self.host,
            "CONCORD_PORT": str(self.port),
            "CONCORD_SUPERVISED": "1",
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "annotator.site.settings"),
            "PYTHONUNBUFFERED": "1",
        }

    def declare(self) -> None:
        assert self.listener is not None
        fd = self.listener.fileno()
        self.children = {
            child.name: child
            for child in (
                Child("web", [*self.serve, "--fd", str(fd)], pass_fds=(fd,)),
                Child("io", [*self.manage, "worker", "io"]),
                Child("model", [*self.manage, "worker", "model"], nice=10),
                Child("assist", self.assist, on_demand=True),
                Child("install", self.install or [], nice=5, once=True),
            )
        }

    def start(self, child: Child) -> None:
        parent = os.getpid()

        def in_child() -> None:
            # Between fork and exec: only system calls that were looked up before the fork.
            LIBC.prctl(1, signal.SIGTERM)
            if os.getppid() != parent:  # the supervisor died in between
                os._exit(1)
            if child.nice:
                os.nice(child.nice)

        child.restart_at = None
        child.starts += 1
        child.started, child.since = time.monotonic(), time.time()
        child.tail, child.partial = [], b""
        try:
            # A session of its own: Ctrl-C reaches the supervisor alone, which ends its children in order, and
            # a child's own children can be killed with it.
            child.process = subprocess.Popen(
                child.command,
                cwd=self.root,
                env=self.environment(),
                bufsize=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=child.pass_fds,
                preexec_fn=in_child,
            )
        except OSError as error:
            self.note(f"{child.name}: cannot start: {error}")
            child.short_lives += 1
            self.plan_restart(child)
            return
        child.state = "running"
        assert child.process.stdout is not None
        os.set_blocking(child.process.stdout.fileno(), False)
        self.selector.register(child.process.stdout, selectors.EVENT_READ, lambda: self.read_output(child))
        self.write_state()

    def read_output(self, child: Child) -> bool:
        """Move up to 64 KiB of what is there into the log; False when nothing is, now or ever."""
        pipe = child.process.stdout if child.process else None
        if pipe is None or pipe.closed:
            return False
        try:
            data = os.read(pipe.fileno(), 65536)
        except BlockingIOError:
            return False
        if not data:  # the end of file stays readable, so it must leave the selector
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(pipe)
        lines = (child.partial + data).split(b"\n")
        child.partial = lines.pop()
        if child.partial and (not data or len(child.partial) > 65536):
            lines.append(child.partial)
            child.partial = b""
        for line in lines:
            self.log(child.name, line)
            text = line.decode(errors="replace")
            child.tail = [*child.tail[-11:], text]
            if self.verbose or child.once:
                self.say(f"{child.name:8s}| {text}")
        return bool(data)

    def log(self, name: str, line: bytes) -> None:
        if name not in self.log_files:
            self.log_files[name] = Log(self.logs / f"{name}.log")
        self.log_files[name].write(line)

    def note(self, text: str) -> None:
        """For the operator: screen and log."""
        self.log("supervisor", text.encode())
        with contextlib.suppress(OSError):  # the terminal may be gone
            self.say(text)

    def reap(self) -> None:
        """Collect children that ended, and plan what follows."""
        for child in self.children.values():
            if child.process is None or child.process.poll() is None:
                continue
            code = child.process.returncode
            for _ in range(64):  # bounded: a grandchild may hold the pipe and go on writing
                if not self.read_output(child):
                    break
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(child.process.stdout)  # type: ignore[arg-type]
            if child.process.stdout:
                child.process.stdout.close()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)  # whatever it left behind
            lived = time.monotonic() - child.started
            child.process, child.last_exit, child.kill_at = None, code, None
            steady = STEADY_S if code < 0 else STEADY_ERROR_S
            child.short_lives = 0 if lived >= steady else child.short_lives + 1
            self.ended(child, code, lived)
            self.write_state()

    def ended(self, child: Child, code: int, lived: float) -> None:
        word = f"signal {-code}" if code < 0 else f"exit {code}"
        if self.stopping:
            child.state = "stopped"
            return
        if child.once:
            child.state = "done" if code == 0 else "failed"
            if child.name == "install":
                self.installed(code)
            return
        if child.on_demand and code == 0:
            child.state = "stopped"
            return
        self.note(f"{child.name} ended ({word}) after {lived:.1f} s")
        if child.short_lives and code > 0:
            for line in child.tail:
                self.say(f"{child.name:8s}| {line}")
        if child.on_demand:
            child.state = "failed"  # the next request starts it again
            return
        self.plan_restart(child)

    def plan_restart(self, child: Child) -> None:
        # The first end in a row is always followed by a start at once.
        pause = PAUSES_S[min(max(0, child.short_lives - 1), len(PAUSES_S) - 1)]
        child.state, child.restart_at = "waiting", time.monotonic() + pause
        if pause:
            self.note(f"{child.name} starts again in {pause:g} s (short life number {child.short_lives})")

    def installed(self, code: int) -> None:
        importlib.invalidate_caches()
        if code == 0 and self.torch_there():
            self.models = "ready"
            self.note(
                f"models are installed ({time.time() - self.began:.0f} s after the start); their worker joins"
            )
            self.start(self.children["model"])
        else:
            self.models = "failed"
            self.note(
                "the model packages could not be installed; everything else works. "
                f"The next start tries again; details: {self.logs / 'install.log'}"
            )

    @staticmethod
    def torch_there() -> bool:
        """Whether torch can be found, without importing it into this process."""
        return importlib.util.find_spec("torch") is not None

    def signal_child(self, child: Child, number: int) -> None:
        if child.process is not None:
            with contextlib.suppress(ProcessLookupError):
                if number == signal.SIGKILL:
                    os.killpg(child.process.pid, number)
                else:
                    child.process.send_signal(number)

    # -- requests

    def answer_one(self) -> None:
        assert self.control is not None
        try:
            client, _ = self.control.accept()
        except OSError:
            return
        with client:
            client.settimeout(0.5)  # a stuck client costs half a second, not the loop
            try:
                request = b""
                while b"\n" not in request and len(request) < 4096:
                    part = client.recv(4096)
                    if not part:
                        break
                    request += part
                parsed = json.loads(request)
                command = parsed.get("command") if isinstance(parsed, dict) else None
                client.sendall(json.dumps(self.obey(str(command))).encode() + b"\n")
            except (OSError, ValueError):
                return

    def obey(self, command: str) -> dict[str, Any]:
        if command == "status":
            return self.described()
        if command == "stop":
            self.stop("asked to stop")
            return {"ok": True}
        if command == "assist":
            child = self.children["assist"]
            if self.stopping or not child.command:
                return {"error": "stopping" if self.stopping else "there is no assist process here"}
            if child.process is None:
                if child.state == "failed" and time.monotonic() - child.started < 1.0:
                    return {"error": "assist ended at once; see its log"}
                self.start(child)
                return {"state": "starting"}
            return {"state": "running", "pid": child.process.pid}
        return {"error": f"unknown command {command!r}"}

    def described(self) -> dict[str, Any]:
        return {
            "format": 1,
            "supervisor": {"pid": os.getpid(), "since": self.began},
            "url": self.url,
            "ready": self.ready,
            "stopping": self.stopping,
            "models": self.models,
            "children": {
                name: child.described()
                for name, child in self.children.items()
                if child.command and (child.starts or not child.once)
            },
        }

    def write_state(self) -> None:
        """run/state.json, for pages and commands that only want to look. Never half a file."""
        part = self.run_folder / f".state.{os.getpid()}"
        try:
            part.write_text(json.dumps(self.described(), indent=1) + "\n")
            part.replace(self.run_folder / "state.json")
        except OSError as error:
            self.log("supervisor", f"cannot write state.json: {error}".encode())

    # -- the loop

    def stop(self, why: str) -> None:
        if self.stopping:
            return
        self.stopping = True
        self.note(f"stopping ({why})")
        for child in self.children.values():
            child.restart_at = None
            if child.process is not None:
                self.signal_child(child, signal.SIGTERM)
                child.kill_at = time.monotonic() + TERM_WAIT_S
            elif child.state == "waiting":
                child.state = "stopped"
        self.write_state()

    def on_signal(self, number: int, _: Any) -> None:
        self.stop_signals += 1
        if self.stop_signals == 1:
            self.stop(signal.Signals(number).name)
        else:  # a second Ctrl-C: no more waiting
            for child in self.children.values():
                self.signal_child(child, signal.SIGKILL)

    def send_probe(self) -> None:
        """GET /healthz without waiting: the answer is an event of the loop."""
        assert self.listener is not None
        host, port = self.listener.getsockname()[:2]
        probe = socket.socket(self.listener.family, socket.SOCK_STREAM)
        probe.settimeout(1.0)
        request = f"GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
        try:
            # Our own listening socket takes it at once, web process or not.
            probe.connect(({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port))
            probe.sendall(request.encode())
        except OSError:
            probe.close()
            return
        self.probe, self.probed = probe, time.monotonic()
        self.selector.register(probe, selectors.EVENT_READ, self.read_probe)

    def read_probe(self) -> None:
        assert self.probe is not None
        try:
            answer = self.probe.recv(64)
        except OSError:
            answer = b""
        self.drop_probe()
        if b" 200 " in answer:
            self.became_ready()

    def drop_probe(self) -> None:
        if self.probe is not None:
            with contextlib.suppress(KeyError, ValueError):
                self.selector.unregister(self.probe)
            self.probe.close()
            self.probe = None

    def tick(self) -> float:
        """Do what is due; return the seconds until the next thing is."""
        now = time.monotonic()
        due: list[float] = [now + 1.0]
        for child in self.children.values():
            if child.restart_at is not None and not self.stopping:
                if child.restart_at <= now:
                    self.start(child)
                else:
                    due.append(child.restart_at)
            if child.kill_at is not None and child.process is not None:
                if child.kill_at <= now:
                    self.note(f"{child.name} did not end in {TERM_WAIT_S:g} s; killing it")
                    self.signal_child(child, signal.SIGKILL)
                    child.kill_at = now + 1.0
                due.append(child.kill_at)
        return max(0.0, min(due) - time.monotonic())

    def await_web(self) -> None:
        """Ask until the web process answers for the first time; the loop goes on meanwhile."""
        if self.ready or self.stopping or self.children["web"].process is None:
            return
        now = time.monotonic()
        if self.probe is None and now - self.probed > 0.2:
            self.send_probe()
        elif self.probe is not None and now - self.probed > 10:  # its web process died with it in hand
            self.drop_probe()

    def became_ready(self) -> None:
        if self.ready:
            return
        self.ready = True
        self.write_state()
        if self.on_ready:
            self.on_ready(self.url)
        if self.install and not self.stopping:
            self.start(self.children["install"])

    def run(self) -> int:
        if self.lock_file is None:
            self.take_lock()
        self.open_listener()
        self.open_control()
        reader, writer = os.pipe()
        for end in (reader, writer):
            os.set_blocking(end, False)
        # Any signal, SIGCHLD too, writes a byte here and so wakes the loop.
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self.on_signal)
        signal.signal(signal.SIGINT, self.on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup stays respected
            signal.signal(signal.SIGHUP, self.on_signal)
        self.selector.register(reader, selectors.EVENT_READ, lambda: os.read(reader, 4096))
        self.declare()
        self.write_state()
        self.start(self.children["web"])
        self.start(self.children["io"])
        if self.models == "ready":
            if self.torch_there():
                self.start(self.children["model"])
            else:
                self.models = "failed"
                self.note("torch is not installed, so no model worker: models cannot be trained or run here")
        waited = self.began
        while not (self.stopping and all(child.process is None for child in self.children.values())):
            wait = self.tick()
            if not self.ready and not self.stopping:
                wait = min(wait, 0.15)
                if time.time() - waited > 60:
                    waited = time.time()
                    self.note(f"the web process does not answer yet; its log: {self.logs / 'web.log'}")
            for key, _ in self.selector.select(wait):
                key.data()
            self.reap()
            self.await_web()
        self.close()
        return self.exit_code

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        for name in ("supervisor.sock", "assist.sock"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.run_folder / name)
        if self.control:
            self.control.close()
        if self.listener:
            self.listener.close()
        self.write_state()
        self.note(f"stopped after {time.time() - self.began:.0f} s")
        self.selector.close()
        if self.lock_file:
            self.lock_file.close()
