"""Asks the assist process for one answer, for the holder of a live seat. Writes nothing.

The process is started on first use: by the supervisor, or from here when nothing supervises (tests,
development). The wait is
bounded by two seconds; after three waits in vain the tool is refused at once for a while, so that a process
that hangs
never holds the threads of the web.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from django.conf import settings

from annotator import blobs
from annotator.core.errors import Conflict, Invalid, NotFound, Unavailable
from annotator.core.times import iso
from annotator.models import Assignment, ItemAsset
from prelabel.core.local import address
from prelabel.tools import TOOLS

WAIT_S = 2.0
TRIES, PAUSE_S = 3, 15.0
ANSWER_BYTES = 16 * 2**20
_lock = threading.Lock()
_failed = 0
_closed_until = 0.0
_child: subprocess.Popen[bytes] | None = None


def assist(*, seat: Assignment, asset: str, tool: str, values: dict[str, Any], now: Any) -> dict[str, Any]:
    """{"region": {"shape", "geometry"}, …}. Raises Conflict for a seat that is over, NotFound for a foreign
    asset,
    Unavailable when the process does not answer in time."""
    if seat.state != "live" or seat.lease_until <= now:
        raise Conflict(
            "lease_lost",
            "This seat is no longer yours.",
            cure="Take the next task.",
            until=iso(seat.lease_until),
        )
    if tool not in TOOLS:
        raise Invalid(
            "unknown_tool",
            "There is no such tool.",
            field="tool",
            cure="Use one of: " + ", ".join(TOOLS.names()) + ".",
        )
    row = (
        ItemAsset.objects.filter(item_id=seat.task.item_id, asset__public_id=asset)
        .select_related("asset")
        .first()
    )
    if row is None:
        raise NotFound()
    if row.asset.kind != "image" or row.asset.state != "ready":
        raise Invalid("not_a_picture", "This tool works on pictures.", field="asset")
    said = ask({"tool": tool, "path": str(blobs.path(row.asset.sha256)), "values": values})
    if "error" in said:
        fault = said["error"]
        kept = {
            key: value
            for key, value in fault.items()
            if key not in ("code", "message", "field", "place", "cure")
        }
        raise Invalid(
            str(fault.get("code")),
            str(fault.get("message")),
            field=fault.get("field"),
            cure=fault.get("cure"),
            **kept,
        )
    result = said["result"]
    region = {"shape": result.pop("shape"), "geometry": result.pop("geometry")}
    return {"region": region, **result}


def ask(request: dict[str, Any], wait_s: float = WAIT_S) -> dict[str, Any]:
    """One answer of the process, started if need be. Raises Unavailable."""
    global _failed, _closed_until
    if time.monotonic() < _closed_until:
        raise _away(round(_closed_until - time.monotonic()) + 1)
    end = time.monotonic() + wait_s
    run = Path(settings.DATA) / "run"
    asked = False
    try:
        while True:
            try:
                return _once(run, request, end)
            except (FileNotFoundError, ConnectionRefusedError):
                if not asked:
                    _start()
                    asked = True
                if time.monotonic() + 0.05 >= end:
                    # Still starting is not a failure of the process: no step towards the pause.
                    raise Unavailable(
                        "assist_starting",
                        "The tool is starting.",
                        cure="Click again in a moment.",
                        retry_after=1,
                    ) from None
                time.sleep(0.05)
    except (OSError, ValueError) as error:
        with _lock:
            _failed += 1
            if _failed >= TRIES:
                _failed, _closed_until = 0, time.monotonic() + PAUSE_S
        raise _away(1) from error


def _away(retry_after: int) -> Unavailable:
    return Unavailable(
        "assist_away",
        "The tool did not answer in time.",
        cure="Draw by hand, or try again.",
        retry_after=retry_after,
    )


def _once(run: Path, request: dict[str, Any], end: float) -> dict[str, Any]:
    global _failed
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(max(0.01, end - time.monotonic()))
        with address(run, "assist.sock") as path:
            client.connect(path)
        client.sendall(json.dumps(request).encode() + b"\n")
        data = bytearray()
        while not data.endswith(b"\n"):
            client.settimeout(max(0.01, end - time.monotonic()))
            piece = client.recv(1 << 16)
            if not piece or len(data) > ANSWER_BYTES:
                raise ValueError("cut answer")
            data += piece
    said = json.loads(data)
    if not isinstance(said, dict) or not ("result" in said or "error" in said):
        raise ValueError("another answer than asked for")
    with _lock:
        _failed = 0
    return said


def _start() -> None:
    """Have the process started; a second one beside it ends by itself."""
    global _child
    if os.environ.get("CONCORD_SUPERVISED"):
        from annotator.supervisor import ask as ask_supervisor

        ask_supervisor(settings.DATA, "assist", timeout_s=1.0)
        return
    with _lock:
        if _child is None or _child.poll() is not None:
            _child = subprocess.Popen(
                [sys.executable, "-m", "prelabel.serve.assist", str(settings.DATA)],
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
