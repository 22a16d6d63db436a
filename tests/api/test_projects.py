"""/api/projects: operator makes, members see, leads edit; strangers learn nothing."""

from __future__ import annotations

import pytest

from annotator.models import Account, Project
from tests.actors import World, api

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(world: World) -> Account:
    world.stranger.is_operator = True
    world.stranger.save()
    return world.stranger


def test_create_read_list(world: World, operator: Account) -> None:
    body = {"title": "New", "template": "text", "lead": "ann1", "workflow": {"slots": 1}}
    made = api(operator).post("/api/projects", body, format="json")
    assert made.status_code == 201
    project = made.json()["id"]
    assert api(world.ann1).get(f"/api/projects/{project}").json()["workflow"]["document"]["slots"] == 1
    assert [p["id"] for p in api(world.ann1).get("/api/projects").json()["results"]] == [
        world.project.public_id,
        project,
    ]
    assert api(operator).get(f"/api/projects/{project}").status_code == 404
    assert api(world.lead).post("/api/projects", body, format="json").status_code == 403
    assert api(None).post("/api/projects", body, format="json").status_code == 401


def test_lists_are_paged(world: World, operator: Account) -> None:
    for n in range(3):
        api(operator).post("/api/projects", {"title": f"P{n}", "lead": "ann1"}, format="json")
    client, seen, cursor = api(world.ann1), [], ""
    while True:
        page = client.get(f"/api/projects?limit=2{cursor}").json()
        seen += [p["title"] for p in page["results"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == ["Coins", "P0", "P1", "P2"]
    assert client.get("/api/projects?cursor=nonsense").status_code == 400
    assert client.get("/api/projects?limit=0").status_code == 400


def test_an_annotator_does_not_read_the_workflow(world: World) -> None:
    path = f"/api/projects/{world.project.public_id}"
    assert "workflow" not in api(world.ann1).get(path).json()
    assert "workflow" in api(world.lead).get(path).json()


def test_edit_and_delete(world: World) -> None:
    path = f"/api/projects/{world.project.public_id}"
    lead = api(world.lead)
    assert lead.patch(path, {"title": "Renamed", "paused": True}, format="json").json()["title"] == "Renamed"
    bad = lead.patch(path, {"workflow": {"lease_s": 5}}, format="json")
    assert bad.status_code == 400 and bad.json()["error"]["field"] == "workflow.lease_s"
    assert api(world.ann1).patch(path, {"title": "x"}, format="json").status_code == 403
    assert api(world.stranger).patch(path, {"title": "x"}, format="json").status_code == 404
    assert lead.put(path, {}, format="json").status_code == 405
    assert lead.delete(path, {"title": "no"}, format="json").status_code == 400
    assert lead.delete(path, {"title": "Renamed"}, format="json").status_code == 202
    assert lead.get(path).status_code == 404
    assert Project.objects.get(pk=world.project.pk).deleted_at is not None


def test_progress_and_events(world: World) -> None:
    world.item()
    path = f"/api/projects/{world.project.public_id}"
    flow = {row["step"]: row["n"] for row in api(world.lead).get(f"{path}/progress").json()["flow"]}
    assert flow == {
        "imported": 1,
        "prelabelled": 0,
        "labelling": 1,
        "compared": 0,
        "disputed": 0,
        "checked": 0,
        "accepted": 0,
        "released": 0,
    }
    wait = api(world.viewer).get(f"{path}/progress").json()["wait"]
    assert (wait["step"], wait["n"], wait["role"], wait["people"], wait["seconds"]) == (
        "labelling",
        1,
        "annotator",
        3,
        None,
    )
    assert api(world.ann1).get(f"{path}/progress").status_code == 403
    lead = api(world.lead)
    for n in range(3):
        lead.patch(path, {"title": f"T{n}"}, format="json")
    first = lead.get(f"{path}/events?limit=2").json()
    rest = lead.get(f"{path}/events?limit=2&after={first['next']}").json()
    assert [e["seq"] for e in first["results"] + rest["results"]] == [1, 2, 3] and rest["next"] is None
    assert lead.get(f"{path}/events?after=x").status_code == 400
    assert api(world.viewer).get(f"{path}/events").status_code == 403


def test_accounts_are_the_operators(world: World, operator: Account) -> None:
    made = api(operator).post("/api/accounts", {"username": "new"}, format="json")
    assert made.status_code == 201 and made.json()["link"].startswith("/invited/")
    account = made.json()["account"]["id"]
    assert api(operator).post(f"/api/accounts/{account}/reset", {}, format="json").status_code == 201
    assert (
        api(operator)
        .patch(f"/api/accounts/{account}", {"active": False}, format="json")
        .json()["account"]["active"]
        is False
    )
    assert "new" in [a["username"] for a in api(operator).get("/api/accounts").json()["results"]]
    for path in ("/api/accounts", f"/api/accounts/{account}"):
        assert api(world.lead).get(path).status_code in (403, 405)
    assert api(operator).patch("/api/accounts/u_none", {"active": False}, format="json").status_code == 404
