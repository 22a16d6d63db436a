"""Schema versions: publication, preview, refusals, migration of what is stored."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from annotator import jobs
from annotator.core.canonical import digest
from annotator.models import AcceptedDocument, Assignment, Event, Prelabel, SchemaVersion, Task
from tests.actors import SCHEMA, World, add, api, box, claim, save
from tests.files import run_jobs

pytestmark = pytest.mark.django_db


def renamed() -> tuple[dict[str, Any], dict[str, Any]]:
    document = copy.deepcopy(SCHEMA)
    document["labels"][0]["name"] = "token"
    document["labels"][1]["attributes"][0]["name"] = "depth"
    document["labels"].append(
        {"name": "edge", "title": "Edge", "color": "#00aa00", "class": "C", "attributes": []}
    )
    return document, {"labels": {"coin": "token"}, "attributes": {"scratch.deep": "depth"}}


def publish(world: World, document: Any, mapping: Any = None, who: str = "lead", **more: Any):
    body = {"document": document, **({"mapping": mapping} if mapping is not None else {}), **more}
    return api(getattr(world, who)).post(
        f"/api/projects/{world.project.public_id}/schema-versions", body, format="json"
    )


def preview(world: World, document: Any, mapping: Any = None):
    body = {"document": document, "mapping": mapping or {}}
    return api(world.lead).post(
        f"/api/projects/{world.project.public_id}/schema-versions/preview", body, format="json"
    )


def accepted(world: World, label: str = "coin") -> Task:
    """A task labelled by one person with one coin and one scratch."""
    task = world.item()
    seat = claim(world, world.ann1)
    assert seat is not None
    asset = task.item.item_assets.get().asset.public_id
    scratch = box(asset, 50, 50, 60, 60, label="scratch")
    scratch["attributes"] = {"deep": True}
    save(seat, [add(box(asset, 1, 1, 20, 20, label=label)), add(scratch)], submit=True)
    AcceptedDocument.objects.create(
        task=task,
        number=1,
        round=1,
        document=(document := _document(seat)),
        digest=digest(document),
        way="single",
        schema=world.schema,
        event_seq=1,
        at=task.changed_at,
    )
    Task.objects.filter(pk=task.pk).update(state="accepted", claimable=False)
    return task


def _document(seat: Assignment) -> dict[str, Any]:
    from annotator.queries.documents import read_document

    return read_document(seat)


def labels(document: dict[str, Any]) -> list[str]:
    return sorted(r["label"] for r in document["regions"].values())


def test_publish_numbers_digests_and_logs(world: World):
    document, mapping = renamed()
    answer = publish(world, document, mapping, if_version=1)
    assert (
        answer.status_code == 201
        and answer.json()["version"] == 2
        and answer.json()["digest"] == digest(document)
    )
    world.project.refresh_from_db()
    assert world.project.schema.number == 2
    assert Event.objects.get(verb="schema.published").data["mapped"] == 2
    assert publish(world, document).json()["version"] == 2  # the same again is no new version
    assert publish(world, document, if_version=1).status_code == 409
    listed = api(world.ann1).get(f"/api/projects/{world.project.public_id}/schema-versions").json()["results"]
    assert [v["version"] for v in listed] == [2, 1]
    one = api(world.ann1).get(f"/api/projects/{world.project.public_id}/schema-versions/current").json()
    assert one["document"] == document and one["in_force"]


def test_what_is_refused_and_why(world: World):
    def code(change: Any, mapping: Any = None) -> str:
        document = copy.deepcopy(SCHEMA)
        change(document)
        answer = publish(world, document, mapping)
        assert answer.status_code == 400, answer.content
        assert preview(world, document, mapping).json().get("refused", answer.json()["error"])
        return answer.json()["error"]["code"]

    assert code(lambda d: d["labels"].pop(0)) == "remove_refused"
    assert code(lambda d: d["labels"].pop(0), {"labels": {"coin": "scratch"}}) == "merge_refused"
    assert code(lambda d: None, {"labels": {"coin": ["a", "b"]}}) == "split_refused"
    assert code(lambda d: d["labels"][1]["attributes"][0].update(kind="text")) == "type_change_refused"
    assert code(lambda d: d["guideline"].update(text="New words.")) == "guideline_version"
    assert code(lambda d: d.update(format=2)) == "bad_format"
    assert SchemaVersion.objects.count() == 1


def test_only_a_lead_publishes(world: World):
    document, mapping = renamed()
    codes = {
        who: publish(world, document, mapping, who).status_code
        for who in ("ann1", "expert", "importer", "stranger")
    }
    assert codes == {"ann1": 403, "expert": 403, "importer": 403, "stranger": 404}
    assert publish(world, document, mapping, owner="me").status_code == 400


def test_preview_counts_and_writes_nothing(single: World):
    accepted(single)
    task = single.item()
    single.prelabel(task, [(1, 1, 5, 5), (6, 6, 9, 9)])
    before = Event.objects.count()
    document, mapping = renamed()
    body = preview(single, document, mapping).json()
    assert body["refused"] is None and body["counts"]["accepted"] == 1
    assert body["counts"]["labels"]["coin"] == {"accepted": 1, "prelabels": 2}
    assert {(d["kind"], d["what"], d["name"]) for d in body["diff"]} >= {
        ("rename", "label", "coin"),
        ("add", "label", "edge"),
        ("rename", "attribute", "scratch.deep"),
    }
    assert Event.objects.count() == before and SchemaVersion.objects.count() == 1


def test_accepted_documents_and_prelabels_migrate_live_seats_stay(single: World):
    done = accepted(single)
    waiting, working = single.item(), single.item()
    single.prelabel(waiting, [(1, 1, 5, 5)])
    single.prelabel(working, [(1, 1, 5, 5)])
    Task.objects.filter(pk=waiting.pk).update(claimable=False)
    seat = claim(single, single.ann2)
    assert seat is not None and seat.task_id == working.pk
    Task.objects.filter(pk=waiting.pk).update(claimable=True)

    document, mapping = renamed()
    assert publish(single, document, mapping).json()["job"]
    assert run_jobs() == ["done"]
    old, new = AcceptedDocument.objects.filter(task=done).order_by("number")
    assert (old.current, labels(old.document)) == (False, ["coin", "scratch"])
    assert (new.current, new.way, labels(new.document)) == (True, "migrated", ["scratch", "token"])
    assert new.digest == digest(new.document) and new.provenance["migrated_from"] == old.public_id
    scratch = next(r for r in new.document["regions"].values() if r["label"] == "scratch")
    assert scratch["attributes"] == {"depth": True}
    assert Event.objects.filter(verb="document.migrated").count() == 1
    assert labels({"regions": Prelabel.objects.get(item=waiting.item).regions}) == ["token"]
    assert labels({"regions": Prelabel.objects.get(item=working.item).regions}) == ["coin"]
    # the live seat goes on under the version of its round
    asset = working.item.item_assets.get().asset.public_id
    assert save(seat, [add(box(asset, 1, 1, 9, 9, label="coin"))])["revision"] == 1
    assert Assignment.objects.get(pk=seat.pk).schema.number == 1

    # and back by the inverse mapping
    back = copy.deepcopy(SCHEMA)
    back["labels"].append(
        {"name": "edge", "title": "Edge", "color": "#00aa00", "class": "C", "attributes": [], "retired": True}
    )
    inverse = {"labels": {"token": "coin"}, "attributes": {"scratch.depth": "deep"}}
    assert publish(single, back, inverse).status_code == 201
    assert run_jobs() == ["done"]
    last = AcceptedDocument.objects.get(task=done, current=True)
    assert last.number == 3 and last.document == old.document and last.digest == old.digest


def test_a_swap_survives_a_killed_worker(single: World):
    accepted(single)
    waiting = single.item()
    single.prelabel(waiting, [(1, 1, 5, 5)])
    document = copy.deepcopy(SCHEMA)
    document["labels"][1]["attributes"] = []
    document["labels"][0]["name"], document["labels"][1]["name"] = "scratch", "coin"
    document["labels"][0]["attributes"], document["labels"][1]["attributes"] = (
        [],
        copy.deepcopy(SCHEMA["labels"][1]["attributes"]),
    )
    assert publish(single, document, {"labels": {"coin": "scratch", "scratch": "coin"}}).status_code == 201
    first = jobs.take("io")
    assert first is not None
    from annotator.actions import migrate_labels

    migrate_labels.run(first)  # whole, but its end was never written
    first.job.refresh_from_db()
    type(first.job).objects.filter(pk=first.job.pk).update(lease_until=first.job.created_at)
    assert run_jobs() == ["done"]
    assert labels({"regions": Prelabel.objects.get().regions}) == ["scratch"]
    assert AcceptedDocument.objects.count() == 2


def test_versions_in_between_are_gone_through(single: World):
    accepted(single)
    first, mapping = renamed()
    publish(single, first, mapping)
    second = copy.deepcopy(first)
    second["labels"][0]["name"] = "piece"
    publish(single, second, {"labels": {"token": "piece"}})
    run_jobs()
    assert labels(AcceptedDocument.objects.get(current=True).document) == ["piece", "scratch"]


def test_an_open_lot_holds_its_members(single: World, monkeypatch):
    from annotator.contributions import site

    task = accepted(single)
    monkeypatch.setattr(site, "frozen_checks", [lambda found: "lot" if found.pk == task.pk else None])
    document, mapping = renamed()
    job = publish(single, document, mapping).json()["job"]
    run_jobs()
    assert api(single.lead).get(f"/api/jobs/{job}").json()["result"]["frozen"] == 1
    assert AcceptedDocument.objects.get().schema.number == 1
    monkeypatch.setattr(site, "frozen_checks", [])
    url = f"/api/projects/{single.project.public_id}/schema-versions/migrate"
    assert api(single.lead).post(url, {}, format="json").status_code == 202
    run_jobs()
    assert AcceptedDocument.objects.get(current=True).schema.number == 2
