"""What tests of the judging wing share: label as two people, compare, take seats."""

from __future__ import annotations

from typing import Any

from annotator import news
from annotator.actions.seat_verbs import sweep
from annotator.models import Account, Assignment
from tests.actors import World, add, box, claim, save

Box = tuple[float, float, float, float]


def answer(world: World, who: Account, changes: list[Any]) -> Assignment:
    """Claim the next task as this person and submit these changes."""
    seat = claim(world, who)
    assert seat is not None
    save(seat, changes, submit=True)
    return seat


def draw(world: World, who: Account, boxes: list[Box], label: str = "coin") -> Assignment:
    """Claim the next task and submit these boxes."""
    seat = claim(world, who)
    assert seat is not None
    asset = seat.task.item.item_assets.get().asset.public_id
    save(seat, [add(box(asset, *entry, label=label)) for entry in boxes], submit=True)
    return seat


def label_both(
    world: World, one: list[Box], other: list[Box], label: str = "coin"
) -> tuple[Assignment, Assignment]:
    """ann1 and ann2 label the next task."""
    return draw(world, world.ann1, one, label), draw(world, world.ann2, other, label)


def compare() -> None:
    """What the io worker does: grace over, then news until nothing moves."""
    sweep()
    for _ in range(10):
        if not news.tick():
            return
