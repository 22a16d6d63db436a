"""Seats over HTTP: claim, save, submit; strangers, stale revisions, replays, bad bodies."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from annotator.core import masks
from annotator.models import Assignment, Event, Revision
from tests.actors import World, add, api, box

pytestmark = pytest.mark.django_db


def claimed(world: World, who: Any) -> tuple[Any, dict[str, Any]]:
    client = api(who)
    r = client.post(f"/api/projects/{world.project.public_id}/claims", {"stage": "label"}, format="json")
    assert r.status_code == 201, r.content
    return client, r.json()


def body(work: dict[str, Any], changes: list[Any], **extra: Any) -> dict[str, Any]:
    a = work["assignment"]
    return {"token": a["token"], "if_revision": a["revision"], "changes": changes, "active_ms": 10} | extra


def asset_of(work: dict[str, Any]) -> str:
    return work["item"]["assets"][0]["id"]


def post(client: Any, path: str, data: Any, key: str | None = None) -> Any:
    headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    return client.generic(
        "POST",
        path,
        json.dumps(data) if not isinstance(data, (str, bytes)) else data,
        content_type="application/json",
        **headers,
    )


def test_from_claim_to_submission(single: World) -> None:
    single.item()
    client, work = claimed(single, single.ann1)
    url = f"/api/assignments/{work['assignment']['id']}"
    r = post(client, f"{url}/revisions", body(work, [add(box(asset_of(work), 1, 2, 30, 40))]))
    assert r.status_code == 201 and r.json()["revision"] == 1
    again = client.get(url).json()
    assert len(again["document"]["regions"]) == 1 and again["assignment"]["digest"] == r.json()["digest"]
    r = post(client, f"{url}/submission", body(again, []))
    assert r.status_code == 201 and r.json()["submitted_at"]


def test_an_annotator_reads_a_closed_list(world: World) -> None:
    world.item()
    _, work = claimed(world, world.ann1)
    assert set(work) == {
        "assignment",
        "project",
        "task",
        "item",
        "schema",
        "document",
        "prelabels",
        "marks",
        "server_now",
    }
    assert set(work["assignment"]) == {
        "id",
        "token",
        "stage",
        "state",
        "lease_until",
        "revision",
        "digest",
        "grace_s",
        "parkable",
        "ahead",
    }
    assert set(work["task"]) == {"id"}
    assert set(work["item"]) == {"id", "key", "metadata", "assets"}


def test_a_seat_of_somebody_else_does_not_exist(world: World) -> None:
    world.item()
    _, work = claimed(world, world.ann1)
    url = f"/api/assignments/{work['assignment']['id']}"
    unknown = api(world.ann2).get("/api/assignments/as_0000000000000000")
    for who in (world.ann2, world.lead, world.expert, world.stranger):
        r = api(who).get(url)
        assert (r.status_code, r.content) == (404, unknown.content)
        r = post(api(who), f"{url}/revisions", body(work, []))
        assert r.status_code == 404
    assert api(None).get(url).status_code == 401


def test_roles_of_claims(world: World) -> None:
    world.item()
    for who, status in ((world.lead, 403), (world.viewer, 403), (world.importer, 403), (world.stranger, 404)):
        r = post(api(who), f"/api/projects/{world.project.public_id}/claims", {"stage": "label"})
        assert r.status_code == status
        assert (
            post(api(who), "/api/projects/p_0000000000000000/claims", {"stage": "label"}).status_code == 404
        )


def test_stale_and_replayed(single: World) -> None:
    single.item()
    client, work = claimed(single, single.ann1)
    url = f"/api/assignments/{work['assignment']['id']}/revisions"
    first = body(work, [add(box(asset_of(work), 1, 2, 30, 40))])
    one = post(client, url, first, "key-1")
    two = post(client, url, first, "key-1")
    assert one.status_code == two.status_code == 201 and one.json() == two.json()
    assert Revision.objects.count() == 1
    other = post(client, url, body(work, [add(box(asset_of(work), 5, 5, 9, 9))]), "key-1")
    assert other.status_code == 409 and other.json()["error"]["code"] == "key_reused"
    stale = post(client, url, body(work, [add(box(asset_of(work), 5, 5, 9, 9))]), "key-2")
    assert stale.status_code == 409
    assert stale.json()["error"] | {"message": "", "cure": ""} == {
        "code": "stale_revision",
        "message": "",
        "cure": "",
        "revision": 1,
        "digest": one.json()["digest"],
    }


GOOD = {"x0": 1.0, "y0": 2.0, "x1": 30.0, "y1": 40.0}
BAD_GEOMETRY = [
    {**GOOD, "x0": "left"},
    {**GOOD, "x0": None},
    {**GOOD, "x0": True},
    {**GOOD, "x1": 0.5},
    {**GOOD, "x1": 1.0},
    {**GOOD, "x1": 9999},
    {**GOOD, "y0": -50},
    {"x0": 1, "y0": 1},
    {**GOOD, "w": 1e400},
]


@pytest.mark.parametrize("geometry", BAD_GEOMETRY, ids=str)
def test_a_bad_box_is_refused_with_its_field(single: World, geometry: dict[str, Any]) -> None:
    single.item()
    client, work = claimed(single, single.ann1)
    region = box(asset_of(work), 1, 2, 30, 40) | {"geometry": geometry}
    raw = json.dumps(body(work, [add(region)])).replace("Infinity", "1e999")
    r = post(client, f"/api/assignments/{work['assignment']['id']}/revisions", raw)
    assert r.status_code == 400, r.content
    assert r.json()["error"]["code"] and Revision.objects.count() == 0


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b'{"changes": [', 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b"{}", 400),
        (b'{"token": 5}', 400),
        (b'{"token":"x","if_revision":0,"changes":{}}', 400),
        (b'{"token":"x","if_revision":-1,"changes":[]}', 400),
        (b'{"token":"x","if_revision":0,"changes":[],"active_ms":-5}', 400),
        (b'{"token":"x","if_revision":0,"changes":[],"active_ms":"abc"}', 400),
        (b'{"token":"x","if_revision":true,"changes":[]}', 400),
        (b'{"token":"x","token":"y","if_revision":0,"changes":[]}', 400),
        (b'{"token":"x","if_revision":0,"changes":[NaN]}', 400),
        (b'{"token":"x","if_revision":0,"changes":[1, 2]}', 400),
        (b'{"token":"x","if_revision":0,"changes":[],"role":"lead"}', 400),
        (b"[" * 10_000 + b"]" * 10_000, 400),
        (b'{"token":"' + b"z" * 9_000_000 + b'"}', 413),
        (b'{"a":"\xff"}', 400),
    ],
    ids=lambda v: str(v)[:40],
)
def test_a_bad_body_is_refused(single: World, raw: bytes, status: int) -> None:
    single.item()
    client, work = claimed(single, single.ann1)
    r = post(client, f"/api/assignments/{work['assignment']['id']}/revisions", raw)
    assert r.status_code == status, r.content
    assert "error" in r.json() and Revision.objects.count() == 0


def test_two_regions_with_one_id_are_refused(single: World) -> None:
    single.item()
    client, work = claimed(single, single.ann1)
    region = box(asset_of(work), 1, 2, 30, 40)
    r = post(
        client,
        f"/api/assignments/{work['assignment']['id']}/revisions",
        body(work, [add(region), add(region)]),
    )
    assert r.status_code == 409 and r.json()["error"]["place"] == "change 1"
    assert Revision.objects.count() == 0


def test_a_mask_travels_as_parts_and_only_its_seat_reads_them(world: World) -> None:
    import numpy as np

    world.item()
    client, work = claimed(world, world.ann1)
    other, other_work = claimed(world, world.ann2)
    tile = np.zeros((256, 256), bool)
    tile[3:9, 4:50] = True
    raw = masks.encode_part(tile)
    digest = masks.part_digest(raw)
    region = box(asset_of(work), 0, 0, 1, 1) | {"shape": "mask", "geometry": {"tiles": {"0,0": digest}}}
    url = f"/api/assignments/{work['assignment']['id']}"
    missing = post(client, f"{url}/revisions", body(work, [add(region)]))
    assert missing.status_code == 400 and missing.json()["error"]["code"] == "part_unknown"
    parts = {digest: base64.b64encode(raw).decode()}
    assert post(client, f"{url}/revisions", body(work, [add(region)], parts=parts)).status_code == 201
    assert client.get(f"{url}/parts/{digest}").content == raw
    # content addressing must not tell a colleague that somebody has drawn the same
    other_url = f"/api/assignments/{other_work['assignment']['id']}"
    assert other.get(f"{other_url}/parts/{digest}").status_code == 404
    borrowed = post(
        other, f"{other_url}/revisions", body(other_work, [add(region | {"asset": asset_of(other_work)})])
    )
    assert borrowed.status_code == 400 and borrowed.json()["error"]["code"] == "part_unknown"


def test_events_hold_ids_and_digests_only(single: World) -> None:
    single.item("secret-patient-name")
    client, work = claimed(single, single.ann1)
    url = f"/api/assignments/{work['assignment']['id']}/submission"
    post(client, url, body(work, [add(box(asset_of(work), 1, 2, 30, 40))]))
    text = json.dumps([(e.actor, e.object, e.data) for e in Event.objects.all()])
    assert "secret" not in text and single.ann1.username not in text and "x0" not in text


def test_one_key_a_hundred_times_is_one_row(single: World) -> None:
    single.item()
    client, work = claimed(single, single.ann1)
    url = f"/api/assignments/{work['assignment']['id']}/submission"
    sent = body(work, [add(box(asset_of(work), 1, 2, 30, 40))])
    answers = {post(client, url, sent, "same").content for _ in range(100)}
    assert len(answers) == 1 and Assignment.objects.filter(state="submitted").count() == 1
