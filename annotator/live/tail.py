"""Tails the event chains for sockets: one task in the server process, by (chain, seq), never by row id."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from annotator.models import ChainHead, Event

log = logging.getLogger("concord.live")
PERIOD_S = 0.25
PAGE = 200


def _heads() -> dict[str, int]:
    return dict(ChainHead.objects.values_list("chain", "seq"))


def _verbs(chain: str, after: int, upto: int) -> list[str]:
    rows = Event.objects.filter(chain=chain, seq__gt=max(after, upto - PAGE), seq__lte=upto)
    return sorted(set(rows.values_list("verb", flat=True)))


async def tail() -> None:
    """For ever: tell each project's group that its chain grew."""
    layer = get_channel_layer()
    known: dict[str, int] | None = None
    while True:
        try:
            if getattr(layer, "groups", True):  # nobody listens: nothing to read
                heads = await sync_to_async(_heads)()
                for chain, seq in heads.items():
                    before = (known or {}).get(chain, seq if known is None else 0)
                    if seq > before:
                        verbs = await sync_to_async(_verbs)(chain, before, seq)
                        await layer.group_send(
                            f"project.{chain}", {"type": "news", "seq": seq, "verbs": verbs}
                        )
                known = heads
            else:
                known = None
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("the tail of events stumbled")
            await asyncio.sleep(1)
        await asyncio.sleep(PERIOD_S)


class Lifespan:
    """ASGI lifespan: starts the tail with the server and ends it with it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        task: asyncio.Task[None] | None = None
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                task = asyncio.create_task(tail())
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if task is not None:
                    task.cancel()
                await send({"type": "lifespan.shutdown.complete"})
                return
