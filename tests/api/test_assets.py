"""Files: one body, resumable uploads, checks, bytes by range, and who may have them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from annotator import blobs, spool
from annotator.models import Asset, Event, ItemAsset, Task, Upload
from tests.actors import World, api, claim
from tests.files import picture, run_jobs

pytestmark = pytest.mark.django_db


def send(world: World, raw: bytes, name: str = "one.png", who: str = "lead", **headers: str):
    client = api(getattr(world, who))
    return client.generic(
        "POST",
        f"/api/projects/{world.project.public_id}/assets",
        raw,
        content_type="application/octet-stream",
        headers={"X-Name": name, **headers},
    )


def begin(world: World, raw: bytes, size: int | None = None, **more: object):
    client = api(world.importer)
    body = {"name": "big.png", "size": len(raw) if size is None else size, **more}
    return client, client.post(f"/api/projects/{world.project.public_id}/assets", body, format="json")


def patch(client, upload: str, raw: bytes, offset: int):
    return client.generic(
        "PATCH",
        f"/api/uploads/{upload}",
        raw,
        content_type="application/octet-stream",
        headers={"Upload-Offset": str(offset)},
    )


def test_a_picture_is_received_then_checked(world: World):
    raw = picture(1, (320, 200))
    answer = send(world, raw, "%E5%9B%BE.png")
    assert answer.status_code == 202
    body = answer.json()["asset"]
    assert (body["state"], body["name"]) == ("checking", "图.png")
    assert run_jobs() == ["done"]
    asset = Asset.objects.get(public_id=body["id"])
    assert (asset.state, asset.kind, asset.media_type, asset.width, asset.height) == (
        "ready",
        "image",
        "image/png",
        320,
        200,
    )
    assert asset.sha256 == hashlib.sha256(raw).hexdigest()
    assert list(Event.objects.filter(verb__startswith="asset.").values_list("verb", flat=True)) == [
        "asset.received",
        "asset.ready",
    ]


def test_the_claimed_type_counts_for_nothing(world: World):
    for name, raw in {
        "a.png": b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        "b.txt": b"<!DOCTYPE html><script>1</script>",
        "c.jpg": b"%PDF-1.7 ...",
        "d.gif": b"GIF89a" + b"\0" * 40,
        "e.png": picture()[:40],
        "f.tif": b"II*\0" + b"\0" * 40,
    }.items():
        assert send(world, raw, name).status_code == 202
    run_jobs()
    for asset in Asset.objects.all():
        assert asset.state == "refused" and asset.reason
        assert not blobs.exists(asset.sha256)
        assert api(world.lead).get(f"/api/assets/{asset.public_id}/file").status_code == 404


def test_texts_are_decoded_as_declared_or_refused_with_the_place(world: World):
    good = "Ünïcode 😀 巴黎\r\nb"
    for name, raw, query in (
        ("bom.txt", b"\xef\xbb\xbf" + good.encode(), ""),
        ("gb.txt", "中文文本".encode("gb18030"), "?encoding=gb18030"),
        ("bad.txt", b"first\nsec\xffond", ""),
        ("utf16.txt", "hello".encode("utf-16"), ""),
        ("nul.txt", b"a\x00b", ""),
    ):
        api(world.lead).generic(
            "POST",
            f"/api/projects/{world.project.public_id}/assets{query}",
            raw,
            content_type="application/octet-stream",
            headers={"X-Name": name},
        )
    run_jobs()
    found = {a.name: a for a in Asset.objects.all()}
    assert found["bom.txt"].text == good
    assert found["gb.txt"].text == "中文文本"
    assert found["bad.txt"].state == "refused" and "line 2, byte 9" in found["bad.txt"].reason
    assert found["utf16.txt"].state == "refused"
    assert found["nul.txt"].state == "refused" and "nul_character" in found["nul.txt"].reason


def test_pixel_and_frame_budgets_come_from_the_header(world: World, settings):
    import io

    from PIL import Image

    settings.PIXEL_LIMIT = 10_000
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), (n, 0, 0)) for n in range(3)]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    send(world, picture(1, (200, 200)), "large.png")
    send(world, out.getvalue(), "moving.png")
    run_jobs()
    reasons = dict(Asset.objects.values_list("name", "reason"))
    assert reasons["large.png"].startswith("too_many_pixels")
    assert reasons["moving.png"].startswith("several_frames")


def test_same_bytes_are_one_asset(world: World):
    first, second = send(world, picture(3)).json(), send(world, picture(3), "other.png").json()
    assert first["asset"]["id"] == second["asset"]["id"]
    assert Asset.objects.count() == 1


def test_one_key_one_asset(world: World):
    first = send(world, picture(4), **{"Idempotency-Key": "k1"})
    again = send(world, picture(4), **{"Idempotency-Key": "k1"})
    assert first.json() == again.json() and Upload.objects.count() == 1
    assert send(world, picture(5), **{"Idempotency-Key": "k1"}).status_code == 409


def test_bodies_without_length_or_too_long(world: World):
    client = api(world.lead)
    url = f"/api/projects/{world.project.public_id}/assets"
    answer = client.generic(
        "POST", url, b"", content_type="application/octet-stream", headers={"X-Name": "a.png"}
    )
    assert answer.status_code in (400, 411)
    answer = client.generic(
        "POST",
        url,
        b"abc",
        content_type="application/octet-stream",
        headers={"X-Name": "a.png"},
        CONTENT_LENGTH="",
    )
    assert answer.status_code == 411
    answer = client.generic(
        "POST",
        url,
        b"abc",
        content_type="application/octet-stream",
        headers={"X-Name": "a.png"},
        CONTENT_LENGTH=str(65 * 2**20),
    )
    assert answer.status_code == 413
    answer = (
        client.post(url, {"f": "x"}, format="multipart")
        if False
        else client.generic(
            "POST", url, b"--x--", content_type="multipart/form-data; boundary=x", headers={"X-Name": "a.png"}
        )
    )
    assert answer.status_code == 415
    assert Asset.objects.count() == 0


def test_resumable_upload(world: World):
    raw = picture(9, (400, 400), "BMP")
    client, answer = begin(world, raw, sha256=hashlib.sha256(raw).hexdigest())
    assert answer.status_code == 201
    upload = answer.json()["upload"]
    half = len(raw) // 2
    assert patch(client, upload, raw[:half], 0).json() == {"offset": half}
    late = patch(client, upload, raw[half:], 0)
    assert late.status_code == 409 and late.json()["error"]["offset"] == half
    beyond = patch(client, upload, raw[half:] + b"x", half)
    assert beyond.status_code == 413
    early = client.post(f"/api/uploads/{upload}/finish", {}, format="json")
    assert early.status_code == 409 and early.json()["error"]["code"] == "upload_incomplete"
    assert patch(client, upload, raw[half:], half).json() == {"offset": len(raw)}
    done = client.post(f"/api/uploads/{upload}/finish", {}, format="json")
    assert done.status_code == 202
    assert (
        client.post(f"/api/uploads/{upload}/finish", {}, format="json").json()["asset"]["id"]
        == done.json()["asset"]["id"]
    )
    assert blobs.read(hashlib.sha256(raw).hexdigest()) == raw
    assert not any(p.name.startswith("up-") for p in spool.folder().iterdir())


def test_a_wrong_digest_leaves_nothing(world: World):
    client, answer = begin(world, b"x" * 10, sha256="0" * 64)
    upload = answer.json()["upload"]
    patch(client, upload, b"x" * 10, 0)
    assert (
        client.post(f"/api/uploads/{upload}/finish", {}, format="json").json()["error"]["code"]
        == "digest_differs"
    )
    assert Upload.objects.count() == 0 and not (Path(spool.folder()) / f"up-{upload}").exists()


def test_uploads_are_their_makers_own(world: World):
    client, answer = begin(world, b"x" * 10)
    upload = answer.json()["upload"]
    for who in ("lead", "stranger", "ann1"):
        assert patch(api(getattr(world, who)), upload, b"x", 0).status_code == 404
    assert client.delete(f"/api/uploads/{upload}").status_code == 204


def test_the_budget_counts_what_is_coming(world: World, settings):
    settings.PROJECT_BYTES = 100
    client, answer = begin(world, b"", size=80)
    assert answer.status_code == 201
    assert begin(world, b"", size=30)[1].json()["error"]["code"] == "quota_exceeded"
    client.delete(f"/api/uploads/{answer.json()['upload']}")
    assert begin(world, b"", size=30)[1].status_code == 201


def test_ranges(world: World):
    raw = picture(7, (200, 100), "BMP")
    asset = send(world, raw, "r.bmp").json()["asset"]["id"]
    run_jobs()
    client, url = api(world.lead), f"/api/assets/{asset}/file"

    def get(**headers: str):
        return client.get(url, headers=headers)

    whole = get()
    assert b"".join(whole.streaming_content) == raw
    assert whole["X-Content-Type-Options"] == "nosniff" and "sandbox" in whole["Content-Security-Policy"]
    assert whole["Content-Type"] == "image/bmp" and "private" in whole["Cache-Control"]
    part = get(Range="bytes=10-19")
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 10-19/{len(raw)}")
    assert b"".join(part.streaming_content) == raw[10:20]
    assert b"".join(get(Range="bytes=-5").streaming_content) == raw[-5:]
    assert b"".join(get(Range=f"bytes={len(raw) - 3}-").streaming_content) == raw[-3:]
    beyond = get(Range=f"bytes={len(raw)}-")
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(raw)}")
    assert get(Range="bytes=0-1", **{"If-Range": '"old"'}).status_code == 200
    assert get(Range="bytes=0-1,4-5").status_code == 200
    assert get(**{"If-None-Match": whole["ETag"]}).status_code == 304
    head = client.head(url)
    assert head.status_code == 200 and head["Content-Length"] == str(len(raw)) and not head.content


def test_who_may_have_the_bytes(world: World):
    task = world.item()
    raw = picture(11, (640, 480))
    asset_id = send(world, raw, "own.png").json()["asset"]["id"]
    run_jobs()
    asset = Asset.objects.get(public_id=asset_id)
    ItemAsset.objects.filter(item=task.item).update(asset=asset)
    url = f"/api/assets/{asset_id}/file"

    def status(name: str) -> int:
        return api(getattr(world, name)).get(url).status_code

    assert {
        n: status(n) for n in ("lead", "expert", "checker", "ann1", "viewer", "importer", "stranger")
    } == {
        "lead": 200,
        "expert": 200,
        "checker": 200,
        "ann1": 404,
        "viewer": 404,
        "importer": 403,
        "stranger": 404,
    }
    assert api(None).get(url).status_code == 401
    assert claim(world, world.ann1) is not None
    assert status("ann1") == 200 and status("ann2") == 404
    Task.objects.filter(pk=task.pk).update(state="accepted")
    assert status("viewer") == 200
    world.member(world.ann1).delete()
    assert status("ann1") == 404


def test_an_importer_lists_own_files_only(world: World):
    send(world, picture(1), "a.png")
    send(world, picture(2), "b.png", who="importer")
    url = f"/api/projects/{world.project.public_id}/assets"
    assert [a["name"] for a in api(world.importer).get(url).json()["results"]] == ["b.png"]
    assert len(api(world.lead).get(url).json()["results"]) == 2
    assert api(world.ann1).get(url).status_code == 403
    assert api(world.stranger).get(url).status_code == 404


HOSTILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "hostile-images"


@pytest.mark.skipif(not HOSTILE.is_dir(), reason="the collection of hostile pictures is not on this machine")
def test_hostile_pictures_are_ready_or_refused_with_a_reason(world: World):
    files = [p for p in sorted(HOSTILE.rglob("*")) if p.is_file() and 0 < p.stat().st_size < 5_000_000]
    assert len(files) > 60
    for place in files:
        assert send(world, place.read_bytes(), place.name[-100:]).status_code == 202
    assert run_jobs() == ["done"]
    states = list(Asset.objects.values_list("state", "kind", "reason"))
    assert all(state == "ready" or (state == "refused" and reason) for state, _, reason in states)
    assert {kind for state, kind, _ in states if state == "ready"} <= {"image", "text"}


def test_a_raw_body_with_a_session_needs_the_csrf_header(world: World):
    from rest_framework.test import APIClient

    client = APIClient(enforce_csrf_checks=True)
    client.force_login(world.lead)
    url = f"/api/projects/{world.project.public_id}/assets"

    def post(kind: str, **headers: str) -> int:
        return client.generic(
            "POST", url, picture(8), content_type=kind, headers={"X-Name": "a.png", **headers}
        ).status_code

    assert post("application/octet-stream") == 403
    token = "a" * 32
    from django.conf import settings

    client.cookies[settings.CSRF_COOKIE_NAME] = token
    assert post("application/octet-stream", **{"X-CSRFToken": token}) == 202
    assert post("multipart/form-data; boundary=x", **{"X-CSRFToken": token}) == 415
