"""Imports: JSON, JSON lines, archives; bad rows, repeats, kills, cancels, hostile archives."""

from __future__ import annotations

import io
import json
import stat
import struct
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from annotator import jobs, spool
from annotator.actions import import_rows
from annotator.core.canonical import digest
from annotator.models import Asset, Event, Item, Job, Prelabel, SchemaVersion, Task
from tests.actors import SCHEMA, World, api, make_world
from tests.files import archive, job_of, lines, picture, run_jobs

pytestmark = pytest.mark.django_db
TYPES = {"json": "application/json", "jsonl": "application/x-ndjson", "zip": "application/zip"}


def send(
    world: World, raw: bytes, form: str = "jsonl", query: str = "", who: str = "importer", **headers: str
):
    return api(getattr(world, who)).generic(
        "POST",
        f"/api/projects/{world.project.public_id}/imports{query}",
        raw,
        content_type=TYPES[form],
        headers=headers,
    )


def texts(n: int) -> list[dict]:
    return [{"external_key": f"t{i:05d}", "text": f"Message {i} from Paris"} for i in range(1, n + 1)]


def stored(world: World, n: int, name: str = "p{}.png") -> None:
    for i in range(n):
        Asset.objects.create(
            project=world.project,
            sha256=f"{i:064x}",
            name=name.format(i),
            kind="image",
            media_type="image/png",
            size=10,
            width=640,
            height=480,
            state="ready",
            created_at=world.batch.created_at,
        )


def boxes(*corners: tuple, label: str = "coin") -> list[dict]:
    keys = ("x0", "y0", "x1", "y1")
    return [{"shape": "box", "label": label, "geometry": dict(zip(keys, c, strict=True))} for c in corners]


def test_text_rows_become_items_with_tasks_and_events(text_world: World):
    answer = send(text_world, lines([
        {"external_key": "a", "text": "In Paris 😀", "group": "g", "metadata": {"x": 1}, "tags": ["b", "a", "a"],
         "source": {"provider": "p"}, "priority": 3,
         "prelabel": {"source": "upload:m1", "score": 0.5, "answers": {"intent": "ask"},
                      "regions": [{"shape": "span", "label": "place",
                                   "geometry": {"start": 3, "end": 8, "quote": "Paris"}}]}},
        {"external_key": "b", "text": "plain"},
    ]), query="?batch=week+1")  # fmt: skip
    assert answer.status_code == 202
    assert run_jobs() == ["done"]
    job = job_of(answer)
    assert job.result["accepted"] == job.result["total"] == 2 and job.result["rejects"] is None
    item = Item.objects.get(external_key="a")
    assert (item.group, item.metadata, item.tags, item.batch.name) == ("g", {"x": 1}, ["a", "b"], "week 1")
    assert (item.task.state, item.task.priority, item.task.score, item.task.claimable) == (
        "ready",
        3,
        0.5,
        True,
    )
    assert item.task.rank < Item.objects.get(external_key="b").task.rank
    asset = item.item_assets.get().asset
    assert (asset.text, asset.kind, asset.state) == ("In Paris 😀", "text", "ready")
    (region,) = Prelabel.objects.get().regions.values()
    assert region["asset"] == asset.public_id and region["origin"] == {
        "kind": "imported",
        "source": "upload:m1",
    }
    assert region["id"].startswith("r_")
    assert Event.objects.filter(verb="item.imported").count() == 2


def test_bulk_events_are_the_chain_of_single_events(text_world: World):
    send(text_world, lines(texts(30)))
    run_jobs()
    prev = "0" * 64
    for e in Event.objects.filter(chain=text_world.project.public_id).order_by("seq"):
        fields = {
            n: getattr(e, n)
            for n in ("chain", "seq", "at", "actor", "verb", "object", "task", "data", "request", "prev")
        }
        assert e.prev == prev and e.digest == digest(fields)
        prev = e.digest


@pytest.mark.parametrize("form", ["json", "jsonl", "zip"])
def test_ten_thousand_rows_with_three_bad(form: str, text_world: World, monkeypatch):
    # the lease is renewed on a connection of its own, which a test's open transaction would hold up
    monkeypatch.setattr(jobs, "LEASE", timedelta(minutes=5))
    world = text_world
    rows = texts(10_000)
    rows[0] = {"text": "no key"}
    rows[4_999] = {"external_key": "x", "text": "a", "colour": "red"}
    rows[9_999] = {
        "external_key": "y",
        "text": "a",
        "prelabel": {"regions": [{"shape": "span", "label": "nowhere"}]},
    }
    raw = json.dumps(rows).encode() if form == "json" else lines(rows)
    if form == "zip":
        raw = archive({"rows.jsonl": raw})
    answer = send(world, raw, form)
    assert run_jobs() == ["done"]
    result = job_of(answer).result
    assert (result["total"], result["accepted"], result["rejected"]) == (10_000, 9_997, 3)
    assert Item.objects.count() == Task.objects.count() == 9_997
    assert Event.objects.filter(verb="item.imported").count() == 9_997
    url = f"/api/jobs/{answer.json()['job']}/rejects"
    rejects = [
        json.loads(line) for line in b"".join(api(world.importer).get(url).streaming_content).splitlines()
    ]
    assert [r["_rejected"]["row"] for r in rejects] == [1, 5_000, 10_000]
    assert [r["_rejected"]["field"] for r in rejects] == [
        "external_key",
        "colour",
        "prelabel.regions.0.label",
    ]
    # mended, the file of rejects is an import
    rejects[0]["external_key"] = "mended"
    del rejects[1]["colour"]
    rejects[2]["prelabel"]["regions"] = []
    again = send(world, lines(rejects))
    run_jobs()
    assert job_of(again).result["accepted"] == 3
    assert Item.objects.count() == 10_000


def test_the_same_file_twice_doubles_nothing(world: World):
    stored(world, 3)
    rows = [{"external_key": f"k{i}", "assets": [{"name": f"p{i}.png"}]} for i in range(3)]
    send(world, lines(rows))
    second = send(world, lines(rows))
    changed = send(world, lines([{"external_key": "k0", "assets": [{"name": "p1.png"}]}]))
    run_jobs()
    assert job_of(second).result == job_of(second).result | {"accepted": 0, "already_there": 3, "rejected": 0}
    assert job_of(changed).result["reasons"] == {"key_taken": 1}
    assert Item.objects.count() == 3 and Task.objects.count() == 3


def test_one_idempotency_key_one_job(text_world: World):
    first = send(text_world, lines(texts(2)), **{"Idempotency-Key": "k"})
    again = send(text_world, lines(texts(2)), **{"Idempotency-Key": "k"})
    assert first.json() == again.json() and Job.objects.count() == 1
    assert len([p for p in spool.folder().iterdir() if p.name.startswith("in-")]) == 1
    run_jobs()
    assert not [p for p in spool.folder().iterdir() if p.name.startswith(("in-", "rejects-"))]


def test_refuse_imports_nothing_when_a_row_is_bad(text_world: World):
    rows = [*texts(3), {"external_key": "t00001", "text": "another text under a known key"}]
    answer = send(text_world, lines(rows), query="?on_bad=refuse")
    assert run_jobs() == ["failed"]
    job = job_of(answer)
    assert job.error["code"] == "rows_refused" and job.result["rejected"] == 1 and job.result["rejects"]
    assert Item.objects.count() == 0
    send(text_world, lines(rows[:3]), query="?on_bad=refuse")
    assert run_jobs() == ["done"] and Item.objects.count() == 3


def test_rows_are_checked_field_by_field(world: World):
    stored(world, 1)
    good = {"assets": [{"name": "p0.png"}]}
    cases = [
        ([], "not_an_object"),
        ({**good}, "missing_field"),
        ({"external_key": " x", **good}, "bad_text"),
        ({"external_key": "k" * 201, **good}, "bad_text"),
        ({"external_key": "a", "assets": []}, "no_assets"),
        ({"external_key": "a", "assets": [{"url": "http://127.0.0.1/x"}]}, "url_refused"),
        ({"external_key": "a", "assets": [{"name": "nope.png"}]}, "asset_unknown"),
        ({"external_key": "a", "assets": [{"name": "p0.png", "sha256": "0" * 64}]}, "asset_unnamed"),
        ({"external_key": "a", "text": "a text in a picture project"}, "asset_role_missing"),
        ({"external_key": "a", **good, "tags": "x"}, "bad_tags"),
        ({"external_key": "a", **good, "priority": True}, "bad_priority"),
        ({"external_key": "a", **good, "holdout": True}, "unknown_field"),
        ({"external_key": "a", **good, "prelabel": {"source": "model:x", "regions": []}}, "bad_source"),
        ({"external_key": "a", **good, "prelabel": {"score": 7}}, "bad_score"),
        (
            {"external_key": "a", **good, "prelabel": {"regions": boxes((0, 0, 1, 1), label="dog")}},
            "label_not_in_schema",
        ),
        ({"external_key": "a", **good, "prelabel": {"regions": boxes((5, 0, 1, 1))}}, "box_without_extent"),
        ({"external_key": "a", **good, "prelabel": {"regions": boxes((0, 0, 9000, 1))}}, "outside_picture"),
        ({"external_key": "a", **good, "prelabel": {"regions": boxes(("1", 0, 2, 1))}}, "not_a_number"),
        (
            {"external_key": "a", **good, "prelabel": {"answers": {"quality": "great"}}},
            "option_not_in_schema",
        ),
        (
            {"external_key": "a", **good, "prelabel": {"regions": [{**boxes((0, 0, 1, 1))[0], "id": "r_x"}]}},
            "unknown_field",
        ),
    ]
    raw = (
        lines([row for row, _ in cases])
        + b'{"external_key":"a","external_key":"b"}\n{"external_key": NaN}\n{"x\n\xff\n'
    )
    answer = send(world, raw)
    assert run_jobs() == ["done"]
    result = job_of(answer).result
    assert (result["accepted"], result["rejected"]) == (0, len(cases) + 4)
    url = f"/api/jobs/{answer.json()['job']}/rejects"
    rejects = [
        json.loads(line) for line in b"".join(api(world.importer).get(url).streaming_content).splitlines()
    ]
    got = [r["_rejected"]["code"] for r in rejects]
    # rows that cannot be read are told before those whose files or labels are wrong: the row number orders them
    by_row = {r["_rejected"]["row"]: r["_rejected"]["code"] for r in rejects}
    assert [by_row[n] for n in range(1, len(cases) + 1)] == [code for _, code in cases]
    assert sorted(got[-4:] + got[:4]) is not None and by_row[len(cases) + 1] == "duplicate_key"
    assert by_row[len(cases) + 4] == "not_utf8"


def test_an_array_that_breaks_off_keeps_the_rows_before(text_world: World):
    whole = json.dumps(texts(700))
    answer = send(text_world, whole[: len(whole) - 40].encode(), "json")
    assert run_jobs() == ["failed"]
    job = job_of(answer)
    assert job.error["code"] == "not_json" and job.error["place"].startswith("row ")
    assert job.result["accepted"] == Item.objects.count() == 699
    again = send(text_world, whole.encode(), "json")
    run_jobs()
    assert job_of(again).result == job_of(again).result | {"accepted": 1, "already_there": 699}


def test_a_killed_worker_is_followed_up_without_doubles(text_world: World, monkeypatch):
    monkeypatch.setattr(import_rows, "CHUNK_ROWS", 10)
    rows = texts(55)
    rows[3] = {"bad": 1}
    rows[30] = {"bad": 2}
    answer = send(text_world, lines(rows))
    first = jobs.take("io")
    assert first is not None
    handler = import_rows._Import(first)
    written = []
    write = handler._write

    def die_in_the_third_chunk(chunk):
        if len(written) == 2:
            # half a chunk's rejects are on disk, nothing of it in the database
            handler._check(chunk)
            raise KeyboardInterrupt
        written.append(chunk)
        write(chunk)

    monkeypatch.setattr(handler, "_write", die_in_the_third_chunk)
    with pytest.raises(KeyboardInterrupt):
        handler.run()
    assert Item.objects.count() == 19
    Job.objects.filter(pk=first.job.pk).update(lease_until=first.job.created_at)
    second = jobs.take("io")
    assert second is not None and second.job.attempts == 2
    # the frozen first one thaws and may not write
    with pytest.raises(jobs.Fenced):
        write(written[0])
    assert spool.path(f"rejects-{first.job.public_id}").stat().st_size < 300
    assert jobs.run(second) == "done"
    result = job_of(answer).result
    assert (result["total"], result["accepted"], result["rejected"]) == (55, 53, 2)
    assert Item.objects.count() == 53 and Event.objects.filter(verb="item.imported").count() == 53
    body = b"".join(
        api(text_world.importer).get(f"/api/jobs/{answer.json()['job']}/rejects").streaming_content
    )
    assert [json.loads(line)["_rejected"]["row"] for line in body.splitlines()] == [4, 31]


def test_cancel_keeps_whole_chunks_and_says_so(text_world: World, monkeypatch):
    monkeypatch.setattr(import_rows, "CHUNK_ROWS", 10)
    answer = send(text_world, lines(texts(55)))
    job_id = answer.json()["job"]
    ticket = jobs.take("io")
    assert ticket is not None
    assert api(text_world.ann1).post(f"/api/jobs/{job_id}/cancel", {}, format="json").status_code == 403
    assert api(text_world.stranger).post(f"/api/jobs/{job_id}/cancel", {}, format="json").status_code == 404
    assert api(text_world.lead).post(f"/api/jobs/{job_id}/cancel", {}, format="json").json()["cancel_asked"]
    assert jobs.run(ticket) in ("cancelled",)
    body = api(text_world.lead).get(f"/api/jobs/{job_id}").json()
    assert body["state"] == "cancelled" and body["result"]["accepted"] == Item.objects.count()
    assert "stay" in body["message"]
    assert not [p for p in spool.folder().iterdir() if p.name.startswith(("in-", "rejects-"))]


def test_a_schema_published_meanwhile_checks_the_chunk_again(world: World, monkeypatch):
    stored(world, 20)
    monkeypatch.setattr(import_rows, "CHUNK_ROWS", 10)
    rows = [{"external_key": f"k{i}", "assets": [{"name": f"p{i}.png"}],
             "prelabel": {"regions": boxes((0, 0, 5, 5))}} for i in range(20)]  # fmt: skip
    answer = send(world, lines(rows))
    ticket = jobs.take("io")
    assert ticket is not None
    handler = import_rows._Import(ticket)
    check, calls = handler._check, []

    def check_then_publish(chunk):
        calls.append(1)
        found = check(chunk)
        if len(calls) == 2:
            document = json.loads(json.dumps(SCHEMA))
            document["labels"][0]["retired"] = True
            version = SchemaVersion.objects.create(
                project=world.project,
                number=2,
                document=document,
                digest=digest(document),
                created_by=world.lead,
                created_at=world.batch.created_at,
            )
            type(world.project).objects.filter(pk=world.project.pk).update(schema=version)
        return found

    monkeypatch.setattr(handler, "_check", check_then_publish)
    result = handler.run()
    assert len(calls) == 3
    assert (result["accepted"], result["rejected"], result["reasons"]) == (10, 10, {"label_retired": 10})
    assert answer.status_code == 202


def test_holdout_is_drawn_by_group_and_repeats(text_world: World):
    rows = [{"external_key": f"k{i}", "text": f"text {i}", "group": f"g{i // 4}"} for i in range(200)]
    send(text_world, lines(rows))
    run_jobs()
    by_group: dict[str, set[bool]] = {}
    for group, holdout in Item.objects.values_list("group", "holdout"):
        by_group.setdefault(group, set()).add(holdout)
    assert all(len(found) == 1 for found in by_group.values())
    assert 0 < sum(found == {True} for found in by_group.values()) < 20


def test_slots_on_a_random_share(db):
    world = make_world("text", slots=2, slots_share=0.5)
    send(world, lines(texts(200)))
    run_jobs()
    assert 60 < Task.objects.filter(n_slots=2).count() < 140


def test_a_higher_priority_rewinds_cursors(text_world: World):
    from annotator.models import ClaimCursor

    send(text_world, lines(texts(3)))
    run_jobs()
    cursor = ClaimCursor.objects.create(project=text_world.project, person=text_world.ann1, rank=2**62)
    send(text_world, lines([{"external_key": "urgent", "text": "now", "priority": 5}]))
    run_jobs()
    cursor.refresh_from_db()
    assert cursor.rank == Task.objects.get(item__external_key="urgent").rank - 1


def test_an_archive_of_pictures_becomes_items(world: World):
    raw = archive(
        {
            "a/one.png": picture(1),
            "a/two.jpg": picture(2, form="JPEG"),
            "notes.docx": b"PK..",
            "bad.png": b"\x89PNG\r\n\x1a\nxx",
        }
    )
    answer = send(world, raw, "zip", who="lead")
    assert run_jobs() == ["done"]
    result = job_of(answer).result
    assert (result["total"], result["accepted"], result["rejected"], result["reasons"]) == (
        4,
        2,
        2,
        {"file_refused": 2},
    )
    assert set(Item.objects.values_list("external_key", flat=True)) == {"a/one.png", "a/two.jpg"}
    again = send(world, raw, "zip", who="lead")
    run_jobs()
    assert job_of(again).result["already_there"] == 2


def test_an_archive_of_rows_and_files(world: World):
    rows = [
        {
            "external_key": "x",
            "assets": [{"name": "img/1.png"}],
            "prelabel": {"regions": boxes((1, 1, 9.5, 9.125))},
        }
    ]
    answer = send(world, archive({"rows.jsonl": lines(rows), "img/1.png": picture(1)}), "zip")
    assert run_jobs() == ["done"]
    assert job_of(answer).result["accepted"] == 1 and job_of(answer).result["files"] == 1


def test_picture_and_text_in_one_item(world: World):
    stored(world, 1)
    send(
        world,
        lines([{"external_key": "both", "assets": [{"role": "image", "name": "p0.png"}], "text": "Leaflet"}]),
    )
    run_jobs()
    assert [(a.role, a.asset.kind) for a in Item.objects.get().item_assets.all()] == [
        ("image", "image"),
        ("text", "text"),
    ]


# --- doors --------------------------------------------------------------------------------------


def test_who_may_import(world: World):
    raw = lines([])
    for who, status in {"ann1": 403, "viewer": 403, "expert": 403, "stranger": 404}.items():
        assert send(world, raw or b"x", who=who).status_code == status
    assert (
        api(None)
        .generic(
            "POST", f"/api/projects/{world.project.public_id}/imports", b"x", content_type=TYPES["jsonl"]
        )
        .status_code
        == 401
    )
    assert api(world.lead).get(f"/api/projects/{world.project.public_id}/imports").status_code == 405


def test_bodies_that_are_no_import(world: World):
    client, url = api(world.lead), f"/api/projects/{world.project.public_id}/imports"
    assert client.generic("POST", url, b"x", content_type="text/plain").status_code == 415
    assert (
        client.generic("POST", url, b"x", content_type="application/x-ndjson", CONTENT_LENGTH="").status_code
        == 411
    )
    assert (
        client.generic(
            "POST", url, b"x", content_type="application/x-ndjson", CONTENT_LENGTH=str(2**40)
        ).status_code
        == 413
    )
    assert (
        client.generic("POST", url + "?on_bad=maybe", b"x", content_type="application/x-ndjson").status_code
        == 400
    )
    assert (
        client.generic("POST", url + "?owner=me", b"x", content_type="application/x-ndjson").status_code
        == 400
    )
    assert (
        client.generic("POST", url, b"x", content_type="application/zip").json()["error"]["code"]
        == "not_a_zip"
    )
    assert Job.objects.count() == 0 and not [p for p in spool.folder().iterdir() if p.name.startswith("in-")]


def test_jobs_of_others_look_like_none(text_world: World):
    mine = send(text_world, lines(texts(1)), who="lead").json()["job"]
    assert api(text_world.importer).get(f"/api/jobs/{mine}").status_code == 404
    assert api(text_world.stranger).get(f"/api/jobs/{mine}").status_code == 404
    assert api(text_world.ann1).get(f"/api/jobs/{mine}").status_code == 403
    assert api(text_world.lead).get("/api/jobs/j_nothing").status_code == 404
    listed = (
        api(text_world.importer).get(f"/api/projects/{text_world.project.public_id}/jobs").json()["results"]
    )
    assert listed == []


def hostile(change: str) -> bytes:
    """An archive with one thing wrong."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        info = zipfile.ZipInfo("fine.txt")
        raw = b"hello"
        names = {
            "climb": "../../etc/passwd",
            "absolute": "/etc/passwd",
            "drive": "C:/x.txt",
            "backslash": "a\\..\\b.txt",
            "dot": "a/trailing./x.txt",
            "space": "a/x.txt ",
            "deep": "/".join("a" * 30) + ".txt",
            "nested": "inner.zip",
        }
        if change in names:
            info = zipfile.ZipInfo("x")
            info.filename = names[change]
        if change == "link":
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            info.create_system = 3
            raw = b"/etc/passwd"
        if change == "ratio":
            raw = b"\0" * 30_000_000
            info.compress_type = zipfile.ZIP_DEFLATED
        made.writestr(info, raw, zipfile.ZIP_DEFLATED)
        if change == "twice":
            made.writestr("FINE.txt", b"other")
    raw = out.getvalue()
    if change == "overlap":
        at = raw.index(b"PK\x01\x02")
        entry_end = raw.index(b"PK\x05\x06")
        entry = raw[at:entry_end].replace(b"fine.txt", b"fin2.txt")
        end = bytearray(raw[entry_end:])
        struct.pack_into("<HH", end, 8, 2, 2)
        struct.pack_into("<L", end, 12, (entry_end - at) * 2)
        raw = raw[:entry_end] + entry + bytes(end)
    if change == "lies":
        at = raw.index(b"PK\x01\x02")
        changed = bytearray(raw)
        struct.pack_into("<L", changed, at + 24, 3)
        raw = bytes(changed)
    return raw


@pytest.mark.parametrize(
    "change",
    [
        "climb",
        "absolute",
        "drive",
        "backslash",
        "dot",
        "space",
        "deep",
        "nested",
        "link",
        "ratio",
        "twice",
        "overlap",
    ],
)
def test_hostile_archives_are_refused_at_the_door(world: World, change: str):
    answer = send(world, hostile(change), "zip")
    assert answer.status_code in (400, 413), answer.content
    error = answer.json()["error"]
    assert error["place"] if change != "overlap" else error["code"] == "members_overlap"
    assert Job.objects.count() == 0 and Asset.objects.count() == 0


def test_sizes_that_lie_stop_the_import(world: World):
    answer = send(world, hostile("lies"), "zip")
    if answer.status_code == 202:
        assert run_jobs() == ["failed"]
        assert job_of(answer).error["code"] in ("member_size", "member_damaged")
    assert Item.objects.count() == 0


def test_too_many_members(world: World, monkeypatch):
    from annotator.core import archives

    raw = archive({f"{n}.txt": b"" for n in range(30)})
    with pytest.raises(archives.TooLarge) as found:
        archives.check_zip(io.BytesIO(raw), max_bytes=10**9, max_members=20)
    assert found.value.code == "too_many_members"
    with pytest.raises(archives.TooLarge):
        archives.check_zip(io.BytesIO(archive({"a.txt": b"x" * 2000})), max_bytes=1000)


HOSTILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "hostile-archives-and-texts"


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="the collection of hostile archives is not on this machine")
def test_hostile_collection_is_told_what_is_wrong(world: World):
    data_before = {p for p in Path("/tmp").iterdir()}
    for place in sorted(HOSTILE.rglob("*")):
        if not place.is_file() or place.suffix in (".md",) or not place.stat().st_size:
            continue
        form = {"zip": "zip", "json": "json"}.get(place.suffix[1:], "jsonl")
        answer = send(world, place.read_bytes(), form, who="lead")
        assert answer.status_code in (202, 400, 413), (place.name, answer.content)
        if place.name == "zip-slip.zip":
            assert answer.status_code == 400 and "evil" in answer.json()["error"]["place"]
    assert set(run_jobs()) <= {"done", "failed"}
    for job in Job.objects.filter(state="failed"):
        assert job.error["code"] != "internal", job.error
    assert not any("evil" in p.name for p in Path("/tmp").iterdir() if p not in data_before)
