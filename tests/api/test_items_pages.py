"""The pages Items and Schema: who may open them, their forms, and that they work without script."""

from __future__ import annotations

import json

import pytest

from annotator.models import Item, Job, SavedView, Task
from tests.actors import World, api
from tests.files import run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(single: World) -> World:
    for n in range(3):
        single.item(f"k{n} <b>&")
    return single


def page(world: World, path: str, who: str = "lead", **query: str):
    return api(getattr(world, who)).get(f"/p/{world.project.public_id}/{path}", query)


def post(world: World, who: str = "lead", **form: object):
    return api(getattr(world, who)).post(
        f"/p/{world.project.public_id}/items", form, format="multipart", follow=True
    )


@pytest.fixture(autouse=True)
def forms(settings):
    """Page forms are multipart; the API's client knows JSON only unless told."""
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"TEST_REQUEST_DEFAULT_FORMAT": "multipart"}


@pytest.mark.parametrize("path", ["items", "schema"])
def test_who_may_open(three: World, path: str):
    codes = {who: page(three, path, who).status_code for who in ("lead", "ann1", "viewer", "stranger")}
    assert codes == {"lead": 200, "ann1": 403, "viewer": 403, "stranger": 404}
    assert api(None).get(f"/p/{three.project.public_id}/{path}").status_code == 302


def test_the_list_shows_and_escapes(three: World):
    for query in ({}, {"look": "grid"}, {"sort": "-score"}, {"contains": "k1"}):
        body = page(three, "items", **query).content.decode()
        assert "k1 &lt;b&gt;&amp;" in body and "<b>&" not in body
    assert page(three, "items", contains="k1").content.decode().count('name="ids"') == 1


def test_stale_links_still_open(three: World):
    for query in (
        {"state": "nowhere"},
        {"cursor": "%%%"},
        {"cursor": "WzFd"},
        {"sort": "x"},
        {"contains": "x" * 300},
    ):
        assert page(three, "items", **query).status_code == 200


def test_bulk_form(three: World):
    item = Item.objects.first()
    assert item is not None
    answer = post(three, form="bulk", scope="ids", ids=item.public_id, action="tag", value="new")
    assert "One job is changing 1 item." in answer.content.decode()
    post(three, form="bulk", scope="all", contains="k", action="priority", value="4")
    run_jobs()
    assert Item.objects.get(pk=item.pk).tags == ["new"]
    assert set(Task.objects.values_list("priority", flat=True)) == {4}
    for bad in ({"scope": "ids", "action": "tag", "value": "x"},
                {"scope": "all", "action": "priority", "value": "high"},
                {"scope": "all", "action": "nothing", "value": ""}):  # fmt: skip
        assert "error" in post(three, form="bulk", **bad).content.decode()
    assert post(three, "ann1", form="bulk").status_code == 403


def test_views_and_cancel(three: World):
    post(three, form="view", name="Mine", contains="k1", sort="-score")
    assert SavedView.objects.get().filter == {"contains": "k1"}
    assert "Mine" in page(three, "items").content.decode()
    post(three, form="drop_view", name="Mine")
    assert not SavedView.objects.exists()
    post(three, form="bulk", scope="all", action="tag", value="x")
    job = Job.objects.get()
    post(three, form="cancel", job=job.public_id)
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_back_leads_to_the_list_only(three: World):
    answer = api(three.lead).post(
        f"/p/{three.project.public_id}/items",
        {"form": "view", "name": "x", "back": "https://elsewhere.example/"},
        format="multipart",
    )
    assert answer["Location"] == f"/p/{three.project.public_id}/items"


def test_schema_page_and_download(three: World):
    body = page(three, "schema").content.decode()
    assert "schema-boot" in body and "coin" in body
    down = page(three, "schema/1.json")
    assert json.loads(down.content) == three.schema.document and "attachment" in down["Content-Disposition"]
    assert page(three, "schema/9.json").status_code == 404
    assert page(three, "schema/1.json", "ann1").status_code == 403
