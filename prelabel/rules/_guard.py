"""Runs people's regular expressions in a child process: one that backtracks for ever is killed, not waited
for.

Standard library only. Refused alternative: a signal in this process works only in the main thread and not in
every step of
the matcher. The child knows no files of the project and gets its work through a pipe.
"""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from types import TracebackType

from annotator.core.errors import Invalid

MAX_PATTERNS = 200
MAX_MATCHES = 20_000
START_S = 10.0
MAX_STOPS = 20
"""After so many killed children in one run the rest of the run says too_slow at once."""

_CHILD = r"""
import json, re, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
except Exception:
    pass
head = json.loads(sys.stdin.readline())
flags = re.IGNORECASE if head["ignore_case"] else 0
compiled = [(label, re.compile(pattern, flags)) for label, pattern in head["patterns"]]
print("ready", flush=True)
for line in sys.stdin:
    text = json.loads(line)
    found, over = [], 0
    for label, pattern in compiled:
        for match in pattern.finditer(text):
            name = "span" if "span" in pattern.groupindex and match.start("span") >= 0 else 0
            start, end = match.span(name)
            if start == end:
                continue
            if len(found) >= head["limit"]:
                over += 1
            else:
                found.append((start, end, label))
    print(json.dumps([found, over]), flush=True)
"""


def _(text: str) -> str:
    return text


class PatternTimeout(Exception):
    """The text took longer than allowed; the child was killed."""


def check_patterns(patterns: Sequence[tuple[str, str]]) -> None:
    """Refuses expressions that do not compile, with the line's place."""
    if len(patterns) > MAX_PATTERNS:
        raise Invalid(
            "too_many_patterns", _("There are too many expressions."), field="patterns", limit=MAX_PATTERNS
        )
    for label, pattern in patterns:
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise Invalid(
                "bad_pattern",
                _("This regular expression cannot be read."),
                field="patterns",
                place=label,
                pattern=pattern,
                detail=str(error),
            ) from error


class Guard:
    """One child for a run; restarted after it had to be killed."""

    def __init__(self, patterns: Sequence[tuple[str, str]], *, ignore_case: bool, limit_s: float) -> None:
        self._head = {"patterns": list(patterns), "ignore_case": ignore_case, "limit": MAX_MATCHES}
        self._limit_s = limit_s
        self._child: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._stops = 0

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def matches(self, text: str) -> tuple[list[tuple[int, int, str]], int]:
        """(start, end, label) of every match and how many were over the limit; PatternTimeout when it took
        too long."""
        if self._stops >= MAX_STOPS:
            raise PatternTimeout
        if self._child is None:
            self._start()
        try:
            answer = self._ask(json.dumps(text).encode() + b"\n", self._limit_s)
        except (PatternTimeout, OSError) as error:
            self._stops += 1
            self._stop()
            raise PatternTimeout from error
        found, over = json.loads(answer)
        return [(start, end, label) for start, end, label in found], over

    def _start(self) -> None:
        self._rest = b""
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )
        assert self._child.stdout is not None and self._child.stdin is not None
        os.set_blocking(self._child.stdout.fileno(), False)
        os.set_blocking(self._child.stdin.fileno(), False)
        self._ask(json.dumps(self._head).encode() + b"\n", START_S)

    def _ask(self, message: bytes, limit_s: float) -> bytes:
        child = self._child
        assert child is not None and child.stdout is not None and child.stdin is not None
        end = time.monotonic() + limit_s
        out, into = child.stdout.fileno(), child.stdin.fileno()
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise PatternTimeout
            readable, writable, _x = select.select([out], [into] if message else [], [], left)
            if writable:
                message = message[os.write(into, message[:65536]) :]
            if readable:
                piece = os.read(out, 1 << 16)
                if not piece:
                    raise PatternTimeout
                self._rest += piece
                line, newline, rest = self._rest.partition(b"\n")
                if newline and not message:
                    self._rest = rest
                    return line

    def _stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    pipe.close()
            self._child = None
