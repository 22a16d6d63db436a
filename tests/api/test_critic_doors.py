"""Doors under hostile and forgetful callers: numbers, roles that went, links, foreign bytes, sockets, jobs."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client
from django.utils import timezone

from annotator import blobs, jobs
from annotator.actions import members, projects, seat_verbs
from annotator.actions.accounts import set_active
from annotator.actions.verb import writing
from annotator.api.base import make_cursor
from annotator.core import masks
from annotator.core.errors import Gone
from annotator.models import Account, Asset, Assignment, Job, Member, ParkedDraft, Part, Release, Upload
from review.models import Dispute
from tests.actors import World, add, api, box, claim, save
from tests.files import run_jobs
from tests.review_world import compare, label_both

pytestmark = pytest.mark.django_db


def post(client: Any, path: str, data: Any, **headers: str) -> Any:
    return client.generic("POST", path, json.dumps(data), content_type="application/json", headers=headers)


def asset_of(seat: Assignment) -> str:
    return seat.task.item.item_assets.get().asset.public_id


# --- numbers and cursors ---


@pytest.mark.parametrize("limit", ["²", "000000001999999999", "0", "-1", "1e3", "٣" * 40, " 5"])
def test_a_strange_limit_is_refused(world: World, limit: str) -> None:
    for path in ("items", "lots", "events", "assets", "members", "releases", "jobs"):
        r = api(world.lead).get(f"/api/projects/{world.project.public_id}/{path}", {"limit": limit})
        assert r.status_code == (200 if path == "members" else 400), (path, r.content)


def test_strange_numbers_elsewhere_are_refused(world: World) -> None:
    client, base = api(world.lead), f"/api/projects/{world.project.public_id}"
    assert client.get(f"{base}/events", {"after": "²"}).status_code == 400
    for size in ("²", "000000001999999999"):
        assert client.get(f"{base}/lots/preview", {"size": size}).status_code == 400
    for share in ("1e-99999999", "1e99999999", "1/0", "nan", "²"):
        r = client.get(f"{base}/lots/preview", {"size": "10", "share": share})
        assert r.status_code == 400, share
        r = post(client, f"{base}/lots", {"name": "x", "share": share})
        assert r.status_code == 400, share
    for deadline in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert post(client, f"{base}/batches", {"name": "b", "deadline": deadline}).status_code == 400
    begun = post(client, f"{base}/assets", {"name": "a.png", "size": 3}).json()
    r = client.generic(
        "PATCH",
        f"/api/uploads/{begun['upload']}",
        b"abc",
        content_type="application/octet-stream",
        headers={"Upload-Offset": "\u00b2"},
    )
    assert r.status_code == 400


@pytest.mark.parametrize(
    "values",
    [
        [10**30],
        [-(10**30)],
        [True],
        [1.5],
        ["x"],
        [None],
        [],
        [{}],
        ["score", 10**300, 1],
        ["score", 1e308, 10**30],
    ],
    ids=str,
)
def test_a_forged_cursor_is_refused_or_empty(world: World, values: list[Any]) -> None:
    world.item()
    base = f"/api/projects/{world.project.public_id}"
    paths = [
        f"{base}/{name}"
        for name in ("items?sort=score", "lots?", "assets?", "releases?", "disputes?", "checks?")
    ]
    for path in ["/api/projects?", *paths]:
        r = api(world.lead).get(f"{path}&cursor={make_cursor(values)}")
        assert r.status_code in (200, 400), (path, r.content)


def test_an_infinite_cursor_is_refused(world: World) -> None:
    import base64

    world.item()
    for text in ('["score", 1e999, 1]', '["score", NaN, 1]'):
        cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        r = api(world.lead).get(f"/api/projects/{world.project.public_id}/items?sort=score&cursor={cursor}")
        assert r.status_code == 400, text


# --- what an annotator is told ---


def test_the_list_of_projects_hides_the_workflow_as_the_project_does(world: World) -> None:
    for who in (world.ann1, world.checker, world.viewer):
        (row,) = api(who).get("/api/projects").json()["results"]
        assert "workflow" not in row
    assert "workflow" in api(world.lead).get("/api/projects").json()["results"][0]


def test_a_file_name_is_shown_only_where_the_key_is(db: None) -> None:
    from tests.actors import make_world

    world = make_world(shown_fields=[])
    world.item("patient-7-malignant")
    seat = claim(world, world.ann1)
    assert seat
    text = json.dumps(api(world.ann1).get(f"/api/assignments/{seat.public_id}").json())
    assert "malignant" not in text


def test_lists_of_disputes_and_checks_show_keys_only_where_the_project_does(db: None) -> None:
    from tests.actors import make_world

    for listed in ([], ["external_key"]):
        Account.objects.update(username=Concat("username", Value("-old")))
        world = make_world(shown_fields=listed, check={"share": 1.0})
        world.item("patient-7"), world.item("patient-8")
        label_both(world, [(10, 10, 60, 60)], [])
        label_both(world, [(10, 10, 60, 60)], [(10, 10, 60, 60)])
        compare()
        base = f"/api/projects/{world.project.public_id}"
        for path in ("disputes", "checks"):
            (own,) = api(world.expert).get(f"{base}/{path}").json()["results"]
            (led,) = api(world.lead).get(f"{base}/{path}").json()["results"]
            assert (own["key"] is not None) == bool(listed) and led["key"]


def test_a_long_list_of_checks_is_paged_by_its_own_cursor(db: None) -> None:
    from tests.actors import make_world

    world = make_world(slots=1, check={"share": 1.0})
    for _ in range(3):
        world.item()
        seat = claim(world, world.ann1)
        assert seat
        save(seat, [], submit=True)
    compare()
    path, seen, cursor = f"/api/projects/{world.project.public_id}/checks?limit=1", [], ""
    while True:
        page = api(world.checker).get(f"{path}{cursor}").json()
        seen += [row["task"] for row in page["results"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 3


def test_a_nul_in_a_path_names_nothing(world: World) -> None:
    for path in (
        "/api/assignments/as%00x",
        "/api/jobs/%00",
        f"/api/projects/{world.project.public_id}/events?task=%00",
    ):
        assert api(world.lead).get(path).status_code == 404
    browser = Client()
    browser.force_login(world.lead)
    assert browser.get("/bench/as%00").status_code == 404


# --- roles count at once ---


def test_an_annotator_who_becomes_something_else_saves_no_more(world: World) -> None:
    world.item()
    seat = claim(world, world.ann1)
    assert seat
    save(seat, [add(box(asset_of(seat), 1, 1, 9, 9))])
    person = world.ann1.public_id
    members.change_member(actor=world.lead, project=world.project, account=person, roles=["checker"])
    body = {"token": seat.token, "if_revision": 1, "changes": [], "active_ms": 1}
    url = f"/api/assignments/{seat.public_id}"
    for verb in ("revisions", "submission"):
        assert post(api(world.ann1), f"{url}/{verb}", body).status_code == 403
    for verb in ("heartbeat", "park", "release", "open"):
        assert post(api(world.ann1), f"{url}/{verb}", {"token": seat.token}).status_code == 403
    assert api(world.ann1).get(url).status_code == 200, "own work stays readable"
    seat.refresh_from_db()
    assert seat.state == "lost" and seat.task.n_taken == 0
    members.change_member(actor=world.lead, project=world.project, account=person, roles=["annotator"])
    again = claim(world, world.ann1)
    assert again and again.pk == seat.pk and again.revision == 1, "what was saved is there again"


def test_who_is_no_expert_any_more_sees_no_sides(world: World) -> None:
    world.item()
    label_both(world, [(10, 10, 60, 60)], [])
    compare()
    seat = claim(world, world.expert, "arbitrate")
    assert seat and Dispute.objects.exists()
    url = f"/api/assignments/{seat.public_id}"
    assert api(world.expert).get(url).status_code == 200
    members.change_member(
        actor=world.lead, project=world.project, account=world.expert.public_id, roles=["annotator"]
    )
    assert api(world.expert).get(url).status_code == 403
    browser = Client()
    browser.force_login(world.expert)
    assert browser.get(f"/bench/{seat.public_id}").status_code == 403
    assert claim(world, world.checker, "arbitrate") is None


def test_who_was_removed_saves_no_more_and_reads_no_draft(world: World) -> None:
    world.item(slots=1)
    seat = claim(world, world.ann1)
    assert seat
    Assignment.objects.filter(pk=seat.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    seat_verbs.sweep()
    assert claim(world, world.ann2)
    url = f"/api/assignments/{seat.public_id}/revisions"
    body = {
        "token": seat.token,
        "if_revision": 0,
        "changes": [add(box(asset_of(seat), 1, 1, 9, 9))],
        "active_ms": 1,
    }
    assert post(api(world.ann1), url, body).json()["error"]["code"] == "lease_lost"
    draft = ParkedDraft.objects.get().public_id
    assert api(world.ann1).get(f"/api/parked/{draft}").status_code == 200
    members.remove_member(actor=world.lead, project=world.project, account=world.ann1.public_id)
    assert post(api(world.ann1), url, body).status_code == 404
    assert api(world.ann1).get(f"/api/parked/{draft}").status_code == 404
    assert api(world.ann1).get("/api/parked").json()["results"] == []
    assert ParkedDraft.objects.count() == 1, "kept: it is there again when the person is"


def test_a_link_ends_with_the_lead_who_made_it(world: World) -> None:
    made = {}
    for name in ("ann1", "ann2", "ann3"):
        who = world.people[name]
        Member.objects.filter(account=who).update(roles=["lead"])
        made[name] = members.invite(actor=who, project=world.project, roles=["lead"])["url"].rsplit("/", 1)[1]
    operator = Account.objects.create_user("operator", "x", is_operator=True)
    members.remove_member(actor=world.lead, project=world.project, account=world.ann1.public_id)
    members.change_member(
        actor=world.lead, project=world.project, account=world.ann2.public_id, roles=["viewer"]
    )
    set_active(actor=operator, account=world.ann3, active=False)
    for secret in made.values():
        with pytest.raises(Gone):
            members.accept_invitation(actor=world.stranger, secret=secret)


def test_a_second_account_over_http(world: World) -> None:
    world.item()
    twin = Account.objects.create_user("twin", "x", same_person_as=world.ann1)
    Member.objects.create(project=world.project, account=twin, roles=["annotator"], joined_at=timezone.now())
    first = post(api(world.ann1), f"/api/projects/{world.project.public_id}/claims", {})
    again = post(api(twin), f"/api/projects/{world.project.public_id}/claims", {})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["assignment"]["id"] == again.json()["assignment"]["id"]


# --- the blob store is shared ---


def _refuse(world: World, raw: bytes, name: str) -> None:
    """These bytes come as a file of a type that is not taken, and are refused."""
    r = api(world.importer).generic(
        "POST",
        f"/api/projects/{world.project.public_id}/assets",
        raw,
        content_type="application/octet-stream",
        headers={"X-Name": name},
    )
    assert r.status_code == 202, r.content
    run_jobs()
    assert Asset.objects.get(sha256=hashlib.sha256(raw).hexdigest()).state == "refused"


def test_a_refused_file_takes_no_part_release_or_model_with_it(world: World) -> None:
    import numpy as np

    from prelabel.models import ModelVersion

    tile = np.zeros((256, 256), bool)
    tile[3:9, 4:50] = True
    part = masks.encode_part(tile)
    shown = masks.encode_part(~tile)  # of a prelabel: no seat names it yet
    manifest, model = b'{"a": 1}\n', b"MODEL" + bytes(40)
    for raw in (part, shown, manifest, model):
        blobs.put(raw)
    world.item()
    seat = claim(world, world.ann1)
    assert seat
    Part.objects.create(assignment=seat, digest=hashlib.sha256(part).hexdigest())
    Release.objects.create(
        project=world.project,
        number=1,
        state="done",
        event_seq=1,
        event_digest="0" * 64,
        files={
            "manifest.json": {"sha256": hashlib.sha256(manifest).hexdigest(), "size": 9, "audience": "all"}
        },
        created_by=world.lead,
        created_at=timezone.now(),
    )
    ModelVersion.objects.create(
        project=world.project,
        kind="boxes",
        number=1,
        sha256=hashlib.sha256(model).hexdigest(),
        created_at=timezone.now(),
    )
    for n, raw in enumerate((part, shown, manifest, model)):
        _refuse(world, raw, f"{n}.bin")
        assert blobs.exists(hashlib.sha256(raw).hexdigest()), raw[:8]


def test_an_upload_whose_finish_was_killed_is_finished_by_its_repeat(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from annotator.actions import uploads

    raw = b"\x89PNG not really"
    client = api(world.importer)
    begun = post(
        client, f"/api/projects/{world.project.public_id}/assets", {"name": "a.png", "size": len(raw)}
    )
    upload = Upload.objects.get(public_id=begun.json()["upload"])
    uploads.append_upload(upload=upload, offset=0, length=len(raw), pieces=[raw])
    real = uploads.keep_asset

    def killed(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(uploads, "keep_asset", killed)
    with pytest.raises(KeyboardInterrupt):
        uploads.finish_upload(actor=world.importer, upload=upload)
    monkeypatch.setattr(uploads, "keep_asset", real)
    r = post(client, f"/api/uploads/{upload.public_id}/finish", {})
    assert r.status_code == 202, r.content
    assert not uploads.file_of(upload).exists() and blobs.exists(hashlib.sha256(raw).hexdigest())


# --- jobs ---


def test_a_deleted_project_ends_its_jobs(world: World) -> None:
    with writing(actor=world.lead) as w:
        queued, _ = jobs.enqueue(
            w, "check_assets", {"after": ""}, project=world.project, created_by=world.lead
        )
        running, _ = jobs.enqueue(
            w, "check_assets", {"after": "x"}, project=world.project, created_by=world.lead
        )
    Job.objects.filter(pk=running.pk).update(state="running", token="t")
    projects.delete_project(actor=world.lead, project=world.project, title=world.project.title)
    queued.refresh_from_db(), running.refresh_from_db()
    assert queued.state == "cancelled" and running.cancel_asked
    assert Job.objects.get(kind="delete_project").state == "queued"


def test_a_tick_that_fails_holds_up_no_job_and_no_other_tick(world: World) -> None:
    with writing(actor=world.lead) as w:
        job, _ = jobs.enqueue(w, "check_assets", {"after": ""}, project=world.project, created_by=world.lead)
    seen: list[str] = []

    def bad() -> bool:
        raise ValueError("damaged")

    def good() -> bool:
        seen.append("good")
        return False

    jobs.work("io", ticks=[bad, good], once=True, stop=threading.Event())
    job.refresh_from_db()
    assert job.state == "done" and seen


def test_one_damaged_task_does_not_hold_up_the_sweep(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from annotator.actions.steps import states
    from tests.actors import make_world

    world = make_world(slots=1)
    bad, good = world.item(), world.item()
    for _ in range(2):
        seat = claim(world, world.ann1)
        assert seat
        save(seat, [], submit=True)
    real = states.read_document

    def read(seat: Assignment, *more: Any) -> Any:
        if seat.task_id == bad.pk:
            raise ValueError("checkpoint is gone")
        return real(seat, *more)

    monkeypatch.setattr(states, "read_document", read)
    while seat_verbs.sweep():
        pass
    bad.refresh_from_db(), good.refresh_from_db()
    assert good.state == "accepted" and bad.state == "labelling" and "could not be closed" in bad.stuck


def test_a_worker_that_lost_its_job_undoes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    undone: list[int] = []

    def handler(ticket: jobs.Ticket) -> None:
        Job.objects.filter(pk=ticket.job.pk).update(token="somebody else")
        raise ValueError("its rows went away")

    monkeypatch.setitem(jobs.KINDS, "x", jobs.Kind("x", "io", handler, lambda job: undone.append(job.pk)))
    with writing(actor=world.lead) as w:
        jobs.enqueue(w, "x", {}, project=world.project, created_by=world.lead)
    ticket = jobs.take("io")
    assert ticket and jobs.run(ticket) == "fenced"
    assert undone == []


# --- the socket ---


def test_a_socket_ends_with_its_session(world: World) -> None:
    from annotator.live.project import ProjectSocket

    client = Client()
    client.force_login(world.lead)
    socket = ProjectSocket()
    socket.project = world.project.public_id
    socket.scope = {"session": client.session}
    assert socket._allowed()
    fresh = Account.objects.get(pk=world.lead.pk)
    fresh.set_password("another long one 9")
    fresh.save()
    assert not socket._allowed(), "the password was changed: the session is over"
    client.force_login(fresh)
    socket.scope = {"session": client.session}
    assert socket._allowed()
    client.logout()
    assert not socket._allowed()


# --- two runs of one script, with and without a colleague at work ---


def _normal(text: str) -> str:
    """Ids, times, tokens and digests replaced by what kind they are."""
    text = re.sub(r"\b([a-z]{1,2})_[a-z2-7]{16}\b", r"\1_", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "TIME", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text)
    text = re.sub(r'("token"|&quot;token&quot;): ?("|&quot;)[\w-]{32}', r"\1:\2TOKEN", text)
    return re.sub(r'(csrf[a-z]*"? ?(value=|:) ?")[\w-]{64}', r"\1CSRF", text)


def _script(world: World, between: Any) -> list[str]:
    """What ann1 is told while working through three items; `between` acts after each request."""
    told: list[str] = []
    base = f"/api/projects/{world.project.public_id}"
    client, browser = api(world.ann1), Client()
    browser.force_login(world.ann1)

    def ask(method: str, path: str, data: Any = None) -> Any:
        r = getattr(client, method)(path, data, format="json") if data is not None else client.get(path)
        raw = b"".join(r.streaming_content) if r.streaming else r.content
        kept = {k: v for k, v in r.headers.items() if k not in ("X-Request-Id", "Content-Length")}
        told.append(_normal(f"{method} {path} {r.status_code} {kept} {raw.decode()}"))
        between()
        return json.loads(raw) if raw[:1] == b"{" else None

    def look(*more: str) -> None:
        told.append(_normal(browser.get("/").content.decode()))
        for path in ("/api/projects", base, *(f"{base}/{name}" for name in more)):
            ask("get", path)

    for n in range(3):
        look()
        work = ask("post", f"{base}/claims", {"stage": "label"})
        url = f"/api/assignments/{work['assignment']['id']}"
        asset = work["item"]["assets"][0]
        ask("get", asset["url"])
        body = {"token": work["assignment"]["token"], "if_revision": 0, "active_ms": 1}
        region = box(asset["id"], 10 + n, 10, 60, 60)
        ask("post", f"{url}/revisions", body | {"changes": [add(region)]})
        ask("post", f"{url}/heartbeat", {"token": body["token"]})
        ask("get", url)
        if n == 1:
            ask("post", f"{url}/skip", {"token": body["token"], "reason": "no"})
        else:
            ask("post", f"{url}/submission", body | {"if_revision": 1, "changes": []})
            ask("post", f"{url}/withdrawal", {})
            ask("post", f"{url}/return-request", {"reason": "oh"})
        ask("get", url)
        told.append(_normal(browser.get(f"/bench/{work['assignment']['id']}").content.decode()))
    look(
        "progress",
        "items",
        "tasks",
        "events",
        "members",
        "report",
        "disputes",
        "checks",
        "lots",
        "jobs",
        "releases",
    )
    ask("post", f"{base}/claims", {"stage": "label"})
    return told


def test_a_script_is_told_the_same_with_and_without_a_colleague(db: None) -> None:
    from tests.actors import make_world

    runs = []
    for colleague in (False, True):
        Account.objects.update(username=Concat("username", Value("-old")))
        world = make_world()
        for _ in range(3):
            world.item()
        steps = iter(range(10**6))

        def between(world: World = world, steps: Any = steps, colleague: bool = colleague) -> None:
            if not colleague or next(steps) % 5:
                return
            held = Assignment.objects.filter(account=world.ann2, state="live").first()
            seat = held or claim(world, world.ann2)
            if seat is None:
                return
            if held is None:
                save(seat, [add(box(asset_of(seat), 200, 200, 260, 260))])
            else:
                save(seat, [], submit=True)
                compare()

        runs.append([text.replace("-old", "") for text in _script(world, between)])
        if colleague:
            assert Assignment.objects.filter(account=world.ann2, state="submitted").count() == 3
            assert Dispute.objects.filter(project=world.project).exists()
    alone, beside = runs
    for one, other in zip(alone, beside, strict=True):
        assert one == other
