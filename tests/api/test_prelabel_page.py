"""The page "Rules and models": a lead without JSON saves and runs a rule, sees what it did; nobody else gets
in."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from annotator import jobs
from prelabel.models import RuleVersion
from tests.actions.test_prelabel import spots, with_picture
from tests.actors import World

pytestmark = pytest.mark.django_db


def signed_in(account: object) -> Client:
    client = Client()
    client.force_login(account)  # type: ignore[arg-type]
    return client


def test_a_rule_by_form_from_values_to_outcome(world: World) -> None:
    with_picture(world, spots())
    client, url = signed_in(world.lead), f"/p/{world.project.public_id}/rules"
    page = client.get(url).content.decode()
    assert "Spots by brightness" in page and 'name="param.level"' in page and "coin" in page
    bad = client.post(url, {"rule": "blob.v1", "param.level": "300", "param.label": "coin"})
    assert bad.status_code == 400 and 'aria-invalid="true"' in bad.content.decode()
    assert 'value="300"' in bad.content.decode() and not RuleVersion.objects.exists()
    sent = {"rule": "blob.v1", "param.label": "scratch", "param.smooth_px": "0", "run": "1"}
    assert client.post(url, sent).status_code == 302
    page = client.get(url).content.decode()
    assert re.search(r'data-rules-job="j_', page) and "waits for its worker" in page
    jobs.work("io", once=True)
    page = client.get(url).content.decode()
    assert "1 items, 2 regions" in page and "data-rules-job" not in page
    rule = RuleVersion.objects.get()
    assert rule.params["label"] == "scratch"
    again = client.post(f"{url}/{rule.public_id}/run", follow=True)
    assert "The rule is at work." in again.content.decode()


def test_lines_and_refusals_by_form(text_world: World) -> None:
    world = text_world
    world.item(text="in Paris")
    client, url = signed_in(world.lead), f"/p/{world.project.public_id}/rules"
    broken = client.post(url, {"rule": "pattern.v1", "param.patterns.place": "(", "param.limit_ms": "500"})
    assert broken.status_code == 400 and "cannot be read" in broken.content.decode()
    client.post(
        url, {"rule": "dictionary.v1", "param.terms.place": "Paris\n巴黎\n", "param.ignore_case": "on"}
    )
    saved = RuleVersion.objects.get()
    assert saved.params == {"terms": {"place": ["Paris", "巴黎"]}, "ignore_case": True, "whole_words": False}
    page = client.get(url).content.decode()
    assert "Paris\n巴黎" in page and "Class of a text" in page and "0 accepted items; needs 30" in page
    few = client.post(f"/p/{world.project.public_id}/models/train", {"kind": "text_class"}, follow=True)
    assert "too few accepted items" in few.content.decode()


def test_only_leads_see_the_page(world: World) -> None:
    url = f"/p/{world.project.public_id}/rules"
    assert signed_in(world.ann1).get(url).status_code == 403
    assert signed_in(world.stranger).get(url).status_code == 404
    assert Client().get(url).status_code in (302, 401)
    for path in ("rules", "rules/x/run", "models/train", "models/x/run", "rules/jobs/x/cancel"):
        assert signed_in(world.ann1).post(f"/p/{world.project.public_id}/{path}").status_code == 403


def test_the_page_is_chinese_for_a_chinese_reader(world: World) -> None:
    world.lead.language = "zh-hans"
    world.lead.save()
    page = signed_in(world.lead).get(f"/p/{world.project.public_id}/rules")
    assert page.status_code == 200 and page.headers["Content-Language"] == "zh-hans"
