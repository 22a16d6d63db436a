"""Compare: from two submissions to accepted, check, disputed or set aside; idempotent; order of people;
news."""

from __future__ import annotations

import time
from typing import Any

import pytest

from annotator import news
from annotator.actions.seat_verbs import sweep
from annotator.core.errors import Conflict
from annotator.models import AcceptedDocument, Account, Event, NewsCursor, Task
from review.actions import compare_task as compare_module
from review.actions.compare_task import compare_task, handle
from review.models import Agreement, Dispute
from tests.actors import World, add, box, claim, make_world, save
from tests.review_world import answer, compare, label_both

pytestmark = pytest.mark.django_db


def test_agreement_is_accepted_and_both_are_credited(world: World) -> None:
    task = world.item()
    seats = label_both(world, [(10, 10, 60, 60)], [(11, 10, 61, 60)])
    compare()
    task.refresh_from_db()
    assert task.state == "accepted"
    accepted = AcceptedDocument.objects.get(task=task)
    assert accepted.way == "agreed"
    (credited,) = accepted.provenance["by_region"].values()
    assert credited == sorted(seat.public_id for seat in seats)
    values = {row.measure: row for row in Agreement.objects.filter(task=task)}
    assert values["first_pass.v1"].value == 1.0 and values["f1_iou.v1"].value == 1.0
    assert (
        values["exact_answers.v1"].value is None
        and values["exact_answers.v1"].undefined == "nothing_answered"
    )
    assert values["f1_iou.v1"].exposure == ["none", "none"]
    assert 0.9 < values["mean_iou.v1"].value < 1.0  # type: ignore[operator]


def test_a_difference_is_disputed_with_sides_in_seeded_order(world: World) -> None:
    task = world.item()
    label_both(world, [(10, 10, 60, 60), (100, 100, 150, 150)], [(10, 10, 60, 60)])
    compare()
    task.refresh_from_db()
    assert task.state == "disputed" and not AcceptedDocument.objects.filter(task=task).exists()
    dispute = Dispute.objects.get(task=task)
    assert (dispute.n_differences, dispute.worst, dispute.state) == (1, "A", "open")
    assert [side["key"] for side in dispute.sides] == ["A", "B"]
    assert len(dispute.agreed["regions"]) == 1
    assert Event.objects.filter(chain=world.project.public_id, verb="task.disputed").count() == 1


def test_side_letters_do_not_follow_slots(db: Any) -> None:
    world = make_world()
    first = []
    for _ in range(12):
        task = world.item()
        seats = label_both(world, [(10, 10, 60, 60)], [])
        compare()
        dispute = Dispute.objects.get(task=task)
        first.append(dispute.sides[0]["assignment"] == seats[0].public_id)
    assert {True, False} == set(first)


def test_check_follows_when_the_workflow_says_so(db: Any) -> None:
    world = make_world(check={"share": 1.0})
    task = world.item()
    label_both(world, [(10, 10, 60, 60)], [(10, 10, 60, 60)])
    compare()
    task.refresh_from_db()
    assert task.state == "check"


def test_all_unusable_is_set_aside_and_one_unusable_is_a_difference(world: World) -> None:
    first, second = world.item(), world.item()
    both = [{"op": "set", "path": ["unusable"], "before": None, "after": "blurred"}]
    for who in (world.ann1, world.ann2):
        answer(world, who, both)
    answer(world, world.ann1, both)
    answer(world, world.ann2, [])
    compare()
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.state, second.state) == ("set_aside", "disputed")
    assert Dispute.objects.get(task=second).differences.get().kind == "usability"


def test_run_twice_changes_nothing(world: World) -> None:
    task = world.item()
    label_both(world, [(10, 10, 60, 60)], [])
    compare()
    event = Event.objects.get(chain=world.project.public_id, verb="task.labelled")
    before = Event.objects.filter(chain=world.project.public_id).count()
    NewsCursor.objects.all().delete()  # as if the process had died before the cursor was kept
    news.tick()
    handle(world.project.public_id, [event])
    assert Event.objects.filter(chain=world.project.public_id).count() == before
    assert Dispute.objects.filter(task=task).count() == 1
    assert Agreement.objects.filter(task=task).count() == 4


def test_dies_before_the_write_and_runs_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    task = world.item()
    label_both(world, [(10, 10, 60, 60)], [])
    sweep()

    def die(*_: Any, **__: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(compare_module, "_dispute", die)
    with pytest.raises(SystemExit):
        news.tick()
    task.refresh_from_db()
    assert task.state == "compare"
    assert not Agreement.objects.exists() and not NewsCursor.objects.filter(name="compare").exists()
    monkeypatch.undo()
    news.tick()
    task.refresh_from_db()
    assert task.state == "disputed"


def test_a_submission_that_changed_meanwhile_is_not_decided_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = world.item()
    (seat, _) = label_both(world, [(10, 10, 60, 60)], [(10, 10, 60, 60)])
    sweep()
    read = compare_module._compute

    def meddled(chain: str, task_id: str) -> Any:
        found = read(chain, task_id)
        type(seat).objects.filter(pk=seat.pk).update(digest="0" * 64)
        return found

    monkeypatch.setattr(compare_module, "_compute", meddled)
    monkeypatch.setattr(compare_module, "TRIES", 1)
    with pytest.raises(Conflict, match="revisions_changed"):
        compare_task(chain=world.project.public_id, task_id=task.public_id, seq=1)
    task.refresh_from_db()
    assert task.state == "compare" and not AcceptedDocument.objects.exists()


def test_one_task_that_cannot_be_compared_does_not_hold_up_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = world.item(), world.item()
    label_both(world, [(10, 10, 60, 60)], [])
    label_both(world, [(10, 10, 60, 60)], [])
    read = compare_module._compute

    def broken(chain: str, task_id: str) -> Any:
        if task_id == bad.public_id:
            raise RuntimeError("a part is gone")
        return read(chain, task_id)

    monkeypatch.setattr(compare_module, "_compute", broken)
    compare()
    bad.refresh_from_db(), good.refresh_from_db()
    assert bad.state == "compare" and "could not be compared" in bad.stuck
    assert good.state == "disputed"


def test_a_third_person_only_for_b_and_c_and_only_if_somebody_is_left(db: Any) -> None:
    world = make_world(add_person={"enabled": True, "max": 3})
    task = world.item()
    label_both(world, [(10, 10, 60, 60)], [], label="scratch")
    compare()
    task.refresh_from_db()
    assert (task.state, task.n_slots, task.claimable) == ("ready", 3, True)
    third = claim(world, world.ann3)
    assert third and third.task_id == task.pk
    save(third, [], submit=True)
    compare()
    task.refresh_from_db()
    assert task.state == "disputed"
    dispute = Dispute.objects.get(task=task)
    assert [side["key"] for side in dispute.sides] == ["A", "B", "C"]
    assert dispute.differences.get().kind == "extra"
    # the third person never enters the published agreement
    assert Agreement.objects.filter(task=task, measure="first_pass.v1").count() == 1
    other = world.item()
    label_both(world, [(10, 10, 60, 60)], [], label="coin")
    compare()
    other.refresh_from_db()
    assert other.state == "disputed"


def test_submit_to_compared_within_a_second(world: World) -> None:
    """Twenty tasks of 40 boxes a side: each compared well within the second that is allowed at p95."""
    boxes = [(x * 30.0, y * 40.0, x * 30.0 + 20, y * 40.0 + 25) for x in range(8) for y in range(5)]
    spent = []
    for _ in range(20):
        world.item()
        label_both(world, boxes, boxes[1:])
        sweep()
        started = time.perf_counter()
        news.tick()
        spent.append(time.perf_counter() - started)
    assert Task.objects.filter(state="disputed").count() == 20
    assert sorted(spent)[18] < 1.0


def test_who_submits_first_does_not_matter(db: Any) -> None:
    """The same two documents by the same people in either order of submission: the same accepted document."""
    world = make_world()
    seen = []
    for order in ((0, 1), (1, 0)):
        task = world.item(f"same-{order[0]}")
        Task.objects.filter(pk=task.pk).update(seed="5" * 64)
        asset = task.item.item_assets.get().asset.public_id
        people: list[Account] = [world.ann1, world.ann2]
        drawn = [box(asset, 10, 10, 60, 60), box(asset, 11, 11, 61, 61)]
        drawn[0]["id"], drawn[1]["id"] = "r_" + "a" * 16, "r_" + "b" * 16
        for index in order:
            answer(world, people[index], [add(drawn[index])])
        compare()
        accepted = AcceptedDocument.objects.get(task=task)
        seen.append(next(iter(accepted.document["regions"].values()))["geometry"])
    assert len({tuple(sorted(entry.items())) for entry in seen}) <= 2
    assert set(seen[0]) == set(seen[1])
