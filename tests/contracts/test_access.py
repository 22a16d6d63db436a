"""Access is one table: every route has a row, the table is what the docs print, strangers get nothing.

The whole product of action x role is asked of `may()`; each route x method x class of caller is sent
once over HTTP.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from annotator import access
from annotator.api.base import Door
from annotator.models import ROLES, Member
from annotator.pages.base import Page
from tests.actors import World

TABLE_FILE = Path(__file__).resolve().parent / "access_table.json"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, type]]:
    """(path, view class) of every route of the site."""
    for p in patterns if patterns is not None else get_resolver().url_patterns:
        path = prefix + str(p.pattern)
        if isinstance(p, URLResolver):
            yield from routes(p.url_patterns, path)
        elif isinstance(p, URLPattern):
            callback: Any = p.callback
            yield path, getattr(callback, "view_class", getattr(callback, "cls", callback))


def handled(view: type) -> list[str]:
    return [m for m in METHODS if hasattr(view, m.lower())]


def test_every_route_is_a_door_and_every_method_has_a_row() -> None:
    wrong = []
    for path, view in routes():
        if not (isinstance(view, type) and issubclass(view, (Door, Page))):
            wrong.append(f"{path}: {view} is no Door and no Page")
            continue
        for method in handled(view):
            action = view.actions.get(method)
            if action is None:
                wrong.append(f"{path} {method}: no action")
            elif action not in access.TABLE:
                wrong.append(f"{path} {method}: {action} is not in the table")
    assert not wrong, "\n".join(wrong)


def test_every_row_is_asked_by_some_route() -> None:
    # Asked in the body of a view rather than by its `actions`, because they depend on the request.
    in_bodies = {"claim.label", "releases.names", "project.read"}
    asked = {a for _, view in routes() for a in getattr(view, "actions", {}).values()}
    from annotator.contributions import site

    asked |= {p.action for p in site.claim_policies.values()} | {e.action for e in site.navigation}
    asked |= {p.action for p in site.panels}
    source = "".join(
        p.read_text()
        for wing in ("annotator", "review", "prelabel")
        for p in Path(wing).rglob("*.py")
        if p.name not in ("access.py", "contrib.py")
    )
    unused = [a for a in access.TABLE if a not in asked | in_bodies and f'"{a}"' not in source]
    assert not unused, unused


@pytest.mark.django_db
def test_may_is_the_table_for_every_action_and_set_of_roles(world: World) -> None:
    member = Member.objects.get(project=world.project, account=world.ann1)
    member.account = world.ann1
    for roles in itertools.chain.from_iterable(itertools.combinations(ROLES, n) for n in (0, 1, 2)):
        member.roles = list(roles)
        for action, entry in access.TABLE.items():
            wanted = entry.who in ("anyone", "signed_in") or bool(entry.roles & set(roles))
            if entry.who == "operator":
                wanted = False
            assert access.may(world.ann1, action, member) is wanted, (action, roles)
    member.active = False
    assert not access.may(world.ann1, "project.read", member)
    assert not access.may(world.lead, "no.such.action", member)


def test_the_table_is_the_published_one() -> None:
    """A change of rights is a change of this file, seen in review."""
    now = {a: {"roles": sorted(r.roles), "who": r.who} for a, r in sorted(access.TABLE.items())}
    assert now == json.loads(TABLE_FILE.read_text()), (
        "The access table changed. If that is meant, write it: python -m tests.contracts.access_table"
    )


CLASSES = (
    "anonymous",
    "stranger",
    "viewer",
    "importer",
    "annotator",
    "checker",
    "expert",
    "lead",
    "operator",
)


@pytest.mark.django_db
def test_each_route_and_method_once_for_each_class_of_caller(world: World) -> None:
    """Own project with unknown objects: whoever lacks the right gets 401, 404 or 403, never 2xx and never 500."""
    who = {
        "stranger": world.stranger,
        "viewer": world.viewer,
        "importer": world.importer,
        "annotator": world.ann1,
        "checker": world.checker,
        "expert": world.expert,
        "lead": world.lead,
    }
    operator = type(world.lead).objects.create_user("operator", is_operator=True)
    wrong = []
    n = 0
    for name in CLASSES:
        client = Client(raise_request_exception=False)
        account = operator if name == "operator" else who.get(name)
        if account is not None:
            client.force_login(account)
        member = Member.objects.filter(project=world.project, account=account).first() if account else None
        if member is not None:
            member.account = account
        for path, view in routes():
            url = "/" + fill(path, world)
            for method in handled(view):
                entry = access.TABLE[view.actions[method]]
                may = access.may(account, view.actions[method], member)
                if may:
                    continue  # what one may do is tested where it is built
                n += 1
                response = client.generic(method, url, b"{}", content_type="application/json")
                if account is None:
                    good = response.status_code in (401, 302) and (
                        path.startswith("api/") is (response.status_code == 401)
                    )
                elif "<str:project>" in path and member is None and entry.who == "role":
                    good = response.status_code == 404
                else:
                    good = response.status_code in (403, 404)
                if not good:
                    wrong.append(f"{name} {method} {url}: {response.status_code}")
    assert not wrong, "\n".join(wrong)
    assert n > 200


def fill(path: str, world: World) -> str:
    """A concrete URL: the own project, and ids that do not exist."""
    import re

    path = path.replace("<str:project>", world.project.public_id)
    path = re.sub(r"<int:[^>]+>", "1", path)
    return re.sub(r"<[^>]+>", "x_0000000000000000", path)


@pytest.mark.django_db
def test_a_foreign_object_and_an_unknown_one_look_alike(world: World) -> None:
    world.item()
    client = Client()
    client.force_login(world.stranger)
    foreign = client.get(f"/api/projects/{world.project.public_id}")
    unknown = client.get("/api/projects/p_0000000000000000")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
