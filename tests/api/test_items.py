"""Items: lists with filters, sorts, cursors and totals; bulk actions as jobs; saved views; batches."""

from __future__ import annotations

import pytest

from annotator.models import Assignment, ClaimCursor, Event, Item, SavedView, Skip, Task
from annotator.queries import items as queries
from tests.actors import NOW, World, api, claim
from tests.files import run_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def many(single: World) -> World:
    for n in range(25):
        task = single.item(f"img-{n:03d}-{'paris' if n % 5 == 0 else 'rome'}")
        Task.objects.filter(pk=task.pk).update(
            score=None if n % 3 == 0 else round(n / 25, 3) if n % 4 else 0.5
        )
        Item.objects.filter(pk=task.item_id).update(
            tags=["neu", "巴黎"] if n < 3 else ['ne"u'] if n == 3 else []
        )
    return single


def get(world: World, who: str = "lead", **query: object):
    return api(getattr(world, who)).get(f"/api/projects/{world.project.public_id}/items", query)


def bulk(world: World, **body: object):
    answer = api(world.lead).post(f"/api/projects/{world.project.public_id}/items/bulk", body, format="json")
    if answer.status_code == 202:
        assert set(run_jobs()) <= {"done"}
    return answer


@pytest.mark.parametrize("sort", queries.SORTS)
def test_pages_meet_without_gap_or_double(many: World, sort: str):
    seen, cursor = [], None
    while True:
        page = get(many, sort=sort, limit=4, **({"cursor": cursor} if cursor else {})).json()
        assert page["total"] == 25 and not page["total_capped"]
        seen += page["results"]
        cursor = page["next"]
        if not cursor:
            break
    assert len({row["id"] for row in seen}) == len(seen) == 25
    scores = [row["task"]["score"] for row in seen]
    known = [s for s in scores if s is not None]
    if "score" in sort:
        assert known == sorted(known, reverse=sort == "-score") and scores[: len(known)] == known
    else:
        orders = list(Task.objects.order_by("order").values_list("item__public_id", flat=True))
        assert [row["id"] for row in seen] == (orders if sort == "order" else orders[::-1])


def test_filters(many: World):
    Task.objects.filter(order__lte=2).update(state="accepted")
    assert get(many, contains="PARIS").json()["total"] == 5
    assert get(many, contains="%").json()["total"] == 0
    assert get(many, tag="neu").json()["total"] == get(many, tag="巴黎").json()["total"] == 3
    assert get(many, tag='ne"u').json()["total"] == 1 and get(many, tag="ne").json()["total"] == 0
    assert get(many, state="accepted").json()["total"] == 2
    assert get(many, state="accepted", tag="neu", contains="img-001").json()["total"] == 1
    assert get(many, batch=many.batch.public_id).json()["total"] == 25
    assert get(many, batch="b_unknown").json()["total"] == 0


def test_totals_are_capped_in_large_projects(many: World, monkeypatch):
    monkeypatch.setattr(queries, "EXACT_UP_TO", 20)
    monkeypatch.setattr(queries, "CAP", 4)
    body = get(many, contains="paris").json()
    assert (body["total"], body["total_capped"]) == (4, True)
    assert get(many).json()["total"] == 25


def test_bad_queries(many: World):
    for query in (
        {"limit": "1000000000"}, {"limit": "0"}, {"limit": "x"}, {"sort": "name"}, {"cursor": "!!"},
        {"state": "nowhere"},
        {"cursor": "WyJvcmRlciIsIDFd", "sort": "score"}, {"owner": "me"}, {"contains": "x" * 201},
        {"cursor": "WyJvcmRlciIsIHRydWVd"},
    ):  # fmt: skip
        answer = get(many, **query)
        assert answer.status_code == 400, query
        assert answer.json()["error"]["code"]


def test_only_a_lead_lists(many: World):
    codes = {
        who: get(many, who).status_code
        for who in ("lead", "ann1", "expert", "importer", "viewer", "stranger")
    }
    assert codes == {"lead": 200, "ann1": 403, "expert": 403, "importer": 403, "viewer": 403, "stranger": 404}
    other = api(many.stranger)
    task = Task.objects.first()
    assert task is not None
    assert other.get(f"/api/tasks/{task.public_id}").status_code == 404
    assert api(many.lead).get(f"/api/tasks/{task.public_id}").json()["seats"] == []


def test_queries_do_not_grow_with_the_page(many: World, django_assert_max_num_queries):
    client = api(many.lead)
    client.get(f"/api/projects/{many.project.public_id}/items")
    with django_assert_max_num_queries(8):
        client.get(f"/api/projects/{many.project.public_id}/items?limit=25")


def test_set_aside_and_restore(many: World):
    seat = claim(many, many.ann1)
    assert seat is not None
    answer = bulk(many, filter={"contains": "paris"}, action="set_aside", value="blurred")
    assert answer.json()["count"] == 5
    assert Task.objects.filter(state="set_aside", reason="blurred", claimable=False).count() == 5
    assert Event.objects.filter(verb="task.set_aside").count() == 5
    assert Assignment.objects.get(pk=seat.pk).state == "lost"
    ClaimCursor.objects.update_or_create(project=many.project, person=many.ann1, defaults={"rank": 2**62})
    bulk(many, filter={"state": "set_aside"}, action="restore", value="a mistake")
    assert Task.objects.filter(state="ready", claimable=True).count() == 25
    assert ClaimCursor.objects.get(person=many.ann1).rank < Task.objects.order_by("rank").first().rank
    assert claim(many, many.ann2) is not None


def test_a_bulk_action_leaves_what_does_not_fit_and_says_so(many: World):
    Task.objects.filter(order__lte=2).update(state="accepted", claimable=False)
    answer = bulk(many, filter={"contains": "paris"}, action="set_aside", value="x")
    body = api(many.lead).get(f"/api/jobs/{answer.json()['job']}").json()
    assert body["result"] == {"count": 5, "changed": 4, "left": {"state_accepted": 1}}


def test_priority_moves_in_the_queue(many: World):
    target = Task.objects.order_by("-order").first()
    assert target is not None
    bulk(many, ids=[target.item.public_id], action="priority", value=7)
    target.refresh_from_db()
    assert target.priority == 7 and target == Task.objects.order_by("rank").first()
    seat = claim(many, many.ann1)
    assert seat is not None and seat.task_id == target.pk


def test_tags_and_requeue(many: World):
    bulk(many, filter={}, action="tag", value="new")
    assert sum("new" in tags for tags in Item.objects.values_list("tags", flat=True)) == 25
    bulk(many, filter={"contains": "rome"}, action="untag", value="new")
    assert get(many, tag="new").json()["total"] == 5
    task = Task.objects.first()
    assert task is not None
    Skip.objects.create(task=task, round=1, person=many.ann1, reason="x", at=NOW)
    Task.objects.filter(pk=task.pk).update(stuck="skipped by all", claimable=False)
    assert get(many, state="stuck").json()["total"] == 1
    bulk(many, filter={"state": "stuck"}, action="requeue")
    task.refresh_from_db()
    assert task.claimable and not task.stuck and not Skip.objects.exists()


def test_bulk_refuses_bad_orders(many: World):
    for body in (
        {"action": "set_aside", "value": "x"}, {"filter": {}, "ids": [], "action": "requeue"},
        {"filter": {}, "action": "delete"},
        {"filter": {}, "action": "set_aside"}, {"filter": {}, "action": "priority", "value": "high"},
        {"filter": {"owner": "x"}, "action": "requeue"}, {"ids": [], "action": "requeue"},
        {"ids": [1], "action": "requeue"},
        {"filter": {}, "action": "priority", "value": 10**9},
    ):  # fmt: skip
        assert bulk(many, **body).status_code == 400, body
    url = f"/api/projects/{many.project.public_id}/items/bulk"
    assert api(many.ann1).post(url, {"filter": {}, "action": "requeue"}, format="json").status_code == 403


def test_ids_of_another_project_match_nothing(many: World):
    from annotator.models import Project

    other = Project.objects.create(title="Other", created_by=many.stranger, created_at=NOW, seed="x")
    Task.objects.filter(order__lte=3).update(project=other)
    foreign = list(Item.objects.filter(task__project=other).values_list("public_id", flat=True))
    assert bulk(many, ids=foreign, action="tag", value="t").json()["count"] == 0


def test_saved_views_are_each_members_own(many: World):
    url = f"/api/projects/{many.project.public_id}/items/views"
    client = api(many.lead)
    assert (
        client.post(
            url, {"name": "Mine", "filter": {"state": "ready"}, "sort": "-score"}, format="json"
        ).status_code
        == 201
    )
    assert client.get(url).json()["results"] == [
        {"name": "Mine", "filter": {"state": "ready"}, "sort": "-score"}
    ]
    assert client.post(url, {"name": "Mine", "filter": {"owner": "x"}}, format="json").status_code == 400
    assert api(many.ann1).get(url).status_code == 403
    assert client.delete(url + "?name=Mine").status_code == 204 and not SavedView.objects.exists()
    assert client.delete(url + "?name=Mine").status_code == 404


def test_batches(many: World):
    url, client = f"/api/projects/{many.project.public_id}/batches", api(many.lead)
    made = client.post(url, {"name": "Pilot", "kind": "pilot", "priority": 2}, format="json")
    assert made.status_code == 201 and made.json()["kind"] == "pilot"
    assert client.post(url, {"name": "Pilot"}, format="json").status_code == 409
    cursor = ClaimCursor.objects.create(project=many.project, person=many.ann1, rank=2**62)
    one = f"/api/batches/{many.batch.public_id}"
    assert client.patch(one, {"paused": True}, format="json").json()["paused"]
    assert claim(many, many.ann2) is None
    assert client.patch(one, {"paused": False}, format="json").status_code == 200
    cursor.refresh_from_db()
    assert cursor.rank < 2**62 and claim(many, many.ann2) is not None
    assert client.patch(one, {"kind": "pilot"}, format="json").json()["error"]["code"] == "batch_in_use"
    assert client.patch(one, {"deadline": "tomorrow"}, format="json").status_code == 400
    assert {b["name"]: b["items"] for b in client.get(url).json()["results"]} == {"first": 25, "Pilot": 0}
    assert api(many.ann1).get(url).status_code == 403
    assert api(many.stranger).patch(one, {}, format="json").status_code == 404
