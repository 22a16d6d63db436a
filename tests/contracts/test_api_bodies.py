"""Bad bodies at every route that takes one: refused in the one form of an error, never answered with 500.

The routes come from the OpenAPI description, so a new one is tested by being there; the plain body that is spoilt field
by field is written here, and a route or a field without one fails the test. Objects are real: a live seat, an open
dispute, a check, a lot, a rule; so a spoilt field is met by the verb behind the door and not by a 404.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from annotator import spool
from annotator.actions.uploads import begin_upload
from annotator.models import Account, Assignment, Job
from prelabel.actions.run_rule import run_rule
from prelabel.actions.save_rule import save_rule
from prelabel.models import RuleVersion
from review.actions.make_lot import commit_lot
from review.models import Dispute
from tests.actors import SCHEMA, World, add, box, claim, make_world
from tests.review_world import compare, label_both

pytestmark = pytest.mark.django_db

NEVER_TAKEN = {
    "not JSON": b"coins, please",
    "cut": b'{"title": "co',
    "an array": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "NaN": b'{"title": NaN}',
    "infinite": b'{"title": -Infinity}',
    "beyond doubles": b'{"title": 1e999}',
    "a key twice": b'{"title": "a", "title": "b"}',
    "not UTF-8": b'{"title": "\xff\xfe"}',
    "half a character": b'{"title": "\\ud800"}',
    "deep": b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "unknown field": b'{"no_such_field": 1}',
    "huge": b'{"title": "' + b"x" * settings.BODY_LIMIT + b'"}',
}
ODD: list[Any] = [
    None, True, False, -1, 0, 2**31, 2**63, 10**30, 0.5, 1e308, "", " ", "x", "x" * 70_000, "a\x00b", "\u202e巴黎😀",
    [], [None], [[]], [{}], [0], ["x"], ["x"] * 2_000, {}, {"": {}}, {"x": None}, {"x": [[]]},
]  # fmt: skip
RAW = {("patch", "/api/uploads/{upload}"), ("post", "/api/projects/{project}/imports")}


@dataclass
class Place:
    """The objects that the routes are about: ids by the name of the URL's parameter, and whose seats they are."""

    world: World
    operator: Account
    ids: dict[str, str]
    label: Assignment
    check: Assignment
    arbitration: Assignment
    dispute: Dispute
    task: str

    def url(self, path: str) -> str:
        ids = dict(self.ids)
        if path.startswith("/api/checks/"):
            ids["assignment"] = self.check.public_id
        if path.startswith("/api/projects/{project}/members/"):
            ids["account"] = self.world.ann3.public_id
        return path.format_map(ids)

    def who(self, path: str, method: str) -> Account:
        if path.startswith("/api/accounts") or (path, method) == ("/api/projects", "post"):
            return self.operator
        if path.startswith(("/api/assignments/", "/api/assist")) or path.endswith("/claims"):
            return self.world.ann1
        if path.startswith("/api/disputes/"):
            return self.world.expert
        if path.startswith("/api/checks/") or path.endswith("/judgements"):
            return self.world.checker
        return self.world.lead


@pytest.fixture
def place() -> Iterator[Place]:
    world = make_world(check={"share": 1.0})
    world.item()
    label_both(world, [(10, 10, 60, 60)], [(10, 10, 60, 60)])
    world.item()
    label_both(world, [(10, 10, 60, 60)], [(300, 300, 400, 400)])
    compare()
    check = claim(world, world.checker, "check")
    arbitration = claim(world, world.expert, "arbitrate")
    task = world.item()
    label = claim(world, world.ann1)
    assert check and arbitration and label
    rule = save_rule(actor=world.lead, project=world.project, rule="blob.v1", params={})
    saved = RuleVersion.objects.select_related("project").get(public_id=rule["id"])
    run_rule(actor=world.lead, rule=saved)
    ids = {
        "account": world.stranger.public_id,
        "assignment": label.public_id,
        "batch": world.batch.public_id,
        "dispute": Dispute.objects.get().public_id,
        "job": Job.objects.filter(project=world.project).first().public_id,  # type: ignore[union-attr]
        "lot": commit_lot(actor=world.lead, project=world.project, name="one", share="1", quality="0.9")[
            "id"
        ],
        "model": "mv_0000000000000000",  # none is trained in a test of bodies; its body has no field
        "project": world.project.public_id,
        "rule": saved.public_id,
        "upload": begin_upload(actor=world.lead, project=world.project, name="a.png", size=5)["upload"],
    }
    operator = Account.objects.create_user("operator", "password-of-operator", is_operator=True)
    yield Place(world, operator, ids, label, check, arbitration, Dispute.objects.get(), task.public_id)
    for file in spool.folder().iterdir():  # whose rows were taken back
        file.unlink()


def plain(place: Place) -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path) -> a body with every field of the door. Not each is one that the verb would accept whole."""
    asset = place.label.task.item.item_assets.get().asset.public_id
    seat = {"token": place.label.token}
    held = {"token": place.arbitration.token}
    region = box(asset, 1, 2, 30, 40)
    change = [
        add(region),
        {"op": "replace", "before": region, "after": region | {"label": "scratch"}},
        {"op": "set", "path": ["regions", region["id"], "attributes", "deep"], "before": None, "after": True},
        {"op": "set", "path": ["answers", "quality"], "before": None, "after": "good"},
        {"op": "set", "path": ["unusable"], "before": None, "after": "dark"},
        {"op": "tile", "region": region["id"], "tile": "0,0", "before": None, "after": "0" * 64},
        {"op": "remove", "region": region},
    ]
    save = {
        **seat,
        "if_revision": 0,
        "changes": change,
        "parts": {"0" * 64: "AAAA"},
        "active_ms": 5,
        "digest": "0" * 64,
    }
    first = place.dispute.differences.first()
    assert first is not None
    decision = {"difference": first.public_id, "choice": "edit", "region": region, "value": "good"}
    marks = [{"region": region["id"], "text": "here", "error_type": "missed"}]
    workflow = place.world.workflow.document
    accounts, seats, project = "/api/accounts", "/api/assignments/{assignment}", "/api/projects/{project}"
    return {
        ("post", "/api/session"): {"username": "nobody", "password": "nothing"},
        ("patch", "/api/account"): {"name": "N", "language": "en", "theme": "dark", "keys": {"save": "s"}},
        ("post", "/api/account/password"): {"old": "wrong", "new": "long-enough-and-new-1"},
        ("post", "/api/tokens"): {"label": "l", "days": 3},
        ("post", accounts): {"username": "newcomer", "name": "N", "operator": False},
        ("patch", accounts + "/{account}"): {"active": True},
        ("post", accounts + "/{account}/reset"): {},
        ("post", seats + "/heartbeat"): dict(seat),
        ("post", seats + "/open"): dict(seat),
        ("post", seats + "/park"): dict(seat),
        ("post", seats + "/release"): dict(seat),
        ("post", seats + "/return-request"): {"reason": "a slip"},
        ("post", seats + "/revisions"): save,
        ("post", seats + "/submission"): save,
        ("post", seats + "/skip"): {**seat, "reason": "too dark"},
        ("post", seats + "/withdrawal"): {},
        ("post", "/api/assist"): {
            "assignment": place.label.public_id, "asset": asset, "tool": "click_segment.v1", "x": 5, "y": 6.5,
            "tolerance": 10, "smooth_px": 1, "simplify_px": 1, "output": "polygon",
        },
        ("patch", "/api/batches/{batch}"): {
            "name": "second", "kind": "pilot", "priority": 1, "paused": True, "deadline": "2030-01-02T03:04:05Z",
            "teams": [],
        },
        ("post", project + "/batches"): {
            "name": "third", "kind": "pilot", "priority": 1, "paused": True, "deadline": None, "teams": [],
        },
        ("post", "/api/checks/{assignment}/outcome"): {
            "token": place.check.token, "outcome": "return", "error_type": "missed", "marks": marks, "active_ms": 5,
            "if_revision": 0,
        },
        ("post", "/api/disputes/{dispute}/verdict"): {
            **held, "decisions": [decision], "reason_code": "", "active_ms": 5, "parts": {"0" * 64: "AAAA"},
        },
        ("post", "/api/disputes/{dispute}/return"): {
            **held, "seats": ["A"], "error_type": "missed", "marks": marks, "active_ms": 5,
        },
        ("post", "/api/jobs/{job}/cancel"): {},
        ("post", "/api/lots/{lot}/freeze"): {},
        ("post", "/api/lots/{lot}/verdict"): {},
        ("post", "/api/lots/{lot}/void"): {"reason": "a slip"},
        ("post", "/api/lots/{lot}/judgements"): {
            "task": place.task, "verdict": "wrong", "severity": "A", "error_type": "missed", "note": "n",
        },
        ("post", "/api/projects"): {
            "title": "New", "description": "d", "template": "pictures", "lead": "lead", "workflow": workflow,
            "schema": SCHEMA,
        },
        ("patch", project): {"title": "Newer", "description": "d", "paused": True, "workflow": workflow},
        ("post", project + "/assets"): {"name": "b.png", "size": 9, "sha256": "0" * 64},
        ("post", project + "/claims"): {"stage": "label", "ahead": True},
        ("post", project + "/invitations"): {"role": "annotator", "roles": ["viewer"], "hours": 5},
        ("post", project + "/items/bulk"): {"filter": {"state": "ready"}, "ids": ["x"], "action": "tag", "value": "t"},
        ("post", project + "/items/views"): {"name": "v", "filter": {"state": "ready"}, "sort": "order"},
        ("post", project + "/lots"): {
            "name": "two", "share": 0.5, "quality": 0.9, "schema": None, "way": None, "plan": "fixed_fraction.v1",
        },
        ("post", project + "/members"): {"username": "stranger", "roles": ["viewer"], "team": "t"},
        ("patch", project + "/members/{account}"): {"roles": ["viewer"], "team": "t"},
        ("post", project + "/models"): {"kind": "boxes", "control": "quality"},
        ("post", project + "/models/{model}/run"): {},
        ("post", project + "/releases"): {"name": "r", "formats": ["jsonl.v1"]},
        ("post", project + "/rules"): {"rule": "blob.v1", "name": "b", "params": {"label": "coin"}},
        ("post", project + "/rules/{rule}/run"): {},
        ("post", project + "/schema-versions"): {
            "document": SCHEMA, "mapping": {"labels": {"coin": "scratch"}}, "if_version": 1,
        },
        ("post", project + "/schema-versions/migrate"): {},
        ("post", project + "/schema-versions/preview"): {"document": SCHEMA, "mapping": {}, "if_version": 1},
        ("post", "/api/uploads/{upload}/finish"): {"encoding": "utf-8"},
    }  # fmt: skip


def routes() -> list[tuple[str, str]]:
    """(method, path) of every operation with a body, from the published description."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    return [
        (method, path)
        for path, found in sorted(paths.items())
        for method in found
        if method in ("post", "patch", "put")
    ]


def spoilt(value: Any, chance: random.Random) -> Iterator[Any]:
    """The value with one part of it replaced by something odd: its own fields by all of ODD, deeper ones by some."""

    def inside(node: Any, depth: int) -> Iterator[Any]:
        keys = (
            list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
        )
        for key in keys:
            for odd in ODD if depth == 0 else chance.sample(ODD, 4):
                changed = node.copy()
                changed[key] = odd
                yield changed
            if isinstance(node, dict) and depth:
                yield {name: entry for name, entry in node.items() if name != key}
                yield {**node, "unheard": 1}
            for changed in inside(node[key], depth + 1):
                copy = node.copy()
                copy[key] = changed
                yield copy

    yield from inside(value, 0)


def send(client: Client, method: str, url: str, body: bytes) -> Any:
    """One request whose writes are taken back, so that the next one meets the same objects."""
    block = transaction.atomic()
    block._from_testcase = True  # verbs insist on the outermost block, save for a test's
    with block:
        answer = client.generic(method.upper(), url, body, content_type="application/json")
        transaction.set_rollback(True)
    return answer


def fault(answer: Any, *, taken: bool) -> str:
    """What is wrong with an answer, or "". `taken`: whether success is right too."""
    if answer.status_code < 300 and taken:
        return ""
    if not 400 <= answer.status_code < 500 and answer.status_code != 503:
        return str(answer.status_code)
    try:
        error = json.loads(answer.content)["error"]
        if (
            isinstance(error["code"], str)
            and error["code"]
            and isinstance(error["message"], str)
            and error["message"]
        ):
            return ""
    except (ValueError, KeyError, TypeError):
        pass
    return f"{answer.status_code} in another form: {answer.content[:100]!r}"


def caller(place: Place, method: str, path: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(place.who(path, method))
    return client


def test_every_route_and_field_has_a_plain_body(place: Place) -> None:
    """The door itself names its fields when it refuses an unknown one."""
    bodies = plain(place)
    assert set(routes()) - RAW == set(bodies)
    wrong = []
    for (method, path), body in bodies.items():
        sent = {"no_such_field": 1} | ({"assignment": place.label.public_id} if path == "/api/assist" else {})
        answer = send(caller(place, method, path), method, place.url(path), json.dumps(sent).encode())
        error = answer.json()["error"]
        known = set(error.get("cure", "").removeprefix("Known: ").removesuffix(".").split(", ")) - {""}
        if error["code"] != "unknown_field" or known != set(body):
            wrong.append(f"{method} {path}: {error} {sorted(body)}")
    assert not wrong, "\n".join(wrong)


def test_what_is_no_body_is_refused(place: Place) -> None:
    wrong = []
    for method, path in routes():
        client = caller(place, method, path)
        for name, body in NEVER_TAKEN.items():
            # an import's bytes are read later, by its job
            problem = fault(send(client, method, place.url(path), body), taken=path.endswith("/imports"))
            if problem:
                wrong.append(f"{method} {path}, {name}: {problem}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("share", [0.15, pytest.param(1.0, marks=pytest.mark.long)])
def test_a_spoilt_field_is_refused_or_taken_but_never_an_accident(place: Place, share: float) -> None:
    """All of them in the long run, else a fixed share of each route's."""
    wrong: dict[str, str] = {}
    n = 0
    for (method, path), body in plain(place).items():
        client, url = caller(place, method, path), place.url(path)
        chance = random.Random(path)
        every = list(spoilt(body, chance))
        for sent in chance.sample(every, math.ceil(share * len(every))):
            n += 1
            problem = fault(send(client, method, url, json.dumps(sent).encode()), taken=True)
            if problem:
                odd = [name for name in sent if sent[name] != body.get(name)]
                wrong.setdefault(f"{method} {path} {odd}: {problem}", json.dumps(sent)[:300])
    assert not wrong, "\n".join(f"{where}\n    {sent}" for where, sent in wrong.items())
    assert n > 4000 * share
