#!/usr/bin/env python3
"""Concord's one command: makes its own environment, builds, migrates, starts, tests.

    python3 concord.py run          everything under one supervisor; prints the address and the demo accounts
    python3 concord.py test         lint, types, contracts and tests; `test-all` adds the long ones
    python3 concord.py help         the other verbs

Standard library only: it runs before anything is installed. It writes into the checkout only what git ignores
(.venv, node_modules, built bundles, compiled catalogues); data go to the data folder (--data, CONCORD_DATA).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "concord"
START = time.monotonic()
CORES = os.cpu_count() or 1

# What is installed for what. Each lock is written by `python3 concord.py lock` from pyproject.toml.
GROUPS = {
    "base": ["requirements.lock", "requirements-build.lock"],
    "test": ["requirements-test.lock"],
    "model": ["requirements-model.lock"],
}
FRONT_END = ["static/workbench", "package.json", "package-lock.json", "tsconfig.json"]
GENERATED = ("static/workbench/src/generated",)


class Stop(Exception):
    """Ends the command with a text for a person; `code` is the exit status."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def say(text: str) -> None:
    """One progress line with the seconds since the command was typed."""
    print(f"[{time.monotonic() - START:6.1f} s] {text}", flush=True)


# ---------------------------------------------------------------- processes


LIBC = ctypes.CDLL(None)  # loaded once here: between fork and exec nothing may be loaded


def die_with_parent() -> None:
    """In a new child: ask the kernel for SIGTERM when the parent dies, so that kill -9 leaves no orphan."""
    with contextlib.suppress(OSError, AttributeError):  # not Linux: the parent's own clean-up must do
        LIBC.prctl(1, signal.SIGTERM)


def run_quietly(command: Sequence[str | Path], what: str, *, env: dict[str, str] | None = None) -> str:
    """Run to the end; its output is shown only if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=env or dict(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=die_with_parent,
    )
    if done.returncode:
        tail = "\n".join("    " + line for line in done.stdout.splitlines()[-25:])
        raise Stop(f"{what} failed (exit {done.returncode}):\n{tail}")
    return done.stdout


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One installer at a time in this checkout: the background install and a second command wait in turn."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    with open(STAMPS / "install.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another install in this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---------------------------------------------------------------- the environment


def digest_of(paths: Sequence[str | Path]) -> str:
    """SHA-256 over names and contents of files and folders in a fixed order, less the generated ones."""
    state = hashlib.sha256()
    for name in paths:
        top = ROOT / name
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for file in files:
            relative = file.relative_to(ROOT).as_posix()
            if file.is_file() and not relative.startswith(GENERATED):
                state.update(relative.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return state.hexdigest()


def stamped(name: str, value: str) -> bool:
    try:
        return (STAMPS / name).read_text() == value
    except OSError:
        return False


def stamp(name: str, value: str) -> None:
    STAMPS.mkdir(parents=True, exist_ok=True)
    part = STAMPS / f".{name}.{os.getpid()}"
    part.write_text(value)
    part.replace(STAMPS / name)


def base_python() -> str:
    """The interpreter outside any virtual environment, whose pip is used."""
    return getattr(sys, "_base_executable", "") or sys.executable


def pip_command() -> list[str]:
    """A pip that can install into another environment (`pip --python`, since pip 22.3)."""
    candidates: list[list[str]] = [[base_python(), "-m", "pip"], [sys.executable, "-m", "pip"]]
    candidates += [[where] for name in ("pip3", "pip") if (where := shutil.which(name))]
    if other := shutil.which("python3"):
        candidates.append([other, "-m", "pip"])
    too_old = ""
    for command in candidates:
        try:
            found = subprocess.run(
                [*command, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
            )
        except OSError:
            continue
        match = re.match(r"pip (\d+)\.(\d+)", found.stdout)
        if found.returncode == 0 and match:
            if (int(match[1]), int(match[2])) >= (22, 3):
                return command
            too_old = found.stdout.strip()
    if too_old:
        raise Stop(
            f"found only {too_old}; Concord needs pip 22.3 or newer: python3 -m pip install --upgrade pip"
        )
    raise Stop("no pip was found. Install it (on Debian and Ubuntu: apt install python3-pip) and start again")


def pip_install(arguments: Sequence[str], what: str) -> None:
    run_quietly(
        [
            *pip_command(),
            "--python",
            PYTHON,
            "install",
            "--quiet",
            "--no-compile",
            "--disable-pip-version-check",
            *arguments,
        ],
        what,
    )


def pip_index() -> str:
    """The index that this machine's pip is told to use: uv does not read pip's settings."""
    try:
        listed = run_quietly([*pip_command(), "config", "list"], "pip config")
    except Stop:
        return ""
    found = dict(re.findall(r"^(?:global|install|:env:)\.(index-url)='?([^'\n]+)'?", listed, re.M))
    return found.get("index-url", "")


def make_venv() -> None:
    if PYTHON.exists():
        alive = subprocess.run([PYTHON, "-c", "import sys"], capture_output=True, check=False).returncode == 0
        if alive:
            return
        say("the environment's interpreter is gone; making it anew")
        shutil.rmtree(VENV)
    say(f"making the environment .venv (Python {sys.version.split()[0]})")
    # Without pip: Debian's python3 has no ensurepip, and the pip outside can install into it.
    run_quietly([base_python(), "-m", "venv", "--without-pip", VENV], "python3 -m venv --without-pip")


def locks_of(groups: Sequence[str]) -> list[str]:
    return [lock for group in groups for lock in GROUPS[group]]


def missing_groups(groups: Sequence[str]) -> list[str]:
    return [group for group in groups if not stamped(f"env-{group}", digest_of(locks_of([group])))]


def ensure_environment(groups: Sequence[str]) -> None:
    """Install what the named groups' locks say, unless their stamps say that it is there."""
    if PYTHON.exists() and not missing_groups(groups):
        return
    make_venv()
    with alone():
        wanted = missing_groups(groups)
        if not wanted:
            return
        if "model" in wanted:
            install_torch()
        began = time.monotonic()
        arguments = [part for lock in locks_of(wanted) for part in ("-r", lock)]
        install_locked(arguments, ", ".join(locks_of(wanted)))
        for group in wanted:
            stamp(f"env-{group}", digest_of(locks_of([group])))
        say(f"packages of {' + '.join(wanted)} are there ({time.monotonic() - began:.1f} s)")


def install_torch() -> None:
    """torch first and by pip: only pip reads where this machine keeps a CPU build of it.

    CONCORD_TORCH_INDEX names a further index (see the README); empty means pip's own settings.
    """
    lock = (ROOT / GROUPS["model"][0]).read_text()
    pinned = re.search(r"^torch==\S+", lock, re.M)
    if pinned is None:
        raise Stop(f"{GROUPS['model'][0]} does not pin torch")
    say(f"installing {pinned[0]} (large: 200 MB as a CPU build, several GB as the default build for Linux)")
    index = os.environ.get("CONCORD_TORCH_INDEX", "").strip()
    pip_install(["--extra-index-url", index, pinned[0]] if index else [pinned[0]], "installing torch")


def ensure_uv() -> Path:
    """The installer uv, in the version that pyproject.toml pins, brought by pip."""
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        pinned = re.search(r'"(uv==[^"]+)"', (ROOT / "pyproject.toml").read_text())
        pip_install([pinned[1] if pinned else "uv"], "installing uv")
    return uv


def install_locked(arguments: Sequence[str], what: str) -> None:
    """uv where it works (several times faster), else pip; both read the same locks."""
    environment = dict(os.environ)
    if not (environment.get("UV_DEFAULT_INDEX") or environment.get("UV_INDEX_URL")):
        index = pip_index()
        if index:
            environment["UV_DEFAULT_INDEX"] = index
    try:
        uv = ensure_uv()
        say(f"installing {what}")
        run_quietly([uv, "pip", "install", "--quiet", "--python", PYTHON, *arguments], "uv", env=environment)
    except Stop as error:
        say(f"uv could not do it, so pip does (slower): {str(error).splitlines()[-1].strip()}")
        pip_install(arguments, f"installing {what}")


def python_environment(**more: str) -> dict[str, str]:
    """What every process of the project gets: the environment's programs first, no stray PYTHON settings."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    environment["PATH"] = f"{VENV / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    environment["VIRTUAL_ENV"] = str(VENV)
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        # No bytecode beside sources, as asked: it goes into the environment's folder. Without any, each process
        # would compile thousands of modules again, which is seconds of its start.
        environment["PYTHONPYCACHEPREFIX"] = str(VENV / "bytecode")
    environment.update(more)
    return environment


# ---------------------------------------------------------------- builds


def ensure_node_packages() -> None:
    value = digest_of(["package.json", "package-lock.json"])
    if stamped("npm", value) and (ROOT / "node_modules").is_dir():
        return
    began = time.monotonic()
    run_quietly(
        [VENV / "bin" / "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        "npm ci",
        env=python_environment(),
    )
    stamp("npm", value)
    say(f"front-end packages are there ({time.monotonic() - began:.1f} s)")


def ensure_front_end() -> None:
    value = digest_of(FRONT_END)
    if stamped("front-end", value) and any((ROOT / "static" / "dist").glob("*.js")):
        return
    ensure_node_packages()
    began = time.monotonic()
    run_quietly(
        [VENV / "bin" / "node", "static/workbench/build.mjs"], "the front-end build", env=python_environment()
    )
    stamp("front-end", value)
    say(f"workbench built ({time.monotonic() - began:.1f} s)")


def ensure_catalogues() -> None:
    """Compile .po to .mo with Babel, since Django's own command needs a system package."""
    sources = sorted((ROOT / "annotator" / "locale").rglob("*.po"))
    stale = [
        po
        for po in sources
        if not po.with_suffix(".mo").exists() or po.with_suffix(".mo").stat().st_mtime < po.stat().st_mtime
    ]
    if stale:
        run_quietly(
            [PYTHON, "-m", "annotator.catalogue", "compile"],
            "compiling the translations",
            env=python_environment(),
        )


def in_parallel(*parts: Callable[[], None]) -> None:
    """Run the parts in threads (each waits for a process); the first failure is raised after all ended."""
    failures: list[BaseException] = []

    def guarded(part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as error:  # handed to the caller below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


# ---------------------------------------------------------------- verbs


def verb_run(arguments: list[str]) -> int:
    """Start everything; the options are those of `annotator.cli run`."""
    if {"-h", "--help"} & set(arguments):
        return verb_help([])
    parser = argparse.ArgumentParser(prog="concord.py run", add_help=False)
    parser.add_argument("--no-model", action="store_true")
    parser.add_argument("--no-demo", action="store_true")
    parser.add_argument("--production", action="store_true")
    parser.add_argument("--data")
    known, _ = parser.parse_known_args(arguments)
    environment = python_environment(CONCORD_STARTED=repr(time.time() - (time.monotonic() - START)))
    if known.data:
        environment["CONCORD_DATA"] = os.path.abspath(os.path.expanduser(known.data))
    if known.production:
        environment["CONCORD_PRODUCTION"] = "1"
    ensure_environment(["base"])

    def database() -> None:
        """Beside the front-end build: one waits for packages, the other computes."""
        ensure_catalogues()
        demo = ["--no-demo"] if known.no_demo or known.production else []
        done = subprocess.run(
            [PYTHON, "-m", "annotator.cli", "prepare", *demo],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
            check=False,
        )
        if done.returncode:
            raise Stop("the data folder could not be prepared", done.returncode)

    in_parallel(ensure_front_end, database)
    install = [] if known.no_model or not missing_groups(["model"]) else ["--install-model", base_python()]
    os.chdir(ROOT)
    sys.stdout.flush()
    command = [str(PYTHON), "-m", "annotator.cli", "run", "--prepared", *install, *arguments]
    os.execve(PYTHON, command, environment)


def verb_env(arguments: list[str]) -> int:
    """Install groups (base, test, model), then end."""
    groups = arguments or ["base"]
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise Stop(f"unknown group {unknown[0]!r}; there are {', '.join(GROUPS)}", 2)
    ensure_environment(groups)
    return 0


def verb_build(arguments: list[str]) -> int:
    """Environment, bundles, translations."""
    ensure_environment(["base"])
    in_parallel(ensure_front_end, ensure_catalogues)
    return 0


def verb_lock(arguments: list[str]) -> int:
    """Write the lock files from pyproject.toml; with --upgrade also what the pins leave open."""
    make_venv()  # and nothing else: there may be no lock yet
    uv = ensure_uv()
    common: list[str | Path] = [
        uv,
        "pip",
        "compile",
        "pyproject.toml",
        "--universal",
        "--python-version",
        "3.11",
        "--no-header",
        "--no-annotate",
        "--quiet",
        *(["--upgrade"] if "--upgrade" in arguments else []),
    ]
    # Which CUDA packages torch wants depends on the build that a machine gets; its own metadata names them.
    foreign = re.compile(r"^(nvidia-|cuda-|triton==)")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base.lock"
        seed = ROOT / "requirements.lock"
        if seed.exists() and "--upgrade" not in arguments:
            shutil.copy(seed, base)
        run_quietly([*common, "-o", base], "uv pip compile")
        seed.write_text(base.read_text())
        known = set(base.read_text().splitlines())
        limits = Path(folder) / "limits.txt"
        limits.write_text(base.read_text())
        for extra in ("build", "test", "model"):
            lock, target = ROOT / f"requirements-{extra}.lock", Path(folder) / f"{extra}.lock"
            if lock.exists() and "--upgrade" not in arguments:  # what is locked stays, where it still fits
                target.write_text(base.read_text() + lock.read_text().partition("\n")[2])
            run_quietly([*common, "--extra", extra, "-c", limits, "-o", target], "uv pip compile")
            added = [
                line
                for line in target.read_text().splitlines()
                if line not in known and not foreign.match(line)
            ]
            # Groups share one environment, so a later one may not disagree with an earlier one.
            limits.write_text(limits.read_text() + "\n".join(added) + "\n")
            lock.write_text("\n".join(["-r requirements.lock", *added]) + "\n")
    say("wrote requirements.lock and requirements-{build,test,model}.lock")
    return 0


def verb_passed_on(verb: str) -> Callable[[list[str]], int]:
    def call(arguments: list[str]) -> int:
        ensure_environment(["base"])
        if verb == "shots":  # drives a browser
            ensure_environment(["base", "test"])
            ensure_front_end()
        ensure_catalogues()
        os.chdir(ROOT)
        os.execve(PYTHON, [str(PYTHON), "-m", "annotator.cli", verb, *arguments], python_environment())

    return call


# ---------------------------------------------------------------- tests


class Tally:
    """Counts of all steps; a lint, type or contract step counts as one test."""

    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0
        self.reasons: dict[str, int] = {}
        self.broken: list[str] = []
        self.lock = threading.Lock()

    def add(self, passed: int, failed: int, skipped: int) -> None:
        with self.lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped

    def not_run(self, reason: str, count: int = 1) -> None:
        with self.lock:
            self.reasons[reason] = self.reasons.get(reason, 0) + count


def step(
    tally: Tally, name: str, command: Sequence[str | Path], environment: dict[str, str]
) -> tuple[int, str]:
    """Run one step; print its time, and its output if it failed."""
    began = time.monotonic()
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        preexec_fn=die_with_parent,
    )
    word = "ok" if done.returncode == 0 else f"FAILED (exit {done.returncode})"
    with tally.lock:
        say(f"{name}: {word}, {time.monotonic() - began:.1f} s")
        if done.returncode:
            tally.broken.append(name)
            print(done.stdout.rstrip(), flush=True)
    return done.returncode, done.stdout


def node_tests(tally: Tally, environment: dict[str, str]) -> None:
    tests = sorted(
        str(path.relative_to(ROOT)) for path in (ROOT / "static/workbench/test").rglob("*.test.ts")
    )
    if not tests:
        tally.not_run("workbench tests: no file under static/workbench/test")
        return
    code, output = step(
        tally,
        "workbench tests (node)",
        [VENV / "bin/node", "--test", "--test-reporter=tap", *tests],
        environment,
    )
    totals = re.findall(r"^# (pass|fail|cancelled|skipped|todo) (\d+)$", output, re.M)
    counts = {key: int(value) for key, value in totals}
    failed = counts.get("fail", 0) + counts.get("cancelled", 0)
    tally.add(
        counts.get("pass", 0), failed or int(code != 0), counts.get("skipped", 0) + counts.get("todo", 0)
    )
    for reason in re.findall(r"^\s*ok .* # SKIP ?(.*)$", output, re.M):
        tally.not_run(reason or "no reason given (node)")


def python_tests(tally: Tally, environment: dict[str, str], everything: bool, arguments: list[str]) -> None:
    """pytest, its output as it comes; counts and reasons from its report file."""
    with tempfile.TemporaryDirectory(prefix="concord-test-") as folder:
        report = Path(folder) / "report.xml"
        data = Path(folder) / "data"
        (data / "run").mkdir(parents=True)
        command = [
            PYTHON,
            "-m",
            "pytest",
            "-q",
            "-n",
            str(max(2, min(CORES, 8))),
            "--dist",
            "loadgroup",
            "--durations=12",
            "--durations-min=5",
            "--tb=short",
            f"--junitxml={report}",
            f"--basetemp={folder}/tmp",
            *([] if everything else ["-m", "not long"]),
            *arguments,
        ]
        began = time.monotonic()
        done = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**environment, "CONCORD_DATA": str(data)},
            preexec_fn=die_with_parent,
        )
        output = []
        assert done.stdout is not None
        for line in done.stdout:
            output.append(line)
            print(line, end="", flush=True)
        code = done.wait()
        say(f"pytest: {'ok' if code == 0 else f'FAILED (exit {code})'}, {time.monotonic() - began:.1f} s")
        if code:
            tally.broken.append("pytest")
        try:
            suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
        except (OSError, ElementTree.ParseError):
            tally.add(0, 1, 0)
            return
        counts = {
            key: sum(int(suite.get(key, 0)) for suite in suites)
            for key in ("tests", "failures", "errors", "skipped")
        }
        # A test that fails and whose tear-down fails too counts once as failed and once as error.
        failed = counts["failures"] + counts["errors"]
        passed = max(0, counts["tests"] - failed - counts["skipped"])
        tally.add(passed, failed or int(code not in (0,)), counts["skipped"])
        for suite in suites:
            for skipped in suite.iter("skipped"):
                tally.not_run(re.sub(r"^Skipped: ", "", skipped.get("message") or "no reason given"))
        if deselected := re.findall(r"(\d+) deselected", "".join(output[-5:])):
            tally.not_run("long: only in `python3 concord.py test-all`", int(deselected[-1]))


def verb_test(arguments: list[str], everything: bool = False) -> int:
    """Everything that can be checked here, one closing line."""
    ensure_environment(["base", "test"])
    in_parallel(ensure_front_end, ensure_catalogues)
    ensure_node_packages()  # the bundles may be there without the packages that check them
    no_torch = ""
    try:
        ensure_environment(["base", "test", "model"])
    except Stop as error:
        no_torch = str(error).splitlines()[-1].strip()
    environment = python_environment(PYTHONHASHSEED="random", NO_COLOR="1")
    # Which settings and which data folder the tests use is theirs to say (tests/settings.py).
    for name in ("DJANGO_SETTINGS_MODULE", *(name for name in environment if name.startswith("CONCORD_"))):
        if not name.startswith("CONCORD_TEST_"):
            environment.pop(name, None)
    environment.pop("FORCE_COLOR", None)
    tally = Tally()
    if no_torch:
        tally.not_run(f"torch is not installed, so what needs it is skipped: {no_torch}")
    if arguments:  # a hand-picked part: only pytest, its arguments as they are
        python_tests(tally, environment, everything, arguments)
    else:
        single: list[tuple[str, list[str | Path]]] = [
            ("lint (ruff)", [PYTHON, "-m", "ruff", "check", "--output-format=concise", "."]),
            ("import contracts (import-linter)", [VENV / "bin/lint-imports", "--no-cache"]),
            (
                "types (tsc)",
                [VENV / "bin/node", "node_modules/typescript/bin/tsc", "--noEmit", "-p", "tsconfig.json"],
            ),
            ("types (mypy)", [PYTHON, "-m", "mypy"]),
        ]
        data = tempfile.mkdtemp(prefix="concord-checks-")
        checks = {**environment, "CONCORD_DATA": data}

        def one(name: str, command: list[str | Path]) -> Callable[[], None]:
            def call() -> None:
                code, _ = step(tally, name, command, checks)
                tally.add(int(code == 0), int(code != 0), 0)

            return call

        *quick, types = [one(name, command) for name, command in single]

        def in_turn() -> None:
            for job in quick:
                job()
            node_tests(tally, checks)

        in_parallel(in_turn, types)  # two at a time; mypy is the longest
        shutil.rmtree(data, ignore_errors=True)
        python_tests(tally, environment, everything, [])
    if tally.reasons:
        print("\nNot run here:")
        for reason, count in sorted(tally.reasons.items(), key=lambda pair: (-pair[1], pair[0])):
            print(f"  {count:4d} x {reason}")
    if tally.broken:
        print("\nFailed: " + ", ".join(tally.broken))
    say(f"{'all checks' if everything else 'checks'} took {time.monotonic() - START:.0f} s on {CORES} cores")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped", flush=True)
    return 1 if tally.failed or tally.broken or not tally.passed else 0


def verb_help(arguments: list[str]) -> int:
    print(__doc__)
    print("Verbs:")
    for name, (_, line) in VERBS.items():
        print(f"  {name:10s} {line}")
    print("\nOptions of run: --port N --host H --data FOLDER --no-demo --no-model --production --verbose")
    return 0


VERBS: dict[str, tuple[Callable[[list[str]], int], str]] = {
    "run": (verb_run, "environment, build, database, demo projects, all processes; Ctrl-C stops"),
    "test": (verb_test, "lint, types, contracts, tests; one closing line (arguments go to pytest alone)"),
    "test-all": (lambda arguments: verb_test(arguments, True), "the same with the long tests"),
    "status": (verb_passed_on("status"), "what runs on the data folder"),
    "owner": (verb_passed_on("owner"), "make the first operator account, or one more"),
    "backup": (verb_passed_on("backup"), "database, files and keys into one archive"),
    "restore": (verb_passed_on("restore"), "the reverse, into an empty data folder"),
    "verify": (verb_passed_on("verify"), "recompute every event chain and compare the anchors"),
    "check": (verb_passed_on("check"), "Django's system checks"),
    "messages": (verb_passed_on("messages"), "collect the strings of all wings into the one catalogue"),
    "reference": (verb_passed_on("reference"), "write docs/reference from the code; --check only compares"),
    "shots": (verb_passed_on("shots"), "make the pictures of docs/images from a demo of its own"),
    "bench": (verb_passed_on("bench"), "run a script of bench/ by its name"),
    "manage": (verb_passed_on("manage"), "any management command of Django"),
    "env": (verb_env, "install groups of packages: base test model"),
    "build": (verb_build, "environment, workbench bundles, translations"),
    "lock": (verb_lock, "write the lock files from pyproject.toml"),
    "help": (verb_help, "this text"),
}


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036  (it is typed with whatever python3 is there)
        raise Stop(f"Concord needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    arguments = sys.argv[1:]
    name = arguments[0] if arguments else "help"
    if name in ("-h", "--help"):
        name = "help"
    if name not in VERBS:
        raise Stop(f"unknown verb {name!r}; `python3 concord.py help` lists them", 2)
    return VERBS[name][0](arguments[1:])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stop as stop:
        say(f"stopped: {stop}")
        sys.exit(stop.code)
    except KeyboardInterrupt:
        print()
        say("interrupted")
        sys.exit(130)
