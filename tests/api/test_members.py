"""/api/projects/{p}/members and invitations, and the pages that do the same."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from annotator.models import Member
from tests.actors import World, api

pytestmark = pytest.mark.django_db


def test_members(world: World) -> None:
    path = f"/api/projects/{world.project.public_id}/members"
    lead = api(world.lead)
    made = lead.post(path, {"username": "stranger", "roles": ["viewer"], "team": "North"}, format="json")
    assert made.status_code == 201 and made.json()["team"] == "North"
    one = f"{path}/{world.stranger.public_id}"
    assert lead.patch(one, {"roles": ["annotator"]}, format="json").json()["roles"] == ["annotator"]
    assert api(world.stranger).get(f"/api/projects/{world.project.public_id}").json()["roles"] == [
        "annotator"
    ]
    assert lead.delete(one).status_code == 204
    assert lead.delete(one).status_code == 404
    assert api(world.stranger).get(f"/api/projects/{world.project.public_id}").status_code == 404
    assert lead.post(path, {"username": "stranger"}, format="json").json()["error"]["field"] == "roles"
    assert lead.delete(f"{path}/{world.lead.public_id}").json()["error"]["code"] == "last_lead"


def test_only_leads(world: World) -> None:
    path = f"/api/projects/{world.project.public_id}"
    for who, status in ((world.ann1, 403), (world.viewer, 403), (world.stranger, 404), (None, 401)):
        assert api(who).get(f"{path}/members").status_code == status
        assert api(who).post(f"{path}/invitations", {"role": "viewer"}, format="json").status_code == status


def test_invitations(world: World) -> None:
    path = f"/api/projects/{world.project.public_id}/invitations"
    lead = api(world.lead)
    made = lead.post(path, {"role": "annotator"}, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert made.status_code == 201 and made.json()["url"].startswith("/invited/")
    assert (
        lead.post(path, {"role": "annotator"}, format="json", HTTP_IDEMPOTENCY_KEY="k").json()["url"] is None
    )
    listed = lead.get(f"/api/projects/{world.project.public_id}/members").json()["invitations"]
    assert [row["roles"] for row in listed] == [["annotator"]] and "url" not in listed[0]
    assert lead.delete(f"{path}/{listed[0]['id']}").status_code == 204
    assert Client().get(made.json()["url"]).status_code == 410
    assert lead.post(path, {"role": "boss"}, format="json").status_code == 400


def test_the_members_page_does_the_same(world: World) -> None:
    browser = Client()
    browser.force_login(world.lead)
    path = f"/p/{world.project.public_id}/members"
    assert browser.post(path, {"form": "add", "username": "stranger", "roles": ["viewer"]}).status_code == 302
    assert Member.objects.get(account=world.stranger).roles == ["viewer"]
    wrong = browser.post(path, {"form": "add", "username": "nobody", "roles": ["viewer"]})
    assert wrong.status_code == 400 and b'aria-invalid="true"' in wrong.content
    assert browser.post(path, {"form": "add", "username": "stranger"}).status_code == 400
    shown = browser.post(path, {"form": "invite", "roles": ["annotator"], "hours": "24"}).content.decode()
    link = re.search(r'value="http://testserver(/invited/[^"]+)"', shown)
    assert link is not None and Client().get(link[1]).status_code == 200
    other = Client()
    other.force_login(world.ann1)
    assert other.get(path).status_code == 403
    other.force_login(world.stranger)
    Member.objects.filter(account=world.stranger).update(active=False)
    assert other.get(path).status_code == 404


@pytest.mark.parametrize("page", ["", "/members", "/events", "/releases"])
def test_pages_of_a_project_open_for_its_lead(world: World, page: str) -> None:
    world.item()
    browser = Client()
    browser.force_login(world.lead)
    answer = browser.get(f"/p/{world.project.public_id}{page}")
    assert answer.status_code == 200 and b"Coins" in answer.content
    browser.force_login(world.stranger)
    assert browser.get(f"/p/{world.project.public_id}{page}").status_code == 404


def test_desk_start_and_bench(world: World) -> None:
    browser = Client()
    browser.force_login(world.ann1)
    assert "Nothing has been imported yet." in browser.get("/").content.decode()
    task = world.item()
    assert "Tasks wait for you." in browser.get("/").content.decode()
    answer = browser.post(f"/p/{world.project.public_id}/start/label")
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/bench/as_")
    bench = browser.get(answer.headers["Location"])
    assert task.public_id in bench.content.decode() and b'id="boot"' in bench.content
    other = Client()
    other.force_login(world.ann2)
    assert other.get(answer.headers["Location"]).status_code == 404
    assert browser.post(f"/p/{world.project.public_id}/start/arbitrate").status_code == 403


def test_an_annotators_desk_does_not_move_with_colleagues(world: World) -> None:
    for _ in range(3):
        world.item()
    mine, theirs = Client(), Client()
    mine.force_login(world.ann1)
    theirs.force_login(world.ann2)

    def desk() -> str:
        return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", mine.get("/").content.decode())

    before = desk()
    theirs.post(f"/p/{world.project.public_id}/start/label")
    assert desk() == before
