"""The interactive tool through its door: a real process answers; a seat that is not the own one, or is over,
gets nothing."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings

from annotator.core import masks
from annotator.core.errors import Unavailable
from annotator.models import Assignment
from prelabel.actions import assist as door
from prelabel.core.local import address
from prelabel.serve import assist as process
from tests.actions.test_prelabel import with_picture
from tests.actors import NOW, World, api, claim

pytestmark = pytest.mark.django_db


@pytest.fixture
def assist_process() -> Iterator[subprocess.Popen[bytes]]:
    """The real process on this run's data folder."""
    child = subprocess.Popen(
        [sys.executable, "-m", "prelabel.serve.assist", str(settings.DATA)], cwd=settings.BASE_DIR
    )
    place = Path(settings.DATA) / "run" / process.SOCKET
    end = time.monotonic() + 60
    while not place.exists() and time.monotonic() < end:
        time.sleep(0.05)
    yield child
    child.terminate()
    assert child.wait(8) == 0 and not place.exists()


@pytest.fixture(autouse=True)
def _closed_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_failed", 0)
    monkeypatch.setattr(door, "_closed_until", 0.0)


def disc() -> np.ndarray:
    y, x = np.mgrid[:300, :400]
    picture = np.full((300, 400, 3), 40, np.uint8)
    picture[(x - 290) ** 2 + (y - 150) ** 2 < 60**2] = (200, 60, 60)
    return picture


def body(world: World, seat: Assignment, **values: Any) -> dict[str, Any]:
    asset = seat.task.item.item_assets.get().asset.public_id
    return {
        "assignment": seat.public_id,
        "asset": asset,
        "tool": "click_segment",
        "x": 290,
        "y": 150,
    } | values


def test_a_click_becomes_a_polygon_or_mask_tiles(world: World, assist_process: Any) -> None:
    with_picture(world, disc())
    seat = claim(world, world.ann1)
    client = api(world.ann1)
    answer = client.post("/api/assist", body(world, seat), format="json")
    assert answer.status_code == 200, answer.content
    region = answer.json()["region"]
    assert region["shape"] == "polygon" and answer.json()["cut"] is False
    grown = masks.rasterise(region["geometry"]["rings"], x0_px=0, y0_px=0, width_px=400, height_px=300)
    true = disc()[..., 0] == 200
    assert (grown & true).sum() / (grown | true).sum() > 0.95
    tiles = client.post("/api/assist", body(world, seat, output="mask"), format="json").json()
    parts = {name: base64.b64decode(raw) for name, raw in tiles["parts"].items()}
    assert set(tiles["region"]["geometry"]["tiles"]) == {"0,0", "1,0"}
    assert all(masks.part_digest(raw) == name for name, raw in parts.items())
    assert sum(masks.part_area_px(raw) for raw in parts.values()) == tiles["area_px"]
    outside = client.post("/api/assist", body(world, seat, x=4000), format="json")
    assert outside.status_code == 400 and outside.json()["error"]["code"] == "outside"
    wrong = client.post("/api/assist", body(world, seat, tolerance=900), format="json")
    assert wrong.status_code == 400 and wrong.json()["error"]["field"] == "tolerance"
    with socket.socket(socket.AF_UNIX) as raw, address(Path(settings.DATA) / "run", process.SOCKET) as place:
        raw.connect(place)
        raw.sendall(
            json.dumps({"tool": "click_segment", "path": "/etc/passwd", "values": {}}).encode() + b"\n"
        )
        assert json.loads(raw.recv(4096))["error"]["code"] == "bad_path"
    begun = time.monotonic()
    for _click in range(5):
        client.post("/api/assist", body(world, seat), format="json")
    assert (time.monotonic() - begun) / 5 < 1.0


def test_only_the_holder_of_a_live_seat_may_ask(world: World) -> None:
    with_picture(world, disc())
    other = with_picture(world, disc() // 2)
    seat = claim(world, world.ann1)
    sent = body(world, seat)
    assert api(world.ann2).post("/api/assist", sent, format="json").status_code == 404
    assert api(world.stranger).post("/api/assist", sent, format="json").status_code == 404
    assert api(None).post("/api/assist", sent, format="json").status_code == 401
    foreign = sent | {"asset": other.item.item_assets.get().asset.public_id}
    assert api(world.ann1).post("/api/assist", foreign, format="json").status_code == 404
    unknown = api(world.ann1).post("/api/assist", sent | {"tool": "magic"}, format="json")
    assert unknown.status_code == 400 and unknown.json()["error"]["field"] == "tool"
    assert api(world.ann1).post("/api/assist", sent | {"state": "opaque"}, format="json").status_code == 400
    Assignment.objects.filter(pk=seat.pk).update(lease_until=NOW)
    late = api(world.ann1).post("/api/assist", sent, format="json")
    assert late.status_code == 409 and late.json()["error"]["code"] == "lease_lost"


def fake(answer: bytes | None, stop: threading.Event) -> threading.Thread:
    """A process that answers nonsense, or accepts and never answers."""
    run = Path(settings.DATA) / "run"
    run.mkdir(exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    with address(run, process.SOCKET) as place:
        listener.bind(place)
    listener.listen(8)
    listener.settimeout(0.1)

    def serve() -> None:
        kept = []
        while not stop.is_set():
            try:
                connection, _peer = listener.accept()
            except TimeoutError:
                continue
            kept.append(connection)
            if answer is not None:
                connection.sendall(answer)
                connection.close()
        for connection in [*kept, listener]:
            connection.close()
        (run / process.SOCKET).unlink()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


@pytest.mark.parametrize("answer", [None, b"", b'{"result"', b'["other"]\n', b"\x80\x04\n"])
def test_a_process_that_hangs_or_babbles_costs_a_bounded_wait(answer: bytes | None) -> None:
    stop = threading.Event()
    thread = fake(answer, stop)
    try:
        begun = time.monotonic()
        for _try in range(door.TRIES):
            with pytest.raises(Unavailable):
                door.ask({"tool": "click_segment"}, wait_s=0.3)
        assert time.monotonic() - begun < door.TRIES * 0.6
        begun = time.monotonic()
        with pytest.raises(Unavailable) as closed:
            door.ask({"tool": "click_segment"}, wait_s=0.3)
        assert time.monotonic() - begun < 0.05 and closed.value.extra["retry_after"] > 1
    finally:
        stop.set()
        thread.join()
