# ruff: noqa: E501 - tables
"""Releases: what is in, what stays out, the same bytes again, nothing half published."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotator import blobs, jobs
from annotator.actions import publish_release as verbs
from annotator.actions.verb import Idem
from annotator.contributions import ReleasePart, site
from annotator.core.canonical import canonical_text, digest, strict_loads
from annotator.core.errors import ConcordError, Conflict, Invalid
from annotator.models import AcceptedDocument, Asset, Event, Item, Job, Release, Task
from annotator.queries.release_check import check_folder
from tests.actors import World, add, api, box, claim, save

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the foundation's own part of a release: the upper wings are tested at home."""
    monkeypatch.setattr(site, "release_parts", [])
    monkeypatch.setattr(site, "release_gates", [])
    monkeypatch.setattr(site, "release_filters", [])


def accept(world: World, key: str, n: int = 2, label: str = "coin") -> AcceptedDocument:
    """One task labelled by ann1 and accepted (one person, no grace)."""
    from annotator.actions.seat_verbs import sweep

    task = world.item(key)
    seat = claim(world, world.ann1)
    assert seat is not None and seat.task_id == task.pk
    asset = seat.task.item.item_assets.get().asset.public_id
    save(seat, [add(box(asset, 10 * i, 10, 10 * i + 8, 20.5, label)) for i in range(n)], submit=True)
    while sweep():
        pass
    return AcceptedDocument.objects.get(task=task)


def make(world: World, **options: Any) -> Release:
    """A published release."""
    answer = verbs.publish_release(actor=world.lead, project=world.project, **options)
    run_jobs()
    release = Release.objects.get(public_id=answer["release"])
    assert release.state == "done", Job.objects.get(public_id=answer["job"]).error
    return release


def run_jobs() -> None:
    while (ticket := jobs.take("io")) is not None:
        jobs.run(ticket)


def read(release: Release, name: str) -> bytes:
    return blobs.read(release.files[name]["sha256"])


def out(release: Release, folder: Path) -> Path:
    call_command("release", "out", release.public_id, str(folder), verbosity=0)
    return folder


def test_accepted_documents_with_their_provenance(single: World) -> None:
    rows = [accept(single, key) for key in ("b", "a", "中", "Z")]
    single.item("not labelled")
    release = make(single, name="first")
    lines = [strict_loads(line) for line in read(release, "items.jsonl").splitlines()]
    assert [line["key"] for line in lines] == ["Z", "a", "b", "中"], "in order of keys, in code points"
    by_key = {line["key"]: line for line in lines}
    for row in rows:
        line = by_key[row.task.item.external_key]
        assert digest(line["document"]) == row.digest == line["accepted"]["digest"]
        assert line["accepted"]["way"] == "single" and line["accepted"]["event"] == row.event_seq
        seat = line["provenance"]["seats"][row.provenance["assignments"][0]]
        assert seat["person"].startswith("w_") and seat["digest"] == row.digest and seat["stage"] == "label"
        assert set(line["provenance"]["by_region"]) == set(line["document"]["regions"])
    manifest = strict_loads(read(release, "manifest.json"))
    assert manifest["counts"]["left_out"] == {"ready": 1} and manifest["counts"]["items"] == 4
    assert manifest["counts"]["by_label"] == {"coin": 8} and manifest["name"] == "first"
    event = Event.objects.get(chain=single.project.public_id, seq=release.event_seq)
    assert manifest["event"] == {"seq": event.seq, "digest": event.digest, "at": event.at}
    published = Event.objects.get(verb="release.published")
    assert published.data["manifest"] == release.manifest_digest
    assert release.manifest_digest == hashlib.sha256(read(release, "manifest.json")).hexdigest()


def test_no_name_but_in_the_leads_table(single: World) -> None:
    row = accept(single, "a")
    single.ann1.name = "Ann Canary"
    single.ann1.save()
    release = make(single)
    secret = [single.ann1.public_id, "ann1", "Ann Canary", single.lead.public_id, "lead@"]
    for name, one in release.files.items():
        text = read(release, name).decode()
        if one["audience"] == "all":
            assert not [word for word in secret if word in text], name
    names = strict_loads(read(release, "names.json"))["people"]
    seat = strict_loads(read(release, "items.jsonl").splitlines()[0])["provenance"]["seats"]
    assert names[next(iter(seat.values()))["person"]] == {"username": "ann1", "name": "Ann Canary"}
    assert "names.json" not in strict_loads(read(release, "manifest.json"))["files"]
    assert b"names.json" not in read(release, "SHA256SUMS")
    assert row.provenance["assignments"]


def test_a_known_second_account_is_the_same_person(single: World) -> None:
    accept(single, "a")
    first = make(single)
    other = verbs.Pseudonyms(verbs.read_key(single.project))
    assert other("u_" + "b" * 16, single.ann1.public_id) == other("u_" + "c" * 16, single.ann1.public_id)
    line = strict_loads(read(first, "items.jsonl").splitlines()[0])
    person = next(iter(line["provenance"]["seats"].values()))["person"]
    assert person == other(single.ann1.public_id)


def test_what_is_not_accepted_stays_out(single: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Canaries in every other state: none of them is in any file."""
    good = accept(single, "good")
    for use in ("withdrawn", "gold", "pilot"):
        row = accept(single, f"canary-{use}")
        Item.objects.filter(pk=row.task.item_id).update(use=use)
    mended = accept(single, "mended")
    old = json.dumps(sorted(mended.document["regions"]))
    AcceptedDocument.objects.filter(pk=mended.pk).update(current=False)
    document = {**mended.document, "regions": {}}
    AcceptedDocument.objects.create(
        task=mended.task, number=2, round=1, document=document, digest=digest(document), way="mended",
        provenance={"assignments": [], "by_region": {}}, schema=mended.schema, event_seq=mended.event_seq, at=mended.at,
    )  # fmt: skip
    reopened = accept(single, "canary-reopened")
    Task.objects.filter(pk=reopened.task_id).update(state="ready")
    single.item("canary-draft")
    seat = claim(single, single.ann2)
    assert seat
    save(seat, [add(box(seat.task.item.item_assets.get().asset.public_id, 1, 1, 5, 5))])
    by_lot = accept(single, "canary-lot")
    monkeypatch.setattr(site, "release_filters", [lambda project, rows: {by_lot.pk: "lot_not_accepted"}])
    release = make(single)
    whole = b"".join(read(release, name) for name in release.files)
    assert b"canary" not in whole and good.task.item.external_key.encode() in whole
    assert not [one for one in json.loads(old) if one.encode() in whole]
    manifest = strict_loads(read(release, "manifest.json"))
    left_out = manifest["counts"]["left_out"]
    assert {name: left_out[name] for name in ("withdrawn", "gold", "pilot", "lot_not_accepted")} == {
        "withdrawn": 1, "gold": 1, "pilot": 1, "lot_not_accepted": 1,
    }  # fmt: skip
    assert sum(left_out.values()) + manifest["counts"]["items"] == Task.objects.count()


def test_the_same_bytes_again_whatever_happens_meanwhile(single: World) -> None:
    for key in ("a", "b", "c"):
        accept(single, key)
    release = make(single)
    accept(single, "later")
    row = AcceptedDocument.objects.first()
    assert row
    Task.objects.filter(pk=row.task_id).update(state="ready", round=2)
    single.project.title = "Renamed"
    single.project.save()
    assert verbs.rebuild(release) == {}
    second = make(single)
    assert second.number == 2 and second.files["items.jsonl"] != release.files["items.jsonl"]
    assert verbs.rebuild(release) == {} and verbs.rebuild(second) == {}


def test_a_worker_that_dies_leaves_nothing_and_the_next_try_finishes(
    single: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(single, "a")
    answer = verbs.publish_release(actor=single.lead, project=single.project)
    ticket = jobs.take("io")
    assert ticket is not None

    class Killed(BaseException):
        """Like SIGKILL: no handler of the job sees it."""

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(verbs, "_publish", die)
        with pytest.raises(Killed):
            verbs.run(ticket)
    release = Release.objects.get(public_id=answer["release"])
    assert release.state == "making" and release.files == {}
    assert api(single.viewer).get(f"/api/releases/{release.public_id}").status_code == 404
    assert not list((blobs.root().parent / "tmp").glob("release-*"))
    first = Job.objects.get(public_id=answer["job"])
    assert first.state == "running"
    result = verbs.run(ticket)
    release.refresh_from_db()
    assert release.state == "done" and result["release"] == release.public_id
    assert verbs.run(ticket)["release"] == release.public_id, "a third run changes nothing"
    assert Event.objects.filter(verb="release.published").count() == 1
    assert verbs.rebuild(release) == {}


def test_a_damaged_document_is_never_released(single: World) -> None:
    row = accept(single, "a")
    AcceptedDocument.objects.filter(pk=row.pk).update(
        document={**row.document, "unusable": "changed by hand"}
    )
    answer = verbs.publish_release(actor=single.lead, project=single.project)
    run_jobs()
    job = Job.objects.get(public_id=answer["job"])
    assert job.state == "failed" and job.error["code"] == "document_damaged"
    release = Release.objects.get(public_id=answer["release"])
    assert release.state == "failed" and release.files == {}
    assert Event.objects.filter(verb="release.failed").count() == 1


def test_refusals(single: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid) as caught:
        verbs.publish_release(actor=single.lead, project=single.project)
    assert caught.value.code in ("nothing_accepted", "nothing_happened")
    assert not Release.objects.exists()
    accept(single, "b")
    for formats in ([], ["coco", "coco.v1"], ["yolo"]):
        with pytest.raises(ConcordError):
            verbs.publish_release(actor=single.lead, project=single.project, formats=formats)
    monkeypatch.setattr(site, "release_gates", [lambda snapshot: ["Agreement is too low."]])
    with pytest.raises(Conflict) as held:
        verbs.publish_release(actor=single.lead, project=single.project)
    assert held.value.code == "release_held" and held.value.extra["reasons"] == ["Agreement is too low."]
    assert not Release.objects.exists()


def test_one_key_one_release(single: World) -> None:
    accept(single, "a")
    idem = Idem("k1", "POST /x", "0")
    one = verbs.publish_release(actor=single.lead, project=single.project, idem=idem)
    two = verbs.publish_release(actor=single.lead, project=single.project, idem=idem)
    assert one == two and Release.objects.count() == 1 and Job.objects.filter(kind="release").count() == 1


def test_parts_of_upper_wings_are_in_the_sums(single: World, monkeypatch: pytest.MonkeyPatch) -> None:
    accept(single, "a")
    keys: list[str] = []

    def part(snapshot: Any) -> dict[str, bytes]:
        keys.extend(key for _, _, key, *_ in snapshot.documents())
        return {"report.json": b'{"ok":1}\n'}

    monkeypatch.setattr(site, "release_parts", [ReleasePart("quality", part)])
    release = make(single)
    assert read(release, "report.json") == b'{"ok":1}\n' and b"report.json" in read(release, "SHA256SUMS")
    assert keys == ["a"]


def test_only_the_formats_asked_for(single: World) -> None:
    accept(single, "a")
    release = make(single, formats=["coco"])
    assert sorted(release.files) == [
        "SHA256SUMS",
        "coco.json",
        "manifest.json",
        "names.json",
        "schemas.jsonl",
    ]
    assert release.options["formats"] == ["coco.v1"]


def test_a_text_project_with_one_person(text_world: World) -> None:
    from annotator.actions.seat_verbs import sweep

    text = "巴黎 😀 is nice"
    task = text_world.item("t", text=text)
    seat = claim(text_world, text_world.ann1)
    assert seat
    asset = task.item.item_assets.get().asset
    span = box(asset.public_id, 0, 0, 1, 1, "place") | {
        "shape": "span", "geometry": {"start": 0, "end": 4, "quote": "巴黎 😀"},
    }  # fmt: skip
    answer = {"op": "set", "path": ["answers", "intent"], "before": None, "after": "tell"}
    save(seat, [add(span), answer], submit=True)
    while sweep():
        pass
    release = make(text_world)
    line = strict_loads(read(release, "items.jsonl").splitlines()[0])
    found = next(iter(line["document"]["regions"].values()))["geometry"]
    assert line["assets"][0]["text"][found["start"] : found["end"]] == found["quote"] == "巴黎 😀"
    losses = [json.loads(one) for one in read(release, "losses.jsonl").splitlines()]
    assert {one["code"] for one in losses} == {"asset_not_held", "answer_not_held", "shape_not_held"}
    manifest = strict_loads(read(release, "manifest.json"))
    assert manifest["losses"] == {"coco.v1": {"asset_not_held": 1, "answer_not_held": 1, "shape_not_held": 1}}


# --- verifying a folder ---


def _edit(path: Path, position: int = 40) -> None:
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= 1
    path.write_bytes(data)


def test_verify_names_the_first_bad_file(single: World, tmp_path: Path) -> None:
    accept(single, "a")
    release = make(single)
    folder = out(release, tmp_path / "good")
    assert check_folder(folder) == (4, None) and check_folder(folder, release.manifest_digest)[1] is None
    sums = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=False)
    assert sums.returncode == 0
    call_command("verify_release", str(folder), "--release", release.public_id, verbosity=0)
    names = sorted(path.name for path in folder.iterdir())
    assert "names.json" not in names
    for n, name in enumerate(names):
        for what in ("flip", "cut", "drop"):
            bad = out(release, tmp_path / f"{n}-{what}")
            target = bad / name
            if what == "flip":
                _edit(target)
            elif what == "cut":
                target.write_bytes(target.read_bytes()[:-1])
            else:
                target.unlink()
            fault = check_folder(bad, release.manifest_digest)[1]
            assert fault is not None, (name, what)
            if name != "SHA256SUMS":
                assert fault.file == name


def test_verify_sees_added_renamed_swapped_and_whole_edits(single: World, tmp_path: Path) -> None:
    accept(single, "a")
    release = make(single)
    added = out(release, tmp_path / "added")
    (added / "zz.txt").write_text("x")
    fault = check_folder(added)[1]
    assert fault and fault.file == "zz.txt"
    renamed = out(release, tmp_path / "renamed")
    (renamed / "coco.json").rename(renamed / "coco2.json")
    fault = check_folder(renamed)[1]
    assert fault and fault.file == "coco.json"
    swapped = out(release, tmp_path / "swapped")
    one, two = (swapped / "coco.json").read_bytes(), (swapped / "items.jsonl").read_bytes()
    (swapped / "coco.json").write_bytes(two), (swapped / "items.jsonl").write_bytes(one)
    assert check_folder(swapped)[1] is not None
    # data, manifest and sums edited alike: only the published digest of the manifest tells
    whole = out(release, tmp_path / "whole")
    _edit(whole / "items.jsonl")
    manifest = json.loads((whole / "manifest.json").read_text())
    changed = hashlib.sha256((whole / "items.jsonl").read_bytes()).hexdigest()
    old = manifest["files"]["items.jsonl"]["sha256"]
    for name in ("manifest.json", "SHA256SUMS"):
        (whole / name).write_text((whole / name).read_text().replace(old, changed))
    new = hashlib.sha256((whole / "manifest.json").read_bytes()).hexdigest()
    (whole / "SHA256SUMS").write_text(
        (whole / "SHA256SUMS").read_text().replace(release.manifest_digest, new)
    )
    assert check_folder(whole)[1] is None
    fault = check_folder(whole, release.manifest_digest)[1]
    assert fault and fault.file == "manifest.json"
    with pytest.raises(CommandError, match="manifest.json"):
        call_command("verify_release", str(whole), "--release", release.public_id, verbosity=0)


def test_a_link_is_no_file(single: World, tmp_path: Path) -> None:
    accept(single, "a")
    release = make(single)
    folder = out(release, tmp_path / "linked")
    kept = tmp_path / "kept"
    (folder / "coco.json").rename(kept)
    (folder / "coco.json").symlink_to(kept)
    fault = check_folder(folder)[1]
    assert fault and fault.what == "is no plain file"


def test_the_command_makes_one(single: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accept(single, "a")
    call_command("release", "make", single.project.public_id, "--as", "lead", "--name", "by hand")
    public_id = capsys.readouterr().out.strip()
    call_command("release", "rebuild", public_id)
    assert "the same bytes" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("release", "make", single.project.public_id, "--as", "ann1")
    with pytest.raises(CommandError):
        call_command("release", "make", single.project.public_id, "--as", "nobody")


def test_lines_are_canonical_and_a_mask_keeps_its_pixels(single: World) -> None:
    import base64

    import numpy as np

    from annotator.actions.seat_verbs import sweep
    from annotator.core import masks

    task = single.item("mask")
    seat = claim(single, single.ann1)
    assert seat
    pixels = np.zeros((480, 640), bool)
    pixels[200:300, 240:400] = True
    tiles, parts = masks.mask_to_parts(pixels)
    region = box(task.item.item_assets.get().asset.public_id, 0, 0, 1, 1) | {
        "shape": "mask",
        "geometry": {"tiles": tiles},
    }
    sent = {name: base64.b64encode(raw).decode() for name, raw in parts.items()}
    save(seat, [add(region)], submit=True, parts=sent)
    while sweep():
        pass
    release = make(single)
    annotation = json.loads(read(release, "coco.json"))["annotations"][0]
    assert annotation["segmentation"] == masks.coco_rle_encode(pixels) and annotation["area"] == 16_000
    for line in read(release, "items.jsonl").splitlines():
        assert canonical_text(strict_loads(line)).encode() == line
    assert Asset.objects.count() == 1


# --- the door ---


def test_the_door(single: World) -> None:
    accept(single, "a")
    url = f"/api/projects/{single.project.public_id}/releases"
    for who, status in [
        (None, 401),
        (single.stranger, 404),
        (single.ann1, 403),
        (single.viewer, 403),
        (single.importer, 403),
    ]:
        assert api(who).post(url, {}, format="json").status_code == status
    lead = api(single.lead)
    assert lead.post(url, {"formats": ["yolo"]}, format="json").status_code == 400
    assert lead.post(url, {"colour": 1}, format="json").status_code == 400
    answer = lead.post(url, {"name": "one"}, format="json", headers={"Idempotency-Key": "r1"})
    assert answer.status_code == 202
    again = lead.post(url, {"name": "one"}, format="json", headers={"Idempotency-Key": "r1"})
    assert again.json() == answer.json()
    assert api(single.viewer).get(url).json()["results"] == []
    run_jobs()
    one = f"/api/releases/{answer.json()['release']}"
    for who, status in [
        (None, 401),
        (single.stranger, 404),
        (single.ann1, 403),
        (single.viewer, 200),
        (single.lead, 200),
    ]:
        assert api(who).get(one).status_code == status
        assert api(who).get(f"{one}/files/items.jsonl").status_code == status
    assert api(single.viewer).get(f"{one}/files/names.json").status_code == 404
    assert lead.get(f"{one}/files/names.json").status_code == 200
    assert lead.get(f"{one}/files/nothing").status_code == 404
    assert lead.get("/api/releases/rl_nothing").status_code == 404
    assert lead.delete(one).status_code == 405
    shown = api(single.viewer).get(one).json()
    assert shown["state"] == "done" and "names.json" not in [file["name"] for file in shown["files"]]
    assert [row["id"] for row in api(single.viewer).get(url).json()["results"]] == [shown["id"]]


def test_ranges_of_a_file(single: World) -> None:
    accept(single, "a")
    release = make(single)
    whole = read(release, "items.jsonl")
    url = f"/api/releases/{release.public_id}/files/items.jsonl"
    client = api(single.viewer)
    full = client.get(url)
    assert b"".join(full.streaming_content) == whole and full["Content-Length"] == str(len(whole))
    assert "attachment" in full["Content-Disposition"] and full["X-Content-Type-Options"] == "nosniff"
    for asked, start, end in [
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, len(whole)),
        ("bytes=-5", len(whole) - 5, len(whole)),
    ]:
        part = client.get(url, headers={"Range": asked})
        assert part.status_code == 206 and b"".join(part.streaming_content) == whole[start:end]
        assert part["Content-Range"] == f"bytes {start}-{end - 1}/{len(whole)}"
    assert client.get(url, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert client.get(url, headers={"If-None-Match": full["ETag"]}).status_code == 304
    stale = client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"old"'})
    assert stale.status_code == 200
    head = client.head(url)
    assert head.status_code == 200 and head["Content-Length"] == str(len(whole))
