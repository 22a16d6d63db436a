"""Seats and states at their edges: returned twice over, restored, removed people, second accounts, blindness."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from annotator import news
from annotator.actions import members, seat_verbs
from annotator.actions.claim_task import claim_task
from annotator.actions.steps import aside
from annotator.actions.verb import writing
from annotator.core.errors import Conflict, NotFound
from annotator.models import Account, Assignment, Event, Exposure, Member, ParkedDraft, Reservation, Task
from annotator.queries import desk
from annotator.queries.work import seat_of, work_of
from review.actions.decide_dispute import decide_dispute
from review.actions.return_dispute import return_dispute
from review.actions.settle_check import settle_check
from review.models import Dispute
from tests.actors import World, add, box, claim, make_world, save
from tests.review_world import answer, compare, label_both

pytestmark = pytest.mark.django_db


def asset_of(task: Task) -> str:
    return task.item.item_assets.get().asset.public_id


def lose(seat: Assignment) -> None:
    """The seat's time runs out."""
    Assignment.objects.filter(pk=seat.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    seat_verbs.sweep()


def disputed(world: World) -> tuple[Task, Dispute]:
    task = world.item()
    label_both(world, [(10, 10, 60, 60)], [(10, 10, 60, 60), (200, 200, 250, 250)])
    compare()
    task.refresh_from_db()
    return task, Dispute.objects.get(task=task)


def give_back(world: World, dispute: Dispute, sides: list[str]) -> Assignment:
    seat = claim(world, world.expert, "arbitrate")
    assert seat
    return_dispute(actor=world.expert, dispute=dispute, token=seat.token, sides=sides, error_type="missed")
    return seat


def reason_of(world: World, who: Account) -> dict[str, Any]:
    member = world.member(who)
    member.account = who
    world.project.refresh_from_db()
    return claim_task(actor=who, project=world.project, member=member)["reason"]


def do_aside(world: World, task: Task, restore: bool = False) -> str:
    with writing(actor=world.lead) as w:
        fresh = Task.objects.select_related("project", "workflow").get(pk=task.pk)
        return (aside.restore if restore else aside.set_aside)(w, fresh, "why")


# --- reservations ---


def test_a_lost_seat_of_a_returned_pair_leaves_the_other_kept_seat_alone(world: World) -> None:
    task, dispute = disputed(world)
    give_back(world, dispute, ["A", "B"])
    slot = {r.person_id: r.slot for r in Reservation.objects.filter(task=task)}
    first, second = sorted((world.ann1, world.ann2), key=lambda who: slot[who.pk])
    late = claim(world, second)
    assert late and late.slot == 1 and late.base is not None
    lose(late)
    third = claim(world, world.ann3)  # the slot that was lost is free for anybody ...
    assert third and third.slot == 1
    task.refresh_from_db()
    assert not task.claimable, "... the other one is kept"
    mine = claim(world, first)
    assert mine and mine.slot == 0 and mine.task_id == task.pk and mine.base is not None


def test_a_late_save_does_not_take_a_seat_that_is_kept_for_another(world: World) -> None:
    task, dispute = disputed(world)
    give_back(world, dispute, ["A", "B"])
    slot = {r.person_id: r.slot for r in Reservation.objects.filter(task=task)}
    first, second = sorted((world.ann1, world.ann2), key=lambda who: slot[who.pk])
    late = claim(world, second)
    assert late
    lose(late)
    assert claim(world, world.ann3)
    with pytest.raises(Conflict, match="lease_lost"):
        save(late, [add(box(asset_of(task), 300, 300, 320, 320))])
    assert ParkedDraft.objects.filter(assignment=late).count() == 1
    assert claim(world, first)


def test_a_claim_that_began_before_the_removal_takes_no_seat(world: World) -> None:
    task = world.item()
    member = world.member(world.ann1)
    member.account = world.ann1
    members.remove_member(actor=world.lead, project=world.project, account=world.ann1.public_id)
    with pytest.raises(NotFound):
        claim_task(actor=world.ann1, project=world.project, member=member)
    task.refresh_from_db()
    assert task.n_taken == 0


def test_the_seat_of_somebody_who_left_is_offered_to_others(world: World) -> None:
    task, dispute = disputed(world)
    side = {s["key"]: s["assignment"] for s in dispute.sides}
    author = Assignment.objects.get(public_id=side["A"]).account
    give_back(world, dispute, ["A"])
    assert claim(world, world.ann3) is None
    members.remove_member(actor=world.lead, project=world.project, account=author.public_id)
    seat_verbs.sweep()
    other = claim(world, world.ann3)
    assert other and other.task_id == task.pk


# --- set aside and restored ---


def test_a_task_restored_to_compare_is_compared(world: World) -> None:
    task = world.item()
    label_both(world, [(10, 10, 60, 60)], [(10, 10, 60, 60)])
    while seat_verbs.sweep():
        pass
    task.refresh_from_db()
    assert task.state == "compare"
    assert do_aside(world, task) == ""
    while news.tick():
        pass  # the news that labelling was over is read while the task lies aside
    assert do_aside(world, task, restore=True) == ""
    while news.tick():
        pass
    task.refresh_from_db()
    assert task.state == "accepted" and task.stuck == ""


def test_a_task_called_unusable_by_all_is_labelled_anew_when_restored(world: World) -> None:
    task = world.item()
    for who in (world.ann1, world.ann2):
        answer(world, who, [{"op": "set", "path": ["unusable"], "before": None, "after": "blurred"}])
    compare()
    task.refresh_from_db()
    assert task.state == "set_aside"
    assert do_aside(world, task, restore=True) == ""
    compare()
    task.refresh_from_db()
    assert (task.state, task.round, task.n_taken, task.claimable) == ("ready", 2, 0, True)
    assert claim(world, world.ann3)


def test_a_task_decided_unusable_is_labelled_anew_when_restored(world: World) -> None:
    task = world.item()
    answer(world, world.ann1, [{"op": "set", "path": ["unusable"], "before": None, "after": "blurred"}])
    answer(world, world.ann2, [add(box(asset_of(task), 1, 1, 30, 30))])
    compare()
    dispute = Dispute.objects.get(task=task)
    seat = claim(world, world.expert, "arbitrate")
    assert seat
    own = Assignment.objects.get(task=task, stage="label", account=world.ann1).public_id
    key = next(side["key"] for side in dispute.sides if side["assignment"] == own)
    usability = dispute.differences.filter(kind="usability")
    decisions = [{"difference": row.public_id, "choice": key} for row in usability]
    decide_dispute(actor=world.expert, dispute=dispute, token=seat.token, decisions=decisions)
    task.refresh_from_db()
    assert task.state == "set_aside"
    assert do_aside(world, task, restore=True) == ""
    compare()
    task.refresh_from_db()
    assert (task.state, task.stuck, task.round) == ("ready", "", 2)
    label_both(world, [(10, 10, 60, 60)], [(10, 10, 60, 60)])
    compare()
    task.refresh_from_db()
    assert task.state == "accepted"


def test_a_mend_that_says_unusable_sets_the_task_aside(db: None) -> None:
    world = make_world(slots=1, check={"share": 1.0})
    task = world.item()
    answer(world, world.ann1, [add(box(asset_of(task), 10, 10, 60, 60))])
    compare()
    seat = claim(world, world.checker, "check")
    assert seat
    save(seat, [{"op": "set", "path": ["unusable"], "before": None, "after": "blurred"}])
    seat = seat_of(world.checker, seat.public_id)
    assert seat
    said = settle_check(
        actor=world.checker, seat=seat, token=seat.token, outcome="mend", error_type="extra", if_revision=1
    )
    task.refresh_from_db()
    assert said["state"] == task.state == "set_aside"


# --- compare ---


def test_a_database_that_is_away_does_not_make_a_task_stuck(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from review.actions import compare_task

    task = world.item()
    label_both(world, [(10, 10, 60, 60)], [(10, 10, 60, 60)])
    while seat_verbs.sweep():
        pass
    real = compare_task._write

    def away(*_: Any) -> str:
        raise OperationalError("database is locked")

    monkeypatch.setattr(compare_task, "_write", away)
    with pytest.raises(OperationalError):
        news.tick()
    monkeypatch.setattr(compare_task, "_write", real)
    while news.tick():
        pass
    task.refresh_from_db()
    assert (task.state, task.stuck) == ("accepted", "")


# --- a schema published in the middle of a round ---


def test_a_document_accepted_under_an_older_schema_is_carried_over_too(db: None) -> None:
    from copy import deepcopy

    from annotator.actions.publish_schema import publish_schema
    from annotator.models import AcceptedDocument
    from tests.actors import SCHEMA
    from tests.files import run_jobs

    world = make_world(slots=1)
    tasks = [world.item(), world.item()]
    answer(world, world.ann1, [add(box(asset_of(tasks[0]), 10, 10, 60, 60))])
    compare()
    late = claim(world, world.ann1)
    assert late
    document = deepcopy(SCHEMA)
    document["labels"][0]["name"] = "money"
    mapping = {"labels": {"coin": "money"}}
    world.project.refresh_from_db()
    publish_schema(actor=world.lead, project=world.project, document=document, mapping=mapping)
    run_jobs()
    save(late, [add(box(asset_of(tasks[1]), 10, 10, 60, 60))], submit=True)
    compare()
    run_jobs()
    current = AcceptedDocument.objects.filter(current=True)
    labels = {r["label"] for row in current for r in row.document["regions"].values()}
    assert labels == {"money"} and {row.schema.number for row in current} == {2} and len(current) == 2


def test_nothing_is_kept_for_an_author_who_has_left_already(world: World) -> None:
    task, dispute = disputed(world)
    side = {s["key"]: s["assignment"] for s in dispute.sides}
    author = Assignment.objects.get(public_id=side["A"]).account
    members.remove_member(actor=world.lead, project=world.project, account=author.public_id)
    give_back(world, dispute, ["A"])
    seat_verbs.sweep()
    other = claim(world, world.ann3)
    assert other and other.task_id == task.pk


# --- exposure ---


def test_who_saw_the_sides_is_not_offered_the_returned_task(world: World) -> None:
    Member.objects.filter(account=world.expert).update(roles=["expert", "annotator"])
    task, dispute = disputed(world)
    seat = claim(world, world.expert, "arbitrate")
    assert seat
    seat_verbs.skip(actor=world.expert, seat=seat, token=seat.token, reason="not me")
    assert Exposure.objects.filter(item=task.item, person=world.expert).exists()
    other = Account.objects.create_user("second-expert", "x")
    Member.objects.create(project=world.project, account=other, roles=["expert"], joined_at=timezone.now())
    again = claim(world, other, "arbitrate")
    assert again
    return_dispute(actor=other, dispute=dispute, token=again.token, sides=["A"], error_type="missed")
    Reservation.objects.all().update(until=timezone.now() - timedelta(seconds=1))
    seat_verbs.sweep()
    assert claim(world, world.expert) is None
    fresh = claim(world, world.ann3)
    assert fresh and fresh.task_id == task.pk


# --- what an empty queue and a desk tell ---


def test_an_empty_queue_tells_nothing_of_the_colleague_on_my_task(world: World) -> None:
    world.item()
    one = claim(world, world.ann1)
    assert one
    save(one, [], submit=True)
    alone = reason_of(world, world.ann1)
    two = claim(world, world.ann2)
    assert two
    beside = reason_of(world, world.ann1)
    for who in (world.ann2, world.ann3):
        seat = claim(world, who)
        assert seat
        seat_verbs.skip(actor=who, seat=seat, token=seat.token, reason="no")
    skipped = reason_of(world, world.ann1)
    assert alone == beside == skipped and alone["code"] == "all_yours_done"


def test_a_standing_seat_is_not_counted_again_on_the_desk(world: World) -> None:
    _, dispute = disputed(world)
    before = {who.pk: desk.own_counts(who, timezone.now()) for who in (world.ann1, world.ann2)}
    give_back(world, dispute, ["A"])
    after = {who.pk: desk.own_counts(who, timezone.now()) for who in (world.ann1, world.ann2)}
    assert before == after


def test_asking_for_return_answers_alike_whatever_the_colleague_did(world: World) -> None:
    world.item()
    world.item()
    one = answer(world, world.ann1, [])
    label = claim(world, world.ann1)
    assert label
    save(label, [], submit=True)
    waiting = seat_verbs.ask_return(actor=world.ann1, seat=_seat(world.ann1, one), reason="oh")
    answer(world, world.ann2, [])
    compare()
    assert Task.objects.filter(state="accepted").count() == 1
    decided = seat_verbs.ask_return(actor=world.ann1, seat=_seat(world.ann1, one), reason="oh")
    assert waiting == decided


def _seat(who: Account, seat: Any) -> Assignment:
    found = seat_of(who, seat.public_id)
    assert found
    return found


def test_a_stuck_task_that_somebody_takes_is_not_stuck(world: World) -> None:
    task = world.item(slots=1)
    for who in (world.ann1, world.ann2, world.ann3):
        seat = claim(world, who)
        assert seat
        seat_verbs.skip(actor=who, seat=seat, token=seat.token, reason="no")
    task.refresh_from_db()
    assert task.stuck
    late = Account.objects.create_user("late", "x")
    Member.objects.create(project=world.project, account=late, roles=["annotator"], joined_at=timezone.now())
    assert claim(world, late)
    task.refresh_from_db()
    assert task.stuck == ""


def test_a_draft_is_parked_and_told_once(world: World) -> None:
    task = world.item(slots=1)
    seat = claim(world, world.ann1)
    assert seat
    lose(seat)
    assert claim(world, world.ann2)
    changes = [add(box(asset_of(task), 1, 1, 9, 9))]
    for _ in range(3):
        with pytest.raises(Conflict, match="lease_lost"):
            save(seat, changes)
    assert ParkedDraft.objects.count() == Event.objects.filter(verb="draft.parked").count() == 1


def test_a_second_account_goes_on_with_the_persons_seat(world: World) -> None:
    world.item()
    twin = Account.objects.create_user("twin", "x", same_person_as=world.ann1)
    Member.objects.create(project=world.project, account=twin, roles=["annotator"], joined_at=timezone.now())
    first = claim(world, world.ann1)
    assert first
    again = claim(world, twin)
    assert again and again.pk == first.pk
    assert work_of(again)["assignment"]["token"] == first.token
