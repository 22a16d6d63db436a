"""Arbitration: claim, what the seat shows, decide, return; strangers, stale, replay, two at once."""

from __future__ import annotations

import json
from datetime import timedelta
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
    IdempotencyKey,
    Member,
    Reservation,
    Task,
)
from annotator.queries.work import work_of
from review.actions.decide_dispute import decide_dispute
from review.actions.return_dispute import return_dispute
from review.models import Dispute, Verdict
from tests.actors import World, api, box, claim, make_world, save
from tests.review_world import answer, compare, label_both

pytestmark = pytest.mark.django_db


def disputed(world: World, label: str = "coin") -> tuple[Task, Dispute]:
    """ann1 draws two boxes, ann2 one of them and another."""
    task = world.item()
    label_both(
        world, [(10, 10, 60, 60), (100, 100, 150, 150)], [(10, 10, 60, 60), (200, 200, 250, 250)], label
    )
    compare()
    task.refresh_from_db()
    return task, Dispute.objects.get(task=task)


def arbitrate(world: World, who: Account | None = None) -> Assignment:
    seat = claim(world, who or world.expert, "arbitrate")
    assert seat is not None
    return seat


def all_of(dispute: Dispute, choice: str) -> list[dict[str, Any]]:
    return [{"difference": row.public_id, "choice": choice} for row in dispute.differences.all()]


def test_the_seat_shows_sides_questions_and_no_names(world: World) -> None:
    _, dispute = disputed(world)
    seat = arbitrate(world)
    work = work_of(seat)
    assert work["dispute"] == {"id": dispute.public_id}
    assert [side["key"] for side in work["sides"]] == ["A", "B"]
    assert len(work["differences"]) == 2 and len(work["agreed"]["regions"]) == 1
    assert work["document"]["regions"].keys() == work["agreed"]["regions"].keys()
    for entry in work["differences"]:
        assert entry["kind"] == "missing" and entry["class"] == "A" and entry["label"] == "coin"
        present = [key for key, region in entry["regions"].items() if region]
        (side,) = (side for side in work["sides"] if side["key"] == present[0])
        assert entry["regions"][present[0]] in side["document"]["regions"]
    text = json.dumps(work)
    for person in (world.ann1, world.ann2):
        assert person.username not in text and person.public_id not in text
    labels = Assignment.objects.filter(stage="label").values_list("public_id", flat=True)
    assert not any(name in text for name in labels)


def test_origin_is_hidden_until_the_verdict(world: World) -> None:
    task = world.item()
    asset = task.item.item_assets.get().asset.public_id
    kept = box(asset, 10, 10, 60, 60) | {"origin": {"kind": "kept", "prelabel": "pl_x", "region": "r_x"}}
    answer(world, world.ann1, [{"op": "add", "region": kept}])
    answer(world, world.ann2, [])
    compare()
    seat = arbitrate(world)
    assert "pl_x" not in json.dumps(work_of(seat))
    dispute = Dispute.objects.get(task=task)
    side = next(key for key, name in dispute.differences.get().data["regions"].items() if name)
    decide_dispute(actor=world.expert, dispute=dispute, token=seat.token, decisions=all_of(dispute, side))
    (region,) = AcceptedDocument.objects.get(task=task).document["regions"].values()
    assert region["origin"]["prelabel"] == "pl_x"


def test_a_verdict_accepts_and_credits(world: World) -> None:
    task, dispute = disputed(world)
    seat = arbitrate(world)
    rows = list(dispute.differences.all())
    keep = next(key for key, name in rows[0].data["regions"].items() if name)
    decisions = [
        {"difference": rows[0].public_id, "choice": keep},
        {"difference": rows[1].public_id, "choice": "none"},
    ]
    made = decide_dispute(
        actor=world.expert,
        dispute=dispute,
        token=seat.token,
        decisions=decisions,
        reason_code="clear",
        active_ms=5,
    )
    assert made["state"] == "accepted"
    accepted = AcceptedDocument.objects.get(task=task)
    assert (
        accepted.way == "decided"
        and accepted.digest == made["digest"]
        and len(accepted.document["regions"]) == 2
    )
    names = {side["key"]: side["assignment"] for side in dispute.sides}
    assert accepted.provenance["by_region"][rows[0].data["regions"][keep]] == [names[keep]]
    verdict = Verdict.objects.get(dispute=dispute)
    assert (verdict.arbiter, verdict.digest, verdict.reason_code) == (world.expert, made["digest"], "clear")
    rows[0].refresh_from_db()
    assert rows[0].choice == keep
    seat.refresh_from_db(), dispute.refresh_from_db()
    assert (seat.state, dispute.state) == ("submitted", "decided")
    assert list(
        Event.objects.filter(task=task.public_id).order_by("-seq").values_list("verb", flat=True)[:2]
    ) == [
        "task.accepted",
        "dispute.decided",
    ]


def test_a_verdict_goes_on_to_the_check(db: Any) -> None:
    world = make_world(check={"share": 1.0})
    task, dispute = disputed(world)
    seat = arbitrate(world)
    made = decide_dispute(
        actor=world.expert, dispute=dispute, token=seat.token, decisions=all_of(dispute, "none")
    )
    assert made["state"] == "check"
    assert CandidateDocument.objects.get(task=task).way == "decided"


def test_the_arbiter_draws(world: World) -> None:
    task, dispute = disputed(world)
    seat = arbitrate(world)
    asset = task.item.item_assets.get().asset.public_id
    drawn = box(asset, 300, 300, 340, 340) | {"origin": {"kind": "kept", "prelabel": "pl_lie"}}
    decisions = all_of(dispute, "none")
    decisions[0] |= {"choice": "edit", "region": drawn}
    decide_dispute(actor=world.expert, dispute=dispute, token=seat.token, decisions=decisions)
    accepted = AcceptedDocument.objects.get(task=task)
    assert accepted.document["regions"][drawn["id"]]["origin"] == {"kind": "drawn", "source": "verdict"}
    assert accepted.provenance["by_region"][drawn["id"]] == [seat.public_id]
    for bad in (
        {"x0": 0, "y0": 0, "x1": 9999, "y1": 9999},
        {"x0": 5, "y0": 5, "x1": 1, "y1": 1},
    ):
        _, other = disputed(world)
        again = arbitrate(world)
        wrong = all_of(other, "none")
        wrong[0] |= {"choice": "edit", "region": box(asset, 0, 0, 1, 1) | {"geometry": bad}}
        with pytest.raises(Invalid):
            decide_dispute(actor=world.expert, dispute=other, token=again.token, decisions=wrong)
        again.refresh_from_db()
        assert again.state == "live"
        decide_dispute(actor=world.expert, dispute=other, token=again.token, decisions=all_of(other, "none"))


def test_masks_an_arbiter_draws_come_with_their_parts(world: World) -> None:
    import base64

    import numpy as np

    from annotator.core.masks import mask_to_parts
    from annotator.models import Part

    task, dispute = disputed(world)
    seat = arbitrate(world)
    pixels = np.zeros((480, 640), dtype=bool)
    pixels[10:40, 10:50] = True
    tiles, parts = mask_to_parts(pixels)
    asset = task.item.item_assets.get().asset.public_id
    drawn = box(asset, 0, 0, 1, 1) | {"shape": "mask", "geometry": {"tiles": tiles}}
    decisions = all_of(dispute, "none")
    decisions[0] |= {"choice": "edit", "region": drawn}
    with pytest.raises(Invalid, match="part_unknown"):
        decide_dispute(actor=world.expert, dispute=dispute, token=seat.token, decisions=decisions)
    sent = {name: base64.b64encode(raw).decode() for name, raw in parts.items()}
    decide_dispute(actor=world.expert, dispute=dispute, token=seat.token, decisions=decisions, parts=sent)
    assert Part.objects.filter(assignment=seat, digest__in=parts).count() == len(parts)


def test_all_differences_need_a_decision(world: World) -> None:
    task, dispute = disputed(world)
    seat = arbitrate(world)
    rows = all_of(dispute, "none")
    for decisions in (
        rows[:1],
        [],
        [*rows, rows[0]],
        [{"difference": "df_x", "choice": "none"}],
        [{"choice": 1}],
    ):
        with pytest.raises(Invalid):
            decide_dispute(actor=world.expert, dispute=dispute, token=seat.token, decisions=decisions)
    with pytest.raises(Invalid) as left:
        decide_dispute(actor=world.expert, dispute=dispute, token=seat.token, decisions=rows[:1])
    assert left.value.field == rows[1]["difference"]
    task.refresh_from_db(), seat.refresh_from_db()
    assert (task.state, seat.state) == ("disputed", "live")
    assert not Verdict.objects.exists()


def test_who_labelled_never_arbitrates(world: World) -> None:
    for who in (world.ann1, world.ann2):
        member = Member.objects.get(project=world.project, account=who)
        member.roles = ["annotator", "expert"]
        member.save()
    disputed(world)
    assert claim(world, world.ann1, "arbitrate") is None
    second = Account.objects.create_user("second-of-ann1", "x", same_person_as=world.ann1)
    Member.objects.create(project=world.project, account=second, roles=["expert"], joined_at=timezone.now())
    assert claim(world, second, "arbitrate") is None
    # nor does the list tell the two that their task is disputed
    rows = api(world.ann1).get(f"/api/projects/{world.project.public_id}/disputes").json()["results"]
    assert rows == []
    assert (
        len(api(world.expert).get(f"/api/projects/{world.project.public_id}/disputes").json()["results"]) == 1
    )
    assert claim(world, world.expert, "arbitrate") is not None


def test_a_checker_settles_b_and_c_where_the_workflow_says_so(db: Any) -> None:
    compare_to = {
        "iou": 0.85,
        "edge_px": 2,
        "match_iou": 0.5,
        "class_a_to": "expert",
        "class_bc_to": "checker",
    }
    world = make_world(compare=compare_to)
    disputed(world, "coin")
    disputed(world, "scratch")
    seat = claim(world, world.checker, "arbitrate")
    assert seat is not None and Dispute.objects.get(task=seat.task).worst == "B"
    plain = make_world_again()
    disputed(plain, "scratch")
    assert claim(plain, plain.checker, "arbitrate") is None


def make_world_again() -> World:
    for account in Account.objects.all():
        account.username = f"old-{account.username}"
        account.save()
    return make_world()


def test_the_worst_first_and_one_holder_a_dispute(world: World) -> None:
    disputed(world, "scratch")
    worse, _ = disputed(world, "coin")
    first = arbitrate(world)
    assert first.task_id == worse.pk
    other = Account.objects.create_user("expert2", "x")
    Member.objects.create(project=world.project, account=other, roles=["expert"], joined_at=timezone.now())
    second = arbitrate(world, other)
    assert second.task_id != first.task_id
    third = Account.objects.create_user("expert3", "x")
    Member.objects.create(project=world.project, account=third, roles=["expert"], joined_at=timezone.now())
    answered = api(third).post(
        f"/api/projects/{world.project.public_id}/claims", {"stage": "arbitrate"}, format="json"
    )
    assert answered.json()["reason"]["code"] == "all_leased"


def test_two_arbiters_one_after_the_other_lost_its_lease(world: World) -> None:
    task, dispute = disputed(world)
    first = arbitrate(world)
    Assignment.objects.filter(pk=first.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    other = Account.objects.create_user("expert2", "x")
    Member.objects.create(project=world.project, account=other, roles=["expert"], joined_at=timezone.now())
    second = arbitrate(world, other)
    assert second.task_id == task.pk
    with pytest.raises(Conflict, match="lease_lost"):
        decide_dispute(
            actor=world.expert, dispute=dispute, token=first.token, decisions=all_of(dispute, "none")
        )
    decide_dispute(actor=other, dispute=dispute, token=second.token, decisions=all_of(dispute, "none"))
    assert Verdict.objects.get(dispute=dispute).arbiter == other


def test_an_expired_seat_that_nobody_took_still_counts(world: World) -> None:
    _, dispute = disputed(world)
    seat = arbitrate(world)
    Assignment.objects.filter(pk=seat.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    decide_dispute(actor=world.expert, dispute=dispute, token=seat.token, decisions=all_of(dispute, "none"))
    assert Verdict.objects.filter(dispute=dispute).exists()


def test_decide_twice_and_replay(world: World) -> None:
    _, dispute = disputed(world)
    seat = arbitrate(world)
    idem = Idem("k1", "POST /verdict", "d")
    one = decide_dispute(
        actor=world.expert, dispute=dispute, token=seat.token, decisions=all_of(dispute, "none"), idem=idem
    )
    events = Event.objects.count()
    again = decide_dispute(
        actor=world.expert, dispute=dispute, token=seat.token, decisions=all_of(dispute, "none"), idem=idem
    )
    assert (
        again == one
        and Event.objects.count() == events
        and IdempotencyKey.objects.filter(key="k1").count() == 1
    )
    with pytest.raises(Conflict, match="already_answered"):
        decide_dispute(
            actor=world.expert, dispute=dispute, token=seat.token, decisions=all_of(dispute, "none")
        )
    assert Verdict.objects.count() == 1


def test_nothing_is_left_half_when_it_dies_inside(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from annotator.actions.steps import states

    task, dispute = disputed(world)
    seat = arbitrate(world)

    def die(*_: Any, **__: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(states, "accept", die)
    with pytest.raises(SystemExit):
        decide_dispute(
            actor=world.expert, dispute=dispute, token=seat.token, decisions=all_of(dispute, "none")
        )
    task.refresh_from_db(), seat.refresh_from_db(), dispute.refresh_from_db()
    assert (task.state, seat.state, dispute.state) == ("disputed", "live", "open")
    assert not Verdict.objects.exists()


def test_doors(world: World) -> None:
    _, dispute = disputed(world)
    seat = arbitrate(world)
    url = f"/api/disputes/{dispute.public_id}/verdict"
    body = {"token": seat.token, "decisions": all_of(dispute, "none"), "active_ms": 10}
    unknown = api(world.stranger).post("/api/disputes/d_unknown/verdict", body, format="json")
    stranger = api(world.stranger).post(url, body, format="json")
    assert (stranger.status_code, stranger.content) == (404, unknown.content)
    assert api(None).post(url, body, format="json").status_code == 401
    for who in (world.ann1, world.viewer, world.lead, world.importer):
        assert api(who).post(url, body, format="json").status_code == 403
    # a checker has the right, but not the seat
    assert api(world.checker).post(url, body, format="json").json()["error"]["code"] == "no_seat"
    assert api(world.expert).get(url).status_code == 405
    wrong = api(world.expert).post(url, body | {"token": "no"}, format="json")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (409, "lease_lost")
    extra = api(world.expert).post(url, body | {"state": "accepted"}, format="json")
    assert extra.status_code == 400
    sub = api(world.expert).post(
        f"/api/assignments/{seat.public_id}/submission",
        {"token": seat.token, "if_revision": 0, "changes": []},
        format="json",
    )
    assert sub.status_code == 409
    done = api(world.expert).post(url, body, format="json", headers={"Idempotency-Key": "v1"})
    assert done.status_code == 201
    again = api(world.expert).post(url, body, format="json", headers={"Idempotency-Key": "v1"})
    assert (again.status_code, again.json()) == (201, done.json())
    other = api(world.expert).post(
        url, body | {"active_ms": 11}, format="json", headers={"Idempotency-Key": "v1"}
    )
    assert other.status_code == 409


def test_return_names_seats_and_the_other_stands(world: World) -> None:
    task, dispute = disputed(world)
    seat = arbitrate(world)
    names = {side["key"]: Assignment.objects.get(public_id=side["assignment"]) for side in dispute.sides}
    mine = next(iter(names["A"].checkpoints.last().document["regions"]))
    theirs = next(iter(names["B"].checkpoints.last().document["regions"]))
    marks = [
        {"region": mine, "text": "too wide"},
        {"region": theirs, "text": "secret"},
        {"text": "one is missing"},
    ]
    made = return_dispute(
        actor=world.expert, dispute=dispute, token=seat.token, sides=["A"], error_type="missed", marks=marks
    )
    assert made["state"] == "returned" and made["round"] == 2
    task.refresh_from_db(), dispute.refresh_from_db()
    assert (task.state, task.round, dispute.state) == ("returned", 2, "returned")
    kept = Reservation.objects.get(task=task)
    assert kept.person_id == names["A"].person_id
    assert [mark["text"] for mark in kept.marks] == [
        "too wide",
        "one is missing",
    ]  # nothing of the colleague's
    again = claim(world, names["A"].account)
    assert again is not None and again.task_id == task.pk
    work = work_of(again)
    assert work["document"]["regions"].keys() == names["A"].checkpoints.last().document["regions"].keys()
    save(again, [], submit=True)
    compare()
    task.refresh_from_db()
    assert task.state == "disputed" and Dispute.objects.filter(task=task).count() == 2
    # who returned it may decide it afterwards
    second = arbitrate(world)
    fresh = Dispute.objects.get(task=task, round=2)
    decide_dispute(actor=world.expert, dispute=fresh, token=second.token, decisions=all_of(fresh, "none"))
    task.refresh_from_db()
    assert task.state == "accepted"


def test_bad_returns(world: World) -> None:
    _, dispute = disputed(world)
    seat = arbitrate(world)
    good: dict[str, Any] = {"sides": ["A"], "error_type": "missed", "marks": []}
    for bad in (
        {"sides": []},
        {"sides": ["C"]},
        {"error_type": "nonsense"},
        {"marks": [{"text": 5}]},
        {"sides": [{}]},
    ):
        with pytest.raises(Invalid):
            return_dispute(actor=world.expert, dispute=dispute, token=seat.token, **(good | bad))
    seat.refresh_from_db()
    assert seat.state == "live"


def test_giving_back_offers_another_first(world: World) -> None:
    disputed(world), disputed(world)
    first = arbitrate(world)
    Assignment.objects.filter(pk=first.pk).update(state="released")
    second = arbitrate(world)
    assert second.task_id != first.task_id


def test_list_is_paged_worst_first(world: World) -> None:
    for label in ("scratch", "coin", "scratch"):
        disputed(world, label)
    url = f"/api/projects/{world.project.public_id}/disputes"
    page = api(world.expert).get(f"{url}?limit=2").json()
    assert [row["worst"] for row in page["results"]] == ["A", "B"]
    rest = api(world.expert).get(f"{url}?limit=2&cursor={page['next']}").json()
    assert [row["worst"] for row in rest["results"]] == ["B"] and rest["next"] is None
    assert api(world.expert).get(f"{url}?cursor=W10").status_code == 400
    assert api(world.ann1).get(url).status_code == 403
    assert api(world.stranger).get(url).status_code == 404
