"""The assist process: one request, one answer, warm pictures; on a local socket in the data folder. No
Django, no network.

    python -m prelabel.serve.assist DATA_FOLDER

A request is one line of JSON {"tool", "path", "values"}; path names a blob and must lie in the blob folder.
An answer is one
line: {"result": …} or {"error": {"code", "message", …}}. Ends by itself after ten idle minutes.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import signal
import socket
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

from annotator.core.errors import ConcordError, Invalid, TooLarge
from prelabel.core.local import address
from prelabel.core.parameters import Choices, parse
from prelabel.core.samples import Picture
from prelabel.tools import TOOLS

IDLE_S = 600.0
REQUEST_BYTES = 65_536
READ_S = 1.0
MAX_PIXELS = 50_000_000
WARM = 4
WARM_BYTES = 256 * 2**20
MEMORY_BYTES = 4 * 2**30
SOCKET = "assist.sock"


class Pictures:
    """The last few decoded pictures, by path (a blob never changes)."""

    def __init__(self, blobs: Path) -> None:
        self.blobs = blobs.resolve()
        self._kept: OrderedDict[Path, Picture] = OrderedDict()

    def get(self, path: str) -> Picture:
        import numpy as np
        from PIL import Image

        place = Path(path).resolve()
        if self.blobs not in place.parents:
            raise Invalid("bad_path", "The picture is not in the store.")
        if place in self._kept:
            self._kept.move_to_end(place)
            return self._kept[place]
        try:
            with Image.open(place, formats=("PNG", "JPEG", "WEBP", "BMP")) as opened:
                if opened.size[0] * opened.size[1] > MAX_PIXELS:
                    raise TooLarge(
                        "too_many_pixels", "The picture is too large for this tool.", limit=MAX_PIXELS
                    )
                picture = np.asarray(opened.convert("RGB"))
        except ConcordError:
            raise
        except Exception as error:  # decoders fail in many ways; all mean the same here
            raise Invalid("picture_damaged", "The picture cannot be decoded.") from error
        self._kept[place] = picture
        while len(self._kept) > 1 and (
            len(self._kept) > WARM or sum(kept.nbytes for kept in self._kept.values()) > WARM_BYTES
        ):
            self._kept.popitem(last=False)
        return picture


def answer(request: Any, pictures: Pictures) -> dict[str, Any]:
    """The answer to one parsed request; errors are part of it."""
    try:
        if not isinstance(request, dict) or not isinstance(request.get("path"), str):
            raise Invalid("bad_request", "The request cannot be read.")
        tool = TOOLS.get(str(request.get("tool")))
        values = request.get("values")
        if not isinstance(values, dict):
            raise Invalid("bad_request", "The request cannot be read.")
        return {"result": tool.run(pictures.get(request["path"]), parse(tool.PARAMETERS, values, Choices()))}
    except ConcordError as error:
        return {"error": error.as_dict()}
    except MemoryError:
        return {"error": {"code": "too_large", "message": "The picture is too large for this tool."}}


def _read_line(connection: socket.socket) -> bytes:
    connection.settimeout(READ_S)
    data = b""
    while not data.endswith(b"\n") and len(data) <= REQUEST_BYTES:
        piece = connection.recv(8192)
        if not piece:
            break
        data += piece
    return data


def serve(data: Path, idle_s: float = IDLE_S) -> int:
    """Answers until idle for `idle_s` seconds; 0. Another living assist of the same folder ends this one at
    once."""
    run = data / "run"
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(run / "assist.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0
        with contextlib.suppress(FileNotFoundError):
            os.unlink(run / SOCKET)  # ours: the lock says that no other lives
        pictures = Pictures(data / "blobs")
        with socket.socket(socket.AF_UNIX) as listener:
            old = os.umask(0o177)
            try:
                with address(run, SOCKET) as path:
                    listener.bind(path)
            finally:
                os.umask(old)
            listener.listen(16)
            listener.settimeout(idle_s)
            try:
                while True:
                    try:
                        connection, _peer = listener.accept()
                    except TimeoutError:
                        return 0
                    with connection, contextlib.suppress(OSError):
                        _one(connection, pictures)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(run / SOCKET)


def _one(connection: socket.socket, pictures: Pictures) -> None:
    try:
        request = json.loads(_read_line(connection))
    except (ValueError, RecursionError):
        request = None
    connection.settimeout(READ_S)
    connection.sendall(json.dumps(answer(request, pictures)).encode() + b"\n")


def warm() -> None:
    """Loads what the first click would otherwise wait for, by using each tool once: the libraries load bit
    by bit."""
    import numpy as np
    import PIL.Image

    PIL.Image.init()
    picture = np.zeros((16, 16, 3), np.uint8)
    for _name, tool in TOOLS.items():
        values = {parameter.name: 8 for parameter in tool.PARAMETERS if parameter.default is None}
        tool.run(picture, parse(tool.PARAMETERS, values, Choices()))


def main(data: Path) -> int:
    """The process's whole life."""

    def end(*_: Any) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A picture that lies about itself ends a request here, never the machine.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    warm()
    return serve(data)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
