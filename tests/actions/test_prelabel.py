"""Rules, training and models through verbs and jobs: what is prelabelled, what is left out, what a killed job
leaves."""

from __future__ import annotations

import io
import os
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

from annotator import blobs, jobs
from annotator.actions.steps.prelabels import open_set, store_prelabels
from annotator.actions.verb import writing
from annotator.core import document as documents
from annotator.core import masks
from annotator.core.errors import Conflict, Invalid
from annotator.models import AcceptedDocument, Asset, Event, Item, Job, Prelabel, Task
from prelabel.actions.run_rule import run_rule
from prelabel.actions.save_rule import save_rule
from prelabel.actions.train_model import run_model, train_model
from prelabel.models import ModelVersion, RuleRun, RuleVersion, TrainingItem
from prelabel.queries import training_set
from tests.actors import NOW, World, add, api, box, claim, save

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quiet_heart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The heart-beat's own connection would wait for this test's open transaction; no job here lasts half an
    hour."""
    monkeypatch.setattr(jobs, "LEASE", timedelta(minutes=90))


def png(array: np.ndarray) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG")
    return out.getvalue()


def with_picture(world: World, array: np.ndarray, key: str | None = None) -> Task:
    """An item whose picture really lies in the blob store."""
    task = world.item(key)
    asset = task.item.item_assets.get().asset
    raw = png(array)
    Asset.objects.filter(pk=asset.pk).update(
        sha256=blobs.put(raw), size=len(raw), width=array.shape[1], height=array.shape[0]
    )
    return task


def spots(n: int = 0) -> np.ndarray:
    picture = np.full((60, 90), 20, np.uint8)
    picture[10:30, 10 + n : 40 + n] = 220
    picture[35:50, 50:80] = 200
    return np.repeat(picture[:, :, None], 3, 2)


def work(lane: str) -> None:
    jobs.work(lane, once=True)


def saved(world: World, rule: str, **params: Any) -> RuleVersion:
    answer = save_rule(actor=world.lead, project=world.project, rule=rule, params=params)
    return RuleVersion.objects.select_related("project").get(public_id=answer["id"])


def accept(task: Task, document: dict[str, Any]) -> None:
    """Put a task at its end, as the steps of the loop would."""
    Task.objects.filter(pk=task.pk).update(state="accepted", claimable=False)
    AcceptedDocument.objects.create(
        task=task, number=1, round=1, document=document, digest=documents.digest(document), way="single",
        schema=task.project.schema, event_seq=1, at=NOW,
    )  # fmt: skip


def test_blob_rule_prelabels_boxes_that_the_bench_is_shown(world: World) -> None:
    task = with_picture(world, spots())
    rule = saved(world, "blob.v1", smooth_px=0, min_area_px=20)
    answer = run_rule(actor=world.lead, rule=rule)
    assert run_rule(actor=world.lead, rule=rule) == answer  # pressed twice, one job
    work("io")
    job = Job.objects.get(public_id=answer["job"])
    assert job.state == "done" and job.result == {"items": 1, "regions": 2, "dropped": {}, "skipped": {}}
    row = Prelabel.objects.select_related("set").get(item=task.item)
    assert (row.set.source, row.set.version) == ("rule:blob.v1", "1")
    boxes = sorted(tuple(region["geometry"].values()) for region in row.regions.values())
    assert boxes == [(10, 10, 40, 30), (50, 35, 80, 50)]
    task.refresh_from_db()
    assert task.score == row.score and 0 < row.score <= 1
    seat = claim(world, world.ann1)
    shown = api(world.ann1).get(f"/api/assignments/{seat.public_id}").json()["prelabels"]
    assert [one["id"] for one in shown] == [row.public_id]
    for region_id, region in row.regions.items():
        assert (
            documents.check_region(region, "x", region_id=region_id)["asset"]
            == task.item.item_assets.get().asset.public_id
        )


def test_rule_leaves_out_what_has_begun_and_says_so(world: World) -> None:
    begun, waiting = with_picture(world, spots(0)), with_picture(world, spots(1))
    assert claim(world, world.ann1).task_id == begun.pk
    gone = with_picture(world, spots(2))
    Item.objects.filter(pk=gone.item_id).update(use="withdrawn")
    missing = world.item()  # a row whose file is not there
    answer = run_rule(actor=world.lead, rule=saved(world, "blob.v1"))
    work("io")
    result = Job.objects.get(public_id=answer["job"]).result
    assert result["skipped"] == {"already_begun": 1, "unreadable": 1} and result["items"] == 1
    assert list(Prelabel.objects.values_list("item_id", flat=True)) == [waiting.item_id]
    assert missing.item_id != waiting.item_id
    # A later run of the same version goes on where it was: only what is new is prelabelled.
    with_picture(world, spots(3))
    again = run_rule(actor=world.lead, rule=RuleVersion.objects.get())
    work("io")
    assert Job.objects.get(public_id=again["job"]).result["items"] == 1 and RuleRun.objects.get().n_items == 2


def test_a_new_version_that_finds_nothing_replaces_the_old_prelabel(world: World) -> None:
    task = with_picture(world, spots())
    run_rule(actor=world.lead, rule=saved(world, "blob.v1"))
    work("io")
    newer = saved(world, "blob.v1", min_area_px=5000)
    old = RuleVersion.objects.get(number=1)
    with pytest.raises(Conflict):
        run_rule(actor=world.lead, rule=old)
    run_rule(actor=world.lead, rule=newer)
    work("io")
    seat = claim(world, world.ann1)
    task.refresh_from_db()
    (shown,) = Prelabel.objects.filter(public_id__in=task.pinned)
    assert shown.regions == {} and shown.score is None and seat.shown == "shown"


def test_saving_the_same_rule_twice_is_one_version(world: World) -> None:
    assert saved(world, "blob.v1", level=90).pk == saved(world, "blob.v1", level=90).pk
    assert saved(world, "blob.v1", level=91).number == 2
    with pytest.raises(Invalid) as wrong:
        saved(world, "blob.v1", level=900)
    assert wrong.value.field == "level"
    with pytest.raises(Invalid) as unusable:
        saved(world, "dictionary.v1", terms={"place": ["Paris"]})
    assert unusable.value.code == "rule_not_usable"


def test_text_rules_propose_spans_and_answers(text_world: World) -> None:
    world = text_world
    task = world.item(text="When does it leave Paris? 去巴黎。")
    run_rule(actor=world.lead, rule=saved(world, "dictionary.v1", terms={"place": ["Paris", "巴黎"]}))
    run_rule(actor=world.lead, rule=saved(world, "keyword.v1", words={"ask": ["when"], "tell": ["did"]}))
    work("io")
    rows = {row.set.source: row for row in Prelabel.objects.select_related("set").filter(item=task.item)}
    quotes = [region["geometry"]["quote"] for region in rows["rule:dictionary.v1"].regions.values()]
    assert sorted(quotes) == ["Paris", "巴黎"]
    assert rows["rule:keyword.v1"].answers == {"intent": "ask"}


def test_a_run_that_loses_its_job_writes_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(3):
        with_picture(world, spots(n))
    answer = run_rule(actor=world.lead, rule=saved(world, "blob.v1"))
    ticket = jobs.take("io")
    assert ticket is not None
    Job.objects.filter(pk=ticket.job.pk).update(token="another worker's")
    assert jobs.run(ticket) == "fenced"
    assert not Prelabel.objects.exists() and Job.objects.get(public_id=answer["job"]).state == "running"


def test_a_killed_run_is_taken_up_and_ends_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from prelabel.actions.steps import runs

    for n in range(11):
        with_picture(world, spots(n))
    monkeypatch.setattr(runs, "PAGE", 2)
    answer = run_rule(actor=world.lead, rule=saved(world, "blob.v1"))
    real, calls = runs._write, []

    def dies(*args: Any) -> int:
        if len(calls) == 1:
            raise SystemExit("killed")
        calls.append(1)
        return real(*args)

    rule = RuleVersion.objects.get()
    monkeypatch.setattr("prelabel.actions.steps.runs._write", dies)
    ticket = jobs.take("io")
    with pytest.raises(SystemExit):
        jobs.KINDS["prelabel.run_rule"].handler(ticket)
    assert Prelabel.objects.count() == 8
    monkeypatch.setattr("prelabel.actions.steps.runs._write", real)
    Job.objects.filter(pk=ticket.job.pk).update(lease_until=NOW)
    work("io")
    assert Job.objects.get(public_id=answer["job"]).state == "done"
    assert Prelabel.objects.count() == 11 and RuleRun.objects.get(rule=rule).n_items == 11


def test_cancel_keeps_what_was_written(world: World) -> None:
    with_picture(world, spots())
    answer = run_rule(actor=world.lead, rule=saved(world, "blob.v1"))
    job = Job.objects.get(public_id=answer["job"])
    ticket = jobs.take("io")
    jobs.cancel(actor=world.lead, job=job)
    ticket.job.refresh_from_db()
    assert jobs.run(ticket) == "cancelled"


def test_training_set_leaves_out_gold_holdout_and_unusable(world: World) -> None:
    tasks = [with_picture(world, spots(n)) for n in range(5)]
    asset = {t.pk: t.item.item_assets.get().asset.public_id for t in tasks}
    for task in tasks:
        one = box(asset[task.pk], 10, 10, 40, 30)
        accept(task, {**documents.empty(), "regions": {one["id"]: one}})
    Item.objects.filter(pk=tasks[0].item_id).update(use="gold")
    Item.objects.filter(pk=tasks[1].item_id).update(holdout=True)
    AcceptedDocument.objects.filter(task=tasks[2]).update(
        document={**documents.empty(), "unusable": "blurred"}
    )
    rows, about = training_set.read(world.project, "boxes")
    assert {item.pk for item, _e in rows} == {tasks[3].item_id, tasks[4].item_id} and about["n_unusable"] == 1
    assert rows[0][1].target.boxes == (("coin", 10.0, 10.0, 40.0, 30.0),)
    assert training_set.count(world.project) == 3


def test_masks_are_read_back_from_tiles_and_polygons(world: World) -> None:
    task = with_picture(world, np.zeros((300, 400, 3), np.uint8))
    asset = task.item.item_assets.get().asset.public_id
    raster = np.zeros((300, 400), bool)
    raster[200:290, 240:390] = True
    tiles = {key: blobs.put(masks.encode_part(tile)) for key, tile in masks.mask_to_tiles(raster).items()}
    mask = {**box(asset, 0, 0, 1, 1), "shape": "mask", "geometry": {"tiles": tiles}}
    ring = [[0, 0], [20, 0], [20, 10], [0, 10]]
    polygon = {**box(asset, 0, 0, 1, 1, "scratch"), "shape": "polygon", "geometry": {"rings": [ring]}}
    accept(task, {**documents.empty(), "regions": {mask["id"]: mask, polygon["id"]: polygon}})
    ((_item, example),) = training_set.read(world.project, "masks")[0]
    layers = example.target.rasters()
    assert (layers["coin"] == raster).all() and layers["scratch"].sum() == 200


def texts(world: World, n: int) -> list[Task]:
    ask = ["When does it leave {}?", "Where is {}?", "Could you show me {}?", "什么时候到{}?"]
    tell = ["It left {} today.", "I live in {}.", "They stayed near {}.", "我到了{}。"]
    out = []
    for number in range(n):
        pick = ask if number % 2 else tell
        out.append(world.item(text=pick[number // 2 % 4].format(f"Paris {number}")))
    return out


def test_text_model_from_accepted_to_prelabel_and_never_its_own_items(text_world: World) -> None:
    world = text_world
    tasks = texts(world, 48)
    for number, task in enumerate(tasks[:40]):
        accept(task, {**documents.empty(), "answers": {"intent": "ask" if number % 2 else "tell"}})
    # Two that wait belong to the group of an accepted one: the model must not prelabel them.
    Item.objects.filter(pk__in=[tasks[0].item_id, tasks[40].item_id, tasks[41].item_id]).update(
        group="patient 1"
    )
    answer = train_model(actor=world.lead, project=world.project, kind="text_class")
    again = train_model(actor=world.lead, project=world.project, kind="text_class")
    assert again == answer and ModelVersion.objects.count() == 1
    work("model")
    model = ModelVersion.objects.select_related("project").get()
    assert model.state == "ready" and model.metrics["score"]["n"] == 8 and model.size > 0, (
        Job.objects.get().error
    )
    assert model.metrics["score"]["value"] >= 0.7 and model.trained_on["items"] == 32
    assert TrainingItem.objects.filter(model=model).count() == 40
    assert TrainingItem.objects.filter(model=model, holdout=True).count() == 8
    run_model(actor=world.lead, model=model)
    work("model")
    job = Job.objects.get(kind="prelabel.run_model")
    assert (
        job.state == "done" and job.result["skipped"] == {"taught_the_model": 2} and job.result["items"] == 6
    )
    taught = set(TrainingItem.objects.values_list("item_id", flat=True))
    prelabelled = set(Prelabel.objects.values_list("item_id", flat=True))
    assert (
        not prelabelled & taught and not Item.objects.filter(pk__in=prelabelled, group="patient 1").exists()
    )
    assert {row.set.source for row in Prelabel.objects.all()} == {"model:text_class:intent"}
    assert {"model.training", "model.ready"} <= set(Event.objects.values_list("verb", flat=True))
    # A second training on the same documents is a new version, judged on the same holdout.
    train_model(actor=world.lead, project=world.project, kind="text_class")
    work("model")
    second = ModelVersion.objects.get(number=2)
    assert second.state == "ready" and second.metrics["previous"]["compared"]
    with pytest.raises(Conflict):
        run_model(actor=world.lead, model=model)


def test_training_is_refused_with_a_reason(world: World) -> None:
    with pytest.raises(Conflict) as few:
        train_model(actor=world.lead, project=world.project, kind="boxes")
    assert few.value.extra == {"have": 0, "need": 20}
    with pytest.raises(Invalid):
        train_model(actor=world.lead, project=world.project, kind="horoscope")


def test_training_on_one_answer_fails_and_says_why(text_world: World) -> None:
    world = text_world
    for task in texts(world, 30):
        accept(task, {**documents.empty(), "answers": {"intent": "ask"}})
    train_model(actor=world.lead, project=world.project, kind="text_class")
    work("model")
    assert Job.objects.get().error["code"] == "one_class" and ModelVersion.objects.get().state == "failed"


def test_a_damaged_model_file_is_refused_and_nothing_is_prelabelled(text_world: World) -> None:
    world = text_world
    world.item()
    bad = blobs.put(b"\x80\x04cposix\nsystem\n(S'true'\ntR.")
    model = ModelVersion.objects.create(
        project=world.project, kind="text_class", number=1, state="ready", sha256=bad, created_at=NOW
    )
    run_model(actor=world.lead, model=model)
    work("model")
    assert Job.objects.get().error["code"] == "model_refused" and not Prelabel.objects.exists()


def test_box_model_learns_from_coins_and_prelabels(world: World) -> None:
    pytest.importorskip("torch", reason="torch is not installed: the models cannot be tried")
    from tests.unit.prelabel.test_training import coin_examples

    examples = coin_examples(11)
    for number, example in enumerate(examples):
        task = with_picture(world, example.sample.picture())
        asset = task.item.item_assets.get().asset.public_id
        if number < 9:
            regions = [box(asset, *corners) for _label, *corners in example.target.boxes]
            accept(task, {**documents.empty(), "regions": {region["id"]: region for region in regions}})
    train_model(actor=world.lead, project=world.project, kind="boxes", minimum=8, steps=6)
    work("model")
    model = ModelVersion.objects.select_related("project").get()
    assert model.state == "ready" and model.metrics["score"]["measure"] == "ap50", Job.objects.get().error
    run_model(actor=world.lead, model=model)
    work("model")
    job = Job.objects.get(kind="prelabel.run_model")
    assert job.state == "done" and job.result["items"] == 2, job.error
    assert Prelabel.objects.filter(set__source="model:boxes").count() == 2


def test_kept_prelabel_regions_are_new_regions(world: World) -> None:
    """Keeping makes a new id with an origin; the prelabel stays as it was."""
    task = with_picture(world, spots())
    run_rule(actor=world.lead, rule=saved(world, "blob.v1"))
    work("io")
    row = Prelabel.objects.get(item=task.item)
    seat = claim(world, world.ann1)
    source = next(iter(row.regions.values()))
    origin = {"kind": "kept", "prelabel": row.public_id, "region": source["id"], "source": "rule:blob.v1"}
    kept = {**box(source["asset"], *source["geometry"].values()), "origin": origin}
    save(seat, [add(kept)])
    before = row.regions
    row.refresh_from_db()
    assert row.regions == before and kept["id"] not in before


def test_a_prelabelled_mask_may_be_read_and_kept_by_whoever_is_shown_it(world: World) -> None:
    from prelabel.actions.steps import runs
    from prelabel.core.samples import Proposal

    task = with_picture(world, np.zeros((300, 400, 3), np.uint8))
    raster = np.zeros((300, 400), bool)
    raster[20:80, 200:300] = True
    asset = task.item.item_assets.get().asset
    geometry = {"raster": raster}
    region = {"shape": "mask", "label": "coin", "geometry": geometry, "score": 0.7, "attributes": {}}
    with writing(actor=world.lead) as w:
        into = open_set(w, world.project, "model:masks", "1")
        row = runs._proposed(into.pk, task.item_id, asset, Proposal([region], score=0.7), "model:masks")
        store_prelabels(w, world.project, [row], "model:masks")
    seat = claim(world, world.ann1)
    (shown,) = Prelabel.objects.get().regions.values()
    tiles = shown["geometry"]["tiles"]
    assert set(tiles) == {"0,0", "1,0"}
    for digest in tiles.values():
        path = f"/api/assignments/{seat.public_id}/parts/{digest}"
        assert masks.decode_part(api(world.ann1).get(path).content).any()
    assert api(world.ann1).get(f"/api/assignments/{seat.public_id}/parts/{'0' * 64}").status_code == 404
    kept = {**box(asset.public_id, 0, 0, 1, 1), "shape": "mask", "geometry": {"tiles": tiles}}
    assert save(seat, [add(kept)])["revision"] == 1


def test_the_api_lists_saves_runs_and_trains(world: World) -> None:
    with_picture(world, spots())
    lead, p = api(world.lead), world.project.public_id
    listed = lead.get(f"/api/projects/{p}/rules").json()
    assert listed["results"] == []
    blob = next(rule for rule in listed["available"] if rule["rule"] == "blob.v1")
    assert blob["usable"] and blob["labels"] == ["coin", "scratch"] and blob["parameters"]
    body = {"rule": "blob.v1", "params": {"label": "scratch"}}
    made = lead.post(f"/api/projects/{p}/rules", body, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    assert made.status_code == 201
    again = lead.post(f"/api/projects/{p}/rules", body, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    assert again.json() == made.json()
    run = lead.post(f"/api/projects/{p}/rules/{made.json()['id']}/run", {}, format="json")
    assert run.status_code == 202
    work("io")
    (rule,) = lead.get(f"/api/projects/{p}/rules").json()["results"]
    assert rule["run"]["items"] == 1 and rule["run"]["job"]["state"] == "done" and rule["pending"] is None
    models = lead.get(f"/api/projects/{p}/models").json()
    assert {entry["kind"] for entry in models["trainable"]} == {"boxes", "masks"} and models["results"] == []
    refused = lead.post(f"/api/projects/{p}/models", {"kind": "boxes"}, format="json")
    assert refused.status_code == 409 and refused.json()["error"]["need"] == 20
    bad = lead.post(f"/api/projects/{p}/rules", {"rule": "blob.v1", "params": {"level": -1}}, format="json")
    assert bad.status_code == 400 and bad.json()["error"]["field"] == "level"
    assert lead.post(f"/api/projects/{p}/rules/ru_nothing/run", {}, format="json").status_code == 404


@pytest.mark.parametrize("who,status", [("ann1", 403), ("checker", 403), ("viewer", 403), ("importer", 403),
                                        ("stranger", 404), (None, 401)])  # fmt: skip
def test_only_the_lead_sees_and_runs(world: World, who: str | None, status: int) -> None:
    rule = saved(world, "blob.v1")
    client, p = api(getattr(world, who) if who else None), world.project.public_id
    for path in ("rules", "models"):
        assert client.get(f"/api/projects/{p}/{path}").status_code == status
        assert client.post(f"/api/projects/{p}/{path}", {}, format="json").status_code == status
    assert (
        client.post(f"/api/projects/{p}/rules/{rule.public_id}/run", {}, format="json").status_code == status
    )


def test_a_rule_of_another_project_does_not_exist(world: World) -> None:
    from annotator.models import Project

    other = Project.objects.create(title="Other", created_by=world.lead, created_at=NOW, seed="x")
    rule = RuleVersion.objects.create(
        project=other,
        rule="blob.v1",
        name="blob.v1",
        number=1,
        digest="",
        created_by=world.lead,
        created_at=NOW,
    )
    path = f"/api/projects/{world.project.public_id}/rules/{rule.public_id}/run"
    assert api(world.lead).post(path, {}, format="json").status_code == 404


def test_commands_do_the_same(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import CommandError, call_command

    with_picture(world, spots())
    call_command(
        "run_rule",
        world.project.public_id,
        "blob.v1",
        "--as",
        "lead",
        "--set",
        "level=90",
        "--set",
        "smooth_px=0",
    )
    assert '"items": 1' in capsys.readouterr().out
    with pytest.raises(CommandError, match="too_few_examples"):
        call_command("train_model", world.project.public_id, "boxes", "--as", "lead")
    with pytest.raises(CommandError):
        call_command("run_rule", world.project.public_id, "blob.v1", "--as", "ann1")
