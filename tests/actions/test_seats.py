"""Claim, save, submit, withdraw, skip, park, lose and retake a seat."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from annotator.actions import seat_verbs
from annotator.actions.claim_task import claim_task, open_seat
from annotator.actions.verb import Idem
from annotator.core.errors import Conflict, Invalid
from annotator.models import AcceptedDocument, Assignment, Event, ParkedDraft, Revision, Task
from annotator.queries.documents import read_document
from annotator.queries.work import seat_of, work_of
from tests.actors import World, add, box, claim, save

pytestmark = pytest.mark.django_db


def asset_of(seat: Assignment) -> str:
    return seat.task.item.item_assets.get().asset.public_id


def test_two_slots_go_to_two_people_and_no_third(world: World) -> None:
    task = world.item()
    first, second = claim(world, world.ann1), claim(world, world.ann2)
    assert first and second and first.task_id == second.task_id == task.pk
    assert claim(world, world.ann3) is None
    task.refresh_from_db()
    assert (task.n_taken, task.claimable, task.state) == (2, False, "labelling")


def test_a_second_tab_gets_the_same_seat(world: World) -> None:
    world.item(), world.item()
    one, two = claim(world, world.ann1), claim(world, world.ann1)
    assert one and two and one.pk == two.pk and one.token == two.token


def test_the_reason_of_an_empty_queue(world: World) -> None:
    member = world.member(world.ann3)
    member.account = world.ann3
    answer = claim_task(actor=world.ann3, project=world.project, member=member)
    assert answer["reason"]["code"] == "nothing_left"
    world.item(slots=1)
    claim(world, world.ann1)
    answer = claim_task(actor=world.ann3, project=world.project, member=member)
    assert answer["reason"]["code"] == "all_leased" and answer["reason"]["until"]


def test_order_is_priority_then_import(world: World) -> None:
    world.item("a"), world.item("b"), world.item("c", priority=5)
    seat = claim(world, world.ann1)
    assert seat and seat.task.item.external_key == "c"


def test_save_rebuilds_by_digest_over_checkpoints(single: World) -> None:
    single.item()
    seat = claim(single, single.ann1)
    assert seat
    asset = asset_of(seat)
    for n in range(60):
        save(seat, [add(box(asset, n, n, n + 10, n + 10))])
    document = read_document(seat)
    assert len(document["regions"]) == 60 and seat.revision == 60
    assert len(read_document(seat, 30)["regions"]) == 30
    assert seat.checkpoints.count() == 1
    assert Revision.objects.get(assignment=seat, number=60).digest == seat.digest


def test_stale_revision_is_refused_and_nothing_is_overwritten(single: World) -> None:
    single.item()
    seat = claim(single, single.ann1)
    assert seat
    save(seat, [add(box(asset_of(seat), 1, 1, 9, 9))])
    with pytest.raises(Conflict) as caught:
        save(seat, [add(box(asset_of(seat), 2, 2, 8, 8))], if_revision=0)
    assert caught.value.code == "stale_revision" and caught.value.extra["revision"] == 1
    assert len(read_document(seat)["regions"]) == 1


def test_a_replayed_save_is_one_revision(single: World) -> None:
    single.item()
    seat = claim(single, single.ann1)
    assert seat
    changes = [add(box(asset_of(seat), 1, 1, 9, 9))]
    idem = Idem("k1", "POST x", "d")
    one = save(seat, changes, idem=idem, if_revision=0)
    two = save(seat, changes, idem=idem, if_revision=0)
    assert one == two and Revision.objects.filter(assignment=seat).count() == 1
    with pytest.raises(Conflict, match="key_reused"):
        save(seat, changes, idem=Idem("k1", "POST x", "other"))


def test_an_unknown_label_is_refused_with_its_place(single: World) -> None:
    single.item()
    seat = claim(single, single.ann1)
    assert seat
    with pytest.raises(Invalid) as caught:
        save(seat, [add(box(asset_of(seat), 1, 1, 9, 9, label="dragon"))])
    assert caught.value.code == "label_not_in_schema" and "label" in (caught.value.field or "")
    assert seat_of(single.ann1, seat.public_id).revision == 0


def test_one_person_submits_and_the_document_is_accepted(single: World) -> None:
    task = single.item()
    seat = claim(single, single.ann1)
    assert seat
    save(seat, [add(box(asset_of(seat), 1, 1, 9, 9))], submit=True)
    assert seat_verbs.sweep()
    task.refresh_from_db()
    accepted = AcceptedDocument.objects.get(task=task)
    assert task.state == "accepted" and accepted.way == "single" and accepted.digest == seat.digest
    verbs = list(Event.objects.filter(task=task.public_id).order_by("seq").values_list("verb", flat=True))
    assert verbs == ["task.claimed", "annotation.submitted", "task.accepted"]


def test_two_people_lead_to_compare_only_after_both(world: World) -> None:
    task = world.item()
    one, two = claim(world, world.ann1), claim(world, world.ann2)
    assert one and two
    save(one, [], submit=True)
    assert not seat_verbs.sweep()
    save(two, [], submit=True)
    assert seat_verbs.sweep()
    task.refresh_from_db()
    assert task.state == "compare"


def test_submit_twice_is_refused_and_the_first_stands(single: World) -> None:
    single.item()
    seat = claim(single, single.ann1)
    assert seat
    save(seat, [], submit=True)
    with pytest.raises(Conflict, match="already_submitted"):
        save(seat, [add(box(asset_of(seat), 1, 1, 9, 9))], submit=True)


def test_withdraw_within_the_grace(single: World, settings: object) -> None:
    settings.GRACE_S = 60  # type: ignore[attr-defined]
    task = single.item()
    seat = claim(single, single.ann1)
    assert seat
    save(seat, [], submit=True)
    assert not seat_verbs.sweep()
    seat = seat_of(single.ann1, seat.public_id)
    seat_verbs.withdraw(actor=single.ann1, seat=seat)
    task.refresh_from_db()
    seat.refresh_from_db()
    assert seat.state == "live" and task.n_submitted == 0 and task.due_at is None
    save(seat, [add(box(asset_of(seat), 1, 1, 9, 9))], submit=True)
    with pytest.raises(Conflict, match="grace_over"):
        seat_verbs.withdraw(actor=single.ann1, seat=seat, now=timezone.now() + timedelta(seconds=61))


def test_skip_frees_the_seat_and_is_not_offered_again(world: World) -> None:
    task = world.item(slots=1)
    seat = claim(world, world.ann1)
    assert seat
    seat_verbs.skip(actor=world.ann1, seat=seat, token=seat.token, reason="blurred")
    task.refresh_from_db()
    assert (task.n_taken, task.claimable, task.state) == (0, True, "ready")
    assert claim(world, world.ann1) is None
    other = claim(world, world.ann2)
    assert other and other.task_id == task.pk


def test_skipped_by_all_is_stuck(world: World) -> None:
    task = world.item(slots=1)
    for who in (world.ann1, world.ann2, world.ann3):
        seat = claim(world, who)
        assert seat
        seat_verbs.skip(actor=who, seat=seat, token=seat.token, reason="no")
    task.refresh_from_db()
    assert task.stuck
    member = world.member(world.ann1)
    member.account = world.ann1
    assert claim_task(actor=world.ann1, project=world.project, member=member)["reason"]["code"] == "stuck"


def test_a_lost_seat_is_retaken_by_its_save_while_free(world: World) -> None:
    task = world.item(slots=1)
    seat = claim(world, world.ann1)
    assert seat
    Assignment.objects.filter(pk=seat.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    seat_verbs.sweep()
    task.refresh_from_db()
    assert task.n_taken == 0
    save(seat, [add(box(asset_of(seat), 1, 1, 9, 9))])
    task.refresh_from_db()
    seat.refresh_from_db()
    assert seat.state == "live" and seat.revision == 1 and task.n_taken == 1


def test_a_save_after_another_took_the_seat_is_parked(world: World) -> None:
    world.item(slots=1)
    seat = claim(world, world.ann1)
    assert seat
    Assignment.objects.filter(pk=seat.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    other = claim(world, world.ann2)
    assert other and other.task_id == seat.task_id
    with pytest.raises(Conflict) as caught:
        save(seat, [add(box(asset_of(seat), 1, 1, 9, 9))])
    assert caught.value.code == "lease_lost"
    parked = ParkedDraft.objects.get()
    assert parked.public_id == caught.value.extra["parked"] and parked.account_id == world.ann1.pk
    assert len(parked.changes) == 1 and not read_document(other)["regions"]


def test_ahead_is_one_short_unpinned_and_opened_later(world: World) -> None:
    for _ in range(6):
        world.item()
    first = claim(world, world.ann1)
    ahead = claim(world, world.ann1, ahead=True)
    again = claim(world, world.ann1, ahead=True)
    assert first and ahead and again and ahead.pk == again.pk and ahead.task_id != first.task_id
    assert ahead.state == "ahead" and Task.objects.get(pk=ahead.task_id).pinned_at is None
    save(first, [], submit=True)
    opened = open_seat(actor=world.ann1, seat=ahead)
    assert opened.state == "live" and Task.objects.get(pk=ahead.task_id).pinned_at is not None


def test_ahead_is_refused_when_few_are_left(world: World) -> None:
    world.item(), world.item()
    assert claim(world, world.ann1)
    assert claim(world, world.ann1, ahead=True) is None


def test_prelabels_are_pinned_at_the_first_claim(world: World) -> None:
    task = world.item()
    world.prelabel(task, [(1, 1, 20, 20)])
    one = claim(world, world.ann1)
    assert one
    world.prelabel(task, [(5, 5, 30, 30)])
    two = claim(world, world.ann2)
    assert two
    assert [p["id"] for p in work_of(one)["prelabels"]] == [p["id"] for p in work_of(two)["prelabels"]]
    assert one.shown == two.shown == "shown"


def test_what_one_reads_does_not_depend_on_a_colleague(world: World) -> None:
    task = world.item()
    one = claim(world, world.ann1)
    assert one
    before = work_of(seat_of(world.ann1, one.public_id))
    two = claim(world, world.ann2)
    assert two
    save(two, [add(box(asset_of(two), 1, 1, 9, 9))], submit=True)
    after = work_of(seat_of(world.ann1, one.public_id))
    before.pop("server_now"), after.pop("server_now")
    assert before == after
    assert task.public_id == after["task"]["id"]


def test_a_park_keeps_the_seat(world: World) -> None:
    world.item(slots=1)
    seat = claim(world, world.ann1)
    assert seat
    seat_verbs.park(actor=world.ann1, seat=seat, token=seat.token)
    seat.refresh_from_db()
    assert seat.parked and seat.lease_until > timezone.now() + timedelta(hours=23)
