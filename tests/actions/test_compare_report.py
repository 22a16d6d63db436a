"""The quality report: figures by hand, undefined with reasons, the same bytes, nothing from after its
event."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from annotator.models import Event, Item
from review.actions.judge_lot import close_lot, judge_member
from review.actions.make_lot import commit_lot, freeze_lot
from review.models import Agreement, Lot
from review.queries.quality import is_complete, quality_report
from review.queries.report_files import make
from tests.actors import World, add, api, box, make_world
from tests.review_world import answer, compare, label_both

pytestmark = pytest.mark.django_db

SAME = [(10.0, 10.0, 60.0, 60.0)]


def test_an_empty_project_has_reasons_and_no_numbers(world: World) -> None:
    indicators = quality_report(world.project)["indicators"]
    assert indicators["completeness"]["undefined"] == "no_active_items"
    assert indicators["accuracy"]["undefined"] == "no_lot_judged"
    assert indicators["consistency"]["undefined"] == "no_pairs"
    assert indicators["timeliness"]["undefined"] == "nothing_accepted"
    assert (indicators["coverage"]["value"], indicators["coverage"]["n"]) == (0.0, 2)


def test_the_figures_by_hand(world: World) -> None:
    for index in range(8):
        world.item()
        label_both(world, SAME, SAME if index else [])
    compare()
    report = quality_report(world.project)
    consistency = report["indicators"]["consistency"]
    assert (consistency["value"], consistency["n"]) == (7 / 8, 8)
    assert consistency["interval"]["method"] == "cluster_bootstrap"
    assert consistency["interval"]["low"] < 7 / 8 <= consistency["interval"]["high"]
    # 14 of the 15 regions agree
    assert consistency["other_measures"]["f1_iou.v1"]["value"] == pytest.approx(14 / 15, abs=1e-6)
    assert consistency["other_measures"]["exact_answers.v1"]["undefined_pairs"] == {"nothing_answered": 8}
    assert consistency["f1_iou_by_label"]["coin"]["n"] == 8
    completeness = report["indicators"]["completeness"]
    assert (completeness["numerator"], completeness["denominator"]) == (7, 8)
    assert completeness["interval"]["undefined"] == "counted_not_sampled"
    coverage = report["indicators"]["coverage"]
    assert coverage["items_by_label"] == {"coin": 7, "scratch": 0} and coverage["value"] == 0.5
    assert report["indicators"]["timeliness"]["value"] == 1.0
    assert report["differences"] == {"n": 1, "by_kind": {"missing": 1}, "by_class": {"A": 1}}
    assert report["turnaround_hours"]["n"] == 7


def test_pairs_that_both_saw_prelabels_are_shown_apart(world: World) -> None:
    for _ in range(3):
        task = world.item()
        world.prelabel(task, [(10, 10, 60, 60)])
        label_both(world, SAME, SAME)
    compare()
    assert set(map(tuple, Agreement.objects.values_list("exposure", flat=True))) == {("shown", "shown")}
    consistency = quality_report(world.project)["indicators"]["consistency"]
    assert consistency["undefined"] == "no_pairs"
    assert consistency["concordance_under_prelabel"]["first_pass.v1"]["value"] == 1.0


def test_few_groups_have_no_interval(world: World) -> None:
    for _ in range(6):
        world.item()
        label_both(world, SAME, SAME)
    Item.objects.update(group="one patient")
    compare()
    consistency = quality_report(world.project)["indicators"]["consistency"]
    assert consistency["interval"] == {"undefined": "too_few_groups", "n": 1} and consistency["groups"] == 1


def test_accuracy_comes_from_lots(db: Any) -> None:
    world = make_world(slots=1)
    for _ in range(10):
        task = world.item()
        answer(world, world.ann1, [add(box(task.item.item_assets.get().asset.public_id, 10, 10, 60, 60))])
    compare()
    made = commit_lot(actor=world.lead, project=world.project, name="l", share="0.5", quality="0.9")
    lot = Lot.objects.get(public_id=made["id"])
    freeze_lot(actor=world.lead, lot=lot)
    members = list(lot.members.filter(drawn=True))
    for index, member in enumerate(members):
        wrong = {"verdict": "wrong", "severity": "B", "error_type": "missed"}
        judge_member(actor=world.checker, member=member, **(wrong if index == 0 else {"verdict": "right"}))
    lot.refresh_from_db()
    close_lot(actor=world.lead, lot=lot)
    report = quality_report(world.project)
    accuracy = report["indicators"]["accuracy"]
    assert (accuracy["value"], accuracy["n"], accuracy["lots"]) == (0.8, 5, 1)
    assert accuracy["interval"]["method"] == "hypergeometric"
    assert accuracy["outgoing_quality"]["undefined"] == "rechecks_not_built"
    assert report["lots"][0]["verdict"] == "not_accepted" and report["lots"][0]["seed"] == lot.seed


def test_nothing_from_after_the_event_enters(world: World) -> None:
    world.item()
    label_both(world, SAME, SAME)
    compare()
    seq = (
        Event.objects.filter(chain=world.project.public_id).order_by("-seq").values_list("seq", flat=True)[0]
    )
    snapshot = SimpleNamespace(project=world.project, event_seq=seq)
    before = make(snapshot)
    world.item()
    label_both(world, SAME, [])
    compare()
    after = make(snapshot)
    assert json.loads(before["report.json"])["accepted"] == json.loads(after["report.json"])["accepted"] == 1
    assert json.loads(after["report.json"])["indicators"]["consistency"]["n"] == 1
    assert before["report.json"].startswith(b'{"accepted":1,')


def test_two_makings_have_the_same_bytes(world: World) -> None:
    for index in range(7):
        world.item()
        label_both(world, SAME, SAME if index % 2 else [])
    compare()
    seq = (
        Event.objects.filter(chain=world.project.public_id).order_by("-seq").values_list("seq", flat=True)[0]
    )
    snapshot = SimpleNamespace(project=world.project, event_seq=seq)
    assert make(snapshot) == make(snapshot)
    text = make(snapshot)["report.md"].decode()
    assert "**Consistency (first-pass agreement)**: 42.9 %" in text and "Lots not used." in text


def test_intervals_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "from review.core.intervals import cluster_bootstrap as c;"
        "print(c([1,0,1,1,0,1,1],[1]*7,list('abcdefg'),seed=5))"
    )
    said = set()
    for seed in ("0", "1", "random"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": "Asia/Shanghai", "LANG": "zh_CN.UTF-8"}
        said.add(
            subprocess.run(
                [sys.executable, "-c", code], env=environment, capture_output=True, check=True
            ).stdout
        )
    assert len(said) == 1


def test_completeness_asks_for_required_values() -> None:
    schema = {
        "controls": [{"name": "q", "kind": "choice", "required": True}],
        "labels": [{"name": "x", "attributes": [{"name": "side", "kind": "choice", "required": True}]}],
    }
    region = {"label": "x", "attributes": {}}
    assert not is_complete({"answers": {}, "regions": {}}, schema)
    assert is_complete({"answers": {"q": "a"}, "regions": {}}, schema)
    assert not is_complete({"answers": {"q": "a"}, "regions": {"r": region}}, schema)
    assert is_complete(
        {"answers": {"q": "a"}, "regions": {"r": region | {"attributes": {"side": "l"}}}}, schema
    )


def test_doors(world: World) -> None:
    url = f"/api/projects/{world.project.public_id}/report"
    assert api(world.lead).get(url).json()["format"] == 1
    assert api(world.viewer).get(url).status_code == 200
    for who in (world.ann1, world.expert, world.checker, world.importer):
        assert api(who).get(url).status_code == 403
    assert api(world.stranger).get(url).status_code == 404
    assert api(None).get(url).status_code == 401


def test_a_release_carries_the_report_and_a_rebuild_makes_the_same(world: World) -> None:
    from annotator import blobs, jobs
    from annotator.actions.publish_release import publish_release, rebuild
    from annotator.models import Release

    for index in range(6):
        world.item()
        label_both(world, SAME, SAME if index else [])
    compare()
    made = publish_release(actor=world.lead, project=world.project)
    while (ticket := jobs.take("io")) is not None:
        jobs.run(ticket)
    release = Release.objects.get(public_id=made["release"])
    report = json.loads(blobs.read(release.files["report.json"]["sha256"]))
    assert report["event"] == release.event_seq
    assert report["indicators"]["consistency"]["numerator"] == 5 and report["accepted"] == 5
    assert b"# Quality report" in blobs.read(release.files["report.md"]["sha256"])
    later = world.item()
    Item.objects.filter(pk=later.item_id).update(created_at=timezone.now())  # as an import would have it
    label_both(world, SAME, [])
    compare()
    assert rebuild(release) == {}


def test_a_release_is_held_where_lots_are_used(db: Any) -> None:
    from annotator.actions.publish_release import publish_release
    from annotator.core.errors import Conflict

    world = make_world(slots=1, use_lots=True)
    task = world.item()
    answer(world, world.ann1, [add(box(task.item.item_assets.get().asset.public_id, 10, 10, 60, 60))])
    compare()
    with pytest.raises(Conflict, match="release_held"):
        publish_release(actor=world.lead, project=world.project)
