"""The check stage: pass, mend, return; who may; stale, replay, two at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from annotator.actions.verb import Idem
from annotator.core.errors import Conflict, Invalid
from annotator.models import (
    AcceptedDocument,
    Account,
    Assignment,
    CandidateDocument,
    Event,
    Member,
    Reservation,
    Task,
)
from annotator.queries.work import work_of
from review.actions.decide_dispute import decide_dispute
from review.actions.settle_check import settle_check
from review.models import CheckOutcome, Dispute
from tests.actors import World, add, api, box, claim, make_world, save
from tests.review_world import answer, compare, label_both

pytestmark = pytest.mark.django_db


@pytest.fixture
def checked(db: Any) -> World:
    return make_world(slots=1, check={"share": 1.0})


def waiting(world: World, boxes: Any = ((10, 10, 60, 60),)) -> Task:
    """One task by ann1 that waits for its check."""
    task = world.item()
    asset = task.item.item_assets.get().asset.public_id
    answer(world, world.ann1, [add(box(asset, *entry)) for entry in boxes])
    compare()
    task.refresh_from_db()
    assert task.state == "check"
    return task


def seat_of(world: World, who: Account | None = None) -> Assignment:
    seat = claim(world, who or world.checker, "check")
    assert seat is not None
    return seat


def settle(seat: Assignment, outcome: str, **more: Any) -> dict[str, Any]:
    from annotator.queries.work import seat_of as fresh

    current = fresh(seat.account, seat.public_id)
    assert current is not None
    return settle_check(
        **(
            {"actor": seat.account, "seat": current, "token": seat.token, "outcome": outcome, "active_ms": 9}
            | more
        )
    )


def test_the_seat_shows_the_document_and_hides_how_it_was_made(checked: World) -> None:
    task = checked.item()
    asset = task.item.item_assets.get().asset.public_id
    region = box(asset, 10, 10, 60, 60) | {"origin": {"kind": "kept", "prelabel": "pl_x", "region": "r_x"}}
    answer(checked, checked.ann1, [add(region)])
    compare()
    work = work_of(seat_of(checked))
    assert set(work["document"]["regions"]) == {region["id"]}
    assert "pl_x" not in json.dumps(work) and "ann1" not in json.dumps(work)
    assert "missed" in work["check"]["error_types"]


def test_pass_accepts_the_candidate_unchanged(checked: World) -> None:
    task = waiting(checked)
    candidate = CandidateDocument.objects.get(task=task)
    seat = seat_of(checked)
    made = settle(seat, "pass")
    assert made == {"outcome": "pass", "state": "accepted", "digest": candidate.digest}
    accepted = AcceptedDocument.objects.get(task=task)
    assert (accepted.way, accepted.digest) == ("checked", candidate.digest)
    assert accepted.provenance["check"] == seat.public_id and accepted.provenance["came"] == "single"
    row = CheckOutcome.objects.get(task=task)
    assert (row.outcome, row.before_digest, row.after_digest) == ("pass", candidate.digest, candidate.digest)


def test_mend_is_an_own_revision_and_keeps_hidden_origins(checked: World) -> None:
    task = checked.item()
    asset = task.item.item_assets.get().asset.public_id
    kept = box(asset, 10, 10, 60, 60) | {"origin": {"kind": "kept", "prelabel": "pl_x", "region": "r_x"}}
    other = box(asset, 100, 100, 160, 160) | {"origin": {"kind": "kept", "prelabel": "pl_x", "region": "r_y"}}
    author = answer(checked, checked.ann1, [add(kept), add(other)])
    compare()
    seat = seat_of(checked)
    with pytest.raises(Invalid, match="nothing_mended"):
        settle(seat, "mend", if_revision=0)
    with pytest.raises(Invalid, match="missing_field"):
        settle(seat, "mend")
    shown = {**kept, "origin": {"kind": "drawn"}}
    fresh = box(asset, 300, 300, 360, 360)
    wider = {**shown, "geometry": {"x0": 10, "y0": 10, "x1": 70, "y1": 60}}
    save(seat, [{"op": "replace", "before": shown, "after": wider}, add(fresh)])
    with pytest.raises(Conflict, match="stale_revision"):
        settle(seat, "mend", if_revision=0)
    settle(seat, "mend", if_revision=1, error_type="wrong_extent")
    accepted = AcceptedDocument.objects.get(task=task)
    regions = accepted.document["regions"]
    assert accepted.way == "mended" and set(regions) == {kept["id"], other["id"], fresh["id"]}
    assert regions[kept["id"]]["origin"] == {"kind": "edited", "prelabel": "pl_x", "region": "r_x"}
    assert regions[kept["id"]]["geometry"]["x1"] == 70
    assert regions[other["id"]]["origin"] == other["origin"]
    by_region = accepted.provenance["by_region"]
    assert by_region[kept["id"]] == sorted([author.public_id, seat.public_id])
    assert by_region[other["id"]] == [author.public_id] and by_region[fresh["id"]] == [seat.public_id]


def test_return_goes_to_the_author_with_marks_and_comes_back(checked: World) -> None:
    task = waiting(checked)
    region = next(iter(CandidateDocument.objects.get(task=task).document["regions"]))
    seat = seat_of(checked)
    with pytest.raises(Invalid):
        settle(seat, "return")
    made = settle(seat, "return", error_type="wrong_extent", marks=[{"region": region, "text": "tighter"}])
    assert made == {"outcome": "return", "state": "returned", "round": 2}
    kept = Reservation.objects.get(task=task)
    assert kept.person_id == checked.ann1.pk
    assert kept.marks == [{"text": "tighter", "region": region, "error_type": "wrong_extent"}]
    assert claim(checked, checked.ann2) is None
    again = claim(checked, checked.ann1)
    assert again is not None and again.task_id == task.pk and again.marks == kept.marks
    save(again, [], submit=True)
    compare()
    # re-checking what one returned is allowed
    second = seat_of(checked)
    assert second.task_id == task.pk
    settle(second, "pass")
    task.refresh_from_db()
    assert task.state == "accepted"
    assert not AcceptedDocument.objects.filter(task=task, round=1).exists()


def test_return_of_an_agreed_document_goes_to_all_or_to_whose_region_is_marked(db: Any) -> None:
    world = make_world(check={"share": 1.0})
    task = world.item()
    label_both(world, [(10, 10, 60, 60)], [(10, 10, 60, 60)])
    compare()
    settle(seat_of(world), "return", error_type="missed", marks=[{"text": "look top left"}])
    assert Reservation.objects.filter(task=task).count() == 2


def test_nobody_who_labelled_or_decided_checks(db: Any) -> None:
    world = make_world(check={"share": 1.0})
    for who, roles in ((world.ann1, ["annotator", "checker"]), (world.expert, ["expert", "checker"])):
        Member.objects.filter(project=world.project, account=who).update(roles=roles)
    world.item()
    label_both(world, [(10, 10, 60, 60)], [])
    compare()
    seat = claim(world, world.expert, "arbitrate")
    assert seat is not None
    dispute = Dispute.objects.get(task=seat.task)
    side = next(key for key, name in dispute.differences.get().data["regions"].items() if name)
    decisions = [{"difference": dispute.differences.get().public_id, "choice": side}]
    decide_dispute(actor=world.expert, dispute=dispute, token=seat.token, decisions=decisions)
    url = f"/api/projects/{world.project.public_id}/checks"
    for who in (world.ann1, world.expert):
        assert claim(world, who, "check") is None
        assert api(who).get(url).json()["results"] == []
    assert len(api(world.checker).get(url).json()["results"]) == 1
    assert claim(world, world.checker, "check") is not None


def test_two_checkers_never_hold_one_task(checked: World) -> None:
    waiting(checked)
    seat_of(checked)
    assert claim(checked, checked.expert, "check") is None
    second = Account.objects.create_user("checker2", "x")
    Member.objects.create(
        project=checked.project, account=second, roles=["checker"], joined_at=timezone.now()
    )
    assert claim(checked, second, "check") is None


def test_twice_and_replay(checked: World) -> None:
    waiting(checked)
    seat = seat_of(checked)
    idem = Idem("c1", "POST /outcome", "d")
    one = settle(seat, "pass", idem=idem)
    events = Event.objects.count()
    assert settle(seat, "pass", idem=idem) == one and Event.objects.count() == events
    with pytest.raises(Conflict, match="already_answered"):
        settle(seat, "return", error_type="missed")
    assert CheckOutcome.objects.count() == 1 and AcceptedDocument.objects.count() == 1


def test_nothing_is_left_half_when_it_dies_inside(checked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from annotator.actions.steps import states

    task = waiting(checked)
    seat = seat_of(checked)

    def die(*_: Any, **__: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(states, "hand_back", die)
    with pytest.raises(SystemExit):
        settle(seat, "return", error_type="missed")
    task.refresh_from_db(), seat.refresh_from_db()
    assert (task.state, seat.state) == ("check", "live") and not CheckOutcome.objects.exists()


def test_doors(checked: World) -> None:
    waiting(checked)
    seat = seat_of(checked)
    url = f"/api/checks/{seat.public_id}/outcome"
    body = {"token": seat.token, "outcome": "pass", "active_ms": 5}
    for who in (checked.stranger, checked.expert, checked.lead, checked.ann1):
        assert api(who).post(url, body, format="json").status_code == 404
    assert api(None).post(url, body, format="json").status_code == 401
    assert api(checked.checker).get(url).status_code == 405
    label_seat = Assignment.objects.get(stage="label")
    assert (
        api(checked.ann1).post(f"/api/checks/{label_seat.public_id}/outcome", body, format="json").status_code
        == 404
    )
    assert api(checked.checker).post(url, body | {"outcome": "maybe"}, format="json").status_code == 400
    assert api(checked.checker).post(url, body | {"active_ms": -1}, format="json").status_code == 400
    assert api(checked.checker).post(url, body | {"token": "x"}, format="json").status_code == 409
    assert api(checked.checker).post(url, body | {"if_revision": 4}, format="json").status_code == 409
    made = api(checked.checker).post(url, body, format="json")
    assert made.status_code == 201
    gone = api(checked.checker).post(url, body, format="json")
    assert (gone.status_code, gone.json()["error"]["code"]) == (409, "already_answered")
    listed = f"/api/projects/{checked.project.public_id}/checks"
    assert api(checked.ann1).get(listed).status_code == 403
    assert api(checked.stranger).get(listed).status_code == 404
    assert api(checked.lead).get(listed).json() == {"results": [], "next": None}
