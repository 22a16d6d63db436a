"""Lots: commit before freeze, homogeneous, drawn by the seed, judged by people without a part, verdict,
void."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from annotator.actions.verb import Idem
from annotator.core.errors import Conflict, Forbidden, Invalid
from annotator.models import AcceptedDocument, Event, Member
from review.actions.judge_lot import close_lot, judge_member, void_lot
from review.actions.make_lot import commit_lot, freeze_lot
from review.core.sampling.draw import commitment, draw
from review.models import Lot, LotMember
from review.queries.lots import frozen, gate, strata
from tests.actors import World, add, api, box, make_world
from tests.review_world import answer, compare

pytestmark = pytest.mark.django_db


def accepted_tasks(world: World, n: int) -> None:
    for _ in range(n):
        task = world.item()
        asset = task.item.item_assets.get().asset.public_id
        answer(world, world.ann1, [add(box(asset, 10, 10, 60, 60))])
    compare()


@pytest.fixture
def filled(db: Any) -> World:
    world = make_world(slots=1)
    accepted_tasks(world, 12)
    return world


def committed(world: World, **more: Any) -> Lot:
    fields: dict[str, Any] = {"name": "first", "share": "0.25", "quality": "0.9"} | more
    made = commit_lot(actor=world.lead, project=world.project, **fields)
    return Lot.objects.get(public_id=made["id"])


def judging(world: World, **more: Any) -> Lot:
    lot = committed(world, **more)
    freeze_lot(actor=world.lead, lot=lot)
    lot.refresh_from_db()
    return lot


def test_the_seed_is_committed_before_the_list_exists(filled: World) -> None:
    lot = judging(filled)
    assert (lot.size, lot.n, lot.ac, lot.state) == (12, 3, 0, "judging")
    verbs = list(Event.objects.filter(object=lot.public_id).order_by("seq").values_list("verb", "data"))
    assert [verb for verb, _ in verbs] == ["lot.committed", "lot.frozen"]
    assert verbs[0][1]["commitment"] == commitment(bytes.fromhex(lot.seed)) == lot.seed_commitment
    assert lot.seed not in str(verbs)
    names = list(lot.members.values_list("task__public_id", flat=True))
    drawn = set(lot.members.filter(drawn=True).values_list("task__public_id", flat=True))
    assert drawn == set(draw(bytes.fromhex(lot.seed), names, lot.n))


def test_a_task_lies_in_one_open_lot(filled: World) -> None:
    lot = judging(filled)
    with pytest.raises(Conflict, match="lot_empty"):
        freeze_lot(actor=filled.lead, lot=committed(filled, name="second"))
    task = lot.members.first().task  # type: ignore[union-attr]
    assert frozen(task) is not None
    void_lot(actor=filled.lead, lot=lot, reason="wrong batch")
    assert frozen(task) is None
    again = judging(filled, name="third")
    assert again.size == 12


def test_a_lot_is_homogeneous(filled: World) -> None:
    first = AcceptedDocument.objects.order_by("pk").first()
    assert first is not None
    AcceptedDocument.objects.filter(pk=first.pk).update(way="decided")
    with pytest.raises(Conflict, match="lot_not_homogeneous"):
        freeze_lot(actor=filled.lead, lot=committed(filled))
    assert not LotMember.objects.exists() and Lot.objects.get().state == "committed"
    assert {(row["way"], row["n"]) for row in strata(filled.project)} == {("single", 11), ("decided", 1)}
    assert judging(filled, way="single").size == 11


def judge_all(lot: Lot, who: Any, wrong: dict[int, str] | None = None) -> None:
    for index, member in enumerate(lot.members.filter(drawn=True).order_by("pk")):
        severity = (wrong or {}).get(index)
        judge_member(
            actor=who,
            member=member,
            verdict="wrong" if severity else "right",
            severity=severity or "",
            error_type="missed" if severity else "",
        )


def test_all_right_is_accepted_and_the_seed_is_shown(filled: World) -> None:
    lot = judging(filled)
    with pytest.raises(Conflict, match="not_all_judged"):
        close_lot(actor=filled.lead, lot=lot)
    judge_all(lot, filled.checker)
    made = close_lot(actor=filled.lead, lot=lot)
    assert (made["state"], made["found"], made["seed"]) == ("accepted", 0, lot.seed)
    assert made["interval"]["method"] == "hypergeometric" and made["interval"]["low"] == 0
    assert not lot.members.filter(open=True).exists()
    with pytest.raises(Conflict, match="state_changed"):
        close_lot(actor=filled.lead, lot=lot)
    with pytest.raises(Conflict, match="state_changed"):
        void_lot(actor=filled.lead, lot=lot, reason="late")
    with pytest.raises(Conflict, match="lot_empty"):  # judged once is enough
        freeze_lot(actor=filled.lead, lot=committed(filled, name="again"))


@pytest.mark.parametrize(
    ("wrong", "state", "found"),
    [({0: "C", 1: "C"}, "accepted", 0), ({0: "B"}, "not_accepted", 1), ({0: "A"}, "not_accepted", 1)],
)
def test_classes_decide(filled: World, wrong: dict[int, str], state: str, found: int) -> None:
    lot = judging(filled)
    judge_all(lot, filled.checker, wrong)
    made = close_lot(actor=filled.lead, lot=lot)
    assert (made["state"], made["found"]) == (state, found)


def test_one_critical_item_refuses_although_the_number_would_allow_it(filled: World) -> None:
    lot = judging(filled, share="1", quality="0.5")
    assert lot.ac == 6
    judge_all(lot, filled.checker, {0: "A"})
    assert close_lot(actor=filled.lead, lot=lot)["state"] == "not_accepted"


def test_a_judge_had_no_part(filled: World) -> None:
    Member.objects.filter(project=filled.project, account=filled.ann1).update(roles=["annotator", "checker"])
    lot = judging(filled)
    member = lot.members.filter(drawn=True).first()
    assert member is not None
    with pytest.raises(Forbidden, match="own_part"):
        judge_member(actor=filled.ann1, member=member, verdict="right")
    judge_member(actor=filled.checker, member=member, verdict="right")
    with pytest.raises((Conflict, Forbidden)):
        judge_member(actor=filled.checker, member=member, verdict="wrong", severity="B", error_type="missed")
    with pytest.raises(Conflict, match="judged_already"):
        judge_member(actor=filled.expert, member=member, verdict="right")
    member.refresh_from_db()
    assert member.verdict == "right" and member.judge == filled.checker


def test_bad_judgements_and_lots(filled: World) -> None:
    lot = judging(filled)
    member = lot.members.filter(drawn=True).first()
    assert member is not None
    for bad in (
        {"verdict": "so"},
        {"verdict": "wrong"},
        {"verdict": "wrong", "severity": "A", "error_type": "x"},
    ):
        with pytest.raises(Invalid):
            judge_member(actor=filled.checker, member=member, **bad)
    for bad in (
        {"share": "0"},
        {"share": "x"},
        {"quality": "2"},
        {"plan": "iso.v1"},
        {"name": " "},
        {"way": "x"},
    ):
        with pytest.raises(Invalid):
            committed(filled, **bad)
    with pytest.raises(Invalid):
        void_lot(actor=filled.lead, lot=lot, reason=" ")


def test_the_gate_of_projects_that_use_lots(db: Any) -> None:
    world = make_world(slots=1, use_lots=True)
    accepted_tasks(world, 4)

    def held() -> list[str]:
        accepted = list(AcceptedDocument.objects.filter(current=True).values_list("pk", flat=True))
        return gate(SimpleNamespace(project=world.project, accepted=accepted))

    assert held() == ["4 accepted tasks lie in no accepted lot."]
    lot = judging(world)
    judge_all(lot, world.checker)
    close_lot(actor=world.lead, lot=lot)
    assert held() == []


def test_replay(filled: World) -> None:
    idem = Idem("l1", "POST /lots", "d")
    fields: dict[str, Any] = {"actor": filled.lead, "project": filled.project, "name": "x", "idem": idem}
    assert commit_lot(**fields) == commit_lot(**fields)
    assert Lot.objects.count() == 1


def test_doors(filled: World) -> None:
    project = f"/api/projects/{filled.project.public_id}/lots"
    body = {"name": "by door", "share": 0.25, "quality": "0.9"}
    assert api(filled.stranger).post(project, body, format="json").status_code == 404
    for who in (filled.ann1, filled.checker, filled.expert, filled.viewer, filled.importer):
        assert api(who).post(project, body, format="json").status_code == 403
        assert api(who).get(project).status_code == 403
    made = api(filled.lead).post(project, body, format="json")
    assert made.status_code == 201 and made.json()["seed"] is None
    url = f"/api/lots/{made.json()['id']}"
    assert api(filled.stranger).get(url).content == api(filled.stranger).get("/api/lots/lt_unknown").content
    frozen_answer = api(filled.lead).post(f"{url}/freeze", {}, format="json").json()
    assert frozen_answer["n"] == 3 and frozen_answer["buys"]["acceptance_number"] == 0
    lot = Lot.objects.get()
    inside = lot.members.filter(drawn=True).first()
    outside = lot.members.filter(drawn=False).first()
    assert inside is not None and outside is not None
    say = {"task": inside.task.public_id, "verdict": "right"}
    assert api(filled.ann1).post(f"{url}/judgements", say, format="json").status_code == 403
    unknown = api(filled.checker).post(
        f"{url}/judgements", say | {"task": outside.task.public_id}, format="json"
    )
    assert unknown.status_code == 404
    assert api(filled.checker).post(f"{url}/judgements", say, format="json").json()["left"] == 2
    assert api(filled.expert).post(f"{url}/judgements", say, format="json").status_code == 409
    assert api(filled.lead).post(f"{url}/verdict", {}, format="json").status_code == 409
    assert api(filled.checker).post(f"{url}/verdict", {}, format="json").status_code == 403
    assert api(filled.lead).post(f"{url}/void", {"reason": "test"}, format="json").json()["state"] == "void"
    listed = api(filled.lead).get(project).json()
    assert [row["state"] for row in listed["results"]] == ["void"] and listed["strata"][0]["n"] == 12
    preview = api(filled.lead).get(f"{project}/preview?size=1000&share=0.1&quality=0.98").json()
    assert (preview["n"], preview["acceptance_number"], round(preview["confidence"], 2)) == (100, 2, 0.35)
    for bad in ("size=0", "size=x", "size=9999999", "size=10&share=7"):
        assert api(filled.lead).get(f"{project}/preview?{bad}").status_code == 400
