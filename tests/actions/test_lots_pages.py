"""The pages of the judging wing: who sees them, what they show, their forms."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from django.test import Client

from annotator.core.masks import mask_to_parts
from annotator.models import Account, Member
from review.models import Lot, LotMember
from review.queries import preview
from tests.actors import World, add, box, make_world
from tests.review_world import answer, compare, label_both

pytestmark = pytest.mark.django_db


def web(who: Account) -> Client:
    client = Client()
    client.force_login(who)
    return client


def url(world: World, page: str) -> str:
    return f"/p/{world.project.public_id}/{page}"


@pytest.mark.parametrize(
    ("page", "allowed"),
    [
        ("disputes", {"lead", "expert", "checker"}),
        ("checks", {"lead", "expert", "checker"}),
        ("lots", {"lead", "expert", "checker"}),
        ("quality", {"lead", "viewer"}),
    ],
)
def test_who_sees_a_page(world: World, page: str, allowed: set[str]) -> None:
    for name in ("lead", "expert", "checker", "ann1", "importer", "viewer"):
        expected = 200 if name in allowed else 403
        assert web(world.people[name]).get(url(world, page)).status_code == expected, name
    assert web(world.stranger).get(url(world, page)).status_code == 404
    assert Client().get(url(world, page)).status_code == 302


def test_disputes_are_listed_without_names(world: World) -> None:
    world.item("street-17")
    label_both(world, [(10, 10, 60, 60)], [])
    compare()
    text = web(world.expert).get(url(world, "disputes")).content.decode()
    assert (
        "street-17" in text
        and "drawn by some only" in text
        and f"/p/{world.project.public_id}/start/arbitrate" in text
    )
    assert "ann1" not in text and "ann2" not in text
    lead = web(world.lead).get(url(world, "disputes")).content.decode()
    assert "start/arbitrate" not in lead


def test_checks_list(db: Any) -> None:
    world = make_world(check={"share": 1.0})
    world.item("street-18")
    label_both(world, [(10, 10, 60, 60)], [(10, 10, 60, 60)])
    compare()
    text = web(world.checker).get(url(world, "checks")).content.decode()
    assert "street-18" in text and "two agreed" in text and "start/check" in text


def test_a_lot_from_the_form_to_its_verdict(db: Any) -> None:
    world = make_world(slots=1)
    for _ in range(6):
        task = world.item()
        asset = task.item.item_assets.get().asset.public_id
        answer(world, world.ann1, [add(box(asset, 10, 10, 60, 60))])
    compare()
    lead, judge = web(world.lead), web(world.checker)
    page = lead.get(url(world, "lots")).content.decode()
    stratum = re.search(r'name="stratum"><option value="([^"]+)"', page)
    assert stratum is not None
    form = {"form": "make", "name": "May", "share": "0.5", "quality": "0.9", "stratum": stratum.group(1)}
    assert judge.post(url(world, "lots"), form).status_code == 403
    assert lead.post(url(world, "lots"), form | {"share": "7"}).status_code == 400
    assert lead.post(url(world, "lots"), form).status_code == 302
    lot = Lot.objects.get()
    assert lead.post(url(world, "lots"), {"form": "freeze", "lot": lot.public_id}).status_code == 302
    assert lead.post(url(world, "lots"), {"form": "verdict", "lot": lot.public_id}).status_code == 409
    shown = lead.get(url(world, "lots")).content.decode()
    assert "N = 6, drawn n = 3" in shown and lot.seed not in shown
    place = url(world, f"lots/{lot.public_id}/judge")
    for number in range(3):
        text = judge.get(place).content.decode()
        assert "<path d=" in text and "ann1" not in text
        found = re.search(r'name="task" value="([^"]+)"', text)
        assert found is not None
        said = {"task": found.group(1), "verdict": "right"}
        if number == 2:
            said = {"task": found.group(1), "severity": "C", "error_type": "wrong_extent"}
        assert judge.post(place, said).status_code == 302
    assert judge.post(place, said).status_code in (403, 409)
    assert "Nothing of this lot is left" in judge.get(place).content.decode()
    assert lead.post(url(world, "lots"), {"form": "verdict", "lot": lot.public_id}).status_code == 302
    lot.refresh_from_db()
    assert lot.state == "accepted" and lot.found == 0
    assert LotMember.objects.filter(severity="C").count() == 1
    assert web(world.ann1).get(place).status_code == 403
    assert lead.get(url(world, "lots")).status_code == 200


def test_the_judge_of_another_project_finds_nothing(db: Any) -> None:
    world = make_world(slots=1)
    task = world.item()
    asset = task.item.item_assets.get().asset.public_id
    answer(world, world.ann1, [add(box(asset, 10, 10, 60, 60))])
    compare()
    web(world.lead).post(url(world, "lots"), {"form": "make", "name": "x", "share": "1", "quality": "0.9"})
    lot = Lot.objects.get()
    for account in Account.objects.all():
        Account.objects.filter(pk=account.pk).update(username=f"old-{account.username}")
    other = make_world(slots=1)
    assert web(other.lead).get(url(other, f"lots/{lot.public_id}/judge")).status_code == 404
    assert web(other.lead).post(url(other, "lots"), {"form": "void", "lot": lot.public_id}).status_code == 404


def test_masks_are_drawn_pixel_true(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.zeros((300, 300), dtype=bool)
    pixels[3:7, 250:262] = True
    pixels[5, 251] = False
    tiles, parts = mask_to_parts(pixels)
    monkeypatch.setattr(preview, "part_bytes", parts.__getitem__)
    path, rough = preview.outline({"shape": "mask", "geometry": {"tiles": tiles}})
    painted = np.zeros_like(pixels)
    for x, y, width, height in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", path):
        painted[int(y) : int(y) + int(height), int(x) : int(x) + int(width)] ^= True
    assert not rough and (painted == pixels).all()


def test_text_is_cut_at_every_edge() -> None:
    regions = [
        {"shape": "span", "label": "a", "geometry": {"start": 1, "end": 3}},
        {"shape": "span", "label": "b", "geometry": {"start": 2, "end": 5}},
    ]
    pieces = preview.segments("x😀y巴z", regions, {})
    assert "".join(piece["text"] for piece in pieces) == "x😀y巴z"
    assert [(piece["text"], piece["labels"]) for piece in pieces] == [
        ("x", []),
        ("😀", ["a"]),
        ("y", ["a", "b"]),
        ("巴z", ["b"]),
    ]


def test_the_panel_of_the_project_page(world: World) -> None:
    from django.template.loader import render_to_string

    from review.queries.overview import panel

    world.item()
    label_both(world, [(10, 10, 60, 60)], [])
    compare()
    text = render_to_string("review/panel.html", {"project": world.project, **panel(world.project)})
    assert "1 of class A" in text and "Nobody here is an expert" not in text
    Member.objects.filter(project=world.project, account=world.expert).update(roles=["viewer"])
    assert "Nobody here is an expert" in render_to_string(
        "review/panel.html", {"project": world.project, **panel(world.project)}
    )
