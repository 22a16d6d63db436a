"""Run one lane's worker: `manage.py worker io` or `manage.py worker model`."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotator import anchors, jobs, news
from annotator.actions import seat_verbs


class Command(BaseCommand):
    """A worker process."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """lane, --once"""
        parser.add_argument("lane", choices=jobs.LANES)
        parser.add_argument("--once", action="store_true", help="End when nothing is left to do.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Works until told to stop."""
        stop = threading.Event()

        def end(*_: Any) -> None:
            stop.set()
            jobs.ring(options["lane"])

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        ticks = []
        if options["lane"] == "io":
            ticks = [seat_verbs.sweep, news.tick, _every(60.0, anchors.write)]
        else:
            os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        jobs.work(options["lane"], ticks=ticks, once=options["once"], stop=stop)


def _every(seconds: float, action: Any) -> Any:
    """A tick that acts at its first call and then each `seconds`."""
    last = [0.0]

    def tick() -> bool:
        if time.monotonic() - last[0] >= seconds or last[0] == 0.0:
            last[0] = time.monotonic()
            action()
        return False

    return tick
