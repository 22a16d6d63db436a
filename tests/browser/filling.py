"""Work done quickly, over the API, so that pages have something to show: answers of two people, checks, a lot, a
release. Not a test of the loop: that is test_walk, by hand."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.browser.hands import Person

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def post(person: Person, path: str, body: Mapping[str, Any]) -> Any:
    token = next(one["value"] for one in person.context.cookies() if one["name"] == "concord_csrf")
    answer = person.page.request.post(
        f"{person.url}/api{path}",
        data=dict(body),
        headers={"X-CSRFToken": token, "Idempotency-Key": secrets.token_hex(16)},
    )
    assert answer.ok, f"{path}: {answer.status} {answer.text()[:500]}"
    return answer.json() if answer.text() else None


def claim(person: Person, project: str, stage: str = "label") -> dict[str, Any] | None:
    work = post(person, f"/projects/{project}/claims", {"stage": stage, "ahead": False})
    return None if work["assignment"] is None else dict(work)


def region(
    work: dict[str, Any], shape: str, label: str, geometry: dict[str, Any], **more: Any
) -> dict[str, Any]:
    return {
        "id": "r_" + "".join(secrets.choice(ALPHABET) for _ in range(16)),
        "shape": shape,
        "label": label,
        "geometry": geometry,
        "attributes": {},
        "asset": work["item"]["assets"][0]["id"],
        "origin": {"kind": "drawn"},
        **more,
    }


def kept(work: dict[str, Any]) -> list[dict[str, Any]]:
    """Every prelabel of a task, as somebody keeps it."""
    return [
        region(
            work,
            one["shape"],
            one["label"],
            one["geometry"],
            asset=one["asset"],
            origin=_origin(prelabel, one),
        )
        for prelabel in work["prelabels"]
        for one in prelabel["regions"].values()
    ]


def _origin(prelabel: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "kept", "prelabel": prelabel["id"], "region": one["id"], "source": prelabel["source"]}


def submit(
    person: Person, work: dict[str, Any], regions: list[dict[str, Any]], answers: dict[str, Any]
) -> None:
    seat = work["assignment"]
    changes: list[dict[str, Any]] = [{"op": "add", "region": one} for one in regions]
    changes += [
        {"op": "set", "path": ["answers", name], "before": None, "after": value}
        for name, value in answers.items()
    ]
    post(
        person,
        f"/assignments/{seat['id']}/submission",
        {"token": seat["token"], "if_revision": seat["revision"], "changes": changes, "active_ms": 21_000},
    )


def until(ready: Callable[[], Any], what: str, wait_s: float = 60.0) -> None:
    end = time.monotonic() + wait_s
    while not ready():
        assert time.monotonic() < end, f"waited {wait_s:.0f} s until {what}"
        time.sleep(0.2)


def tasks(person: Person, project: str, state: str) -> int:
    return len(person.api(f"/projects/{project}/tasks?state={state}&limit=100")["results"])


def fill(
    people: Callable[[str], Person], *, alike: int = 6, otherwise: int = 3, checks: int = 4
) -> tuple[str, str]:
    """Both demo projects with something on every page; (pictures, messages)."""
    lead, checker = people("lead"), people("checker")
    pictures, messages = lead.project("Coins"), lead.project("messages")
    for at in range(alike + otherwise):
        differs = at % 3 == 1 and at // 3 < otherwise
        for name in ("ann1", "ann2"):
            work = claim(people(name), pictures)
            assert work is not None
            regions = kept(work)
            if differs and name == "ann2":
                regions[0]["label"] = "damage"
                regions.append(region(work, "box", "coin", {"x0": 20, "y0": 330, "x1": 150, "y1": 425}))
            submit(people(name), work, regions, {"sharp": "no" if differs and name == "ann1" else "yes"})
    for at in range(4):
        for name in ("ann1", "ann2"):
            work = claim(people(name), messages)
            assert work is not None
            submit(
                people(name),
                work,
                kept(work),
                {"wish": "request" if at == 1 and name == "ann2" else "complaint"},
            )
    until(
        lambda: tasks(lead, pictures, "labelling") + tasks(lead, pictures, "compare") == 0, "all is compared"
    )
    until(
        lambda: tasks(lead, messages, "labelling") + tasks(lead, messages, "compare") == 0, "all is compared"
    )
    for _ in range(checks):
        work = claim(checker, pictures, "check")
        assert work is not None
        post(
            checker,
            f"/checks/{work['assignment']['id']}/outcome",
            {"token": work["assignment"]["token"], "outcome": "pass", "active_ms": 9000},
        )
    lot(lead, pictures)
    post(lead, f"/projects/{pictures}/releases", {"name": "first"})
    until(
        lambda: all(one["state"] == "done" for one in lead.api(f"/projects/{pictures}/releases")["results"]),
        "the release is made",
    )
    return pictures, messages


def lot(lead: Person, project: str) -> None:
    """A frozen lot by the page's own buttons; it waits to be judged."""
    lead.go(f"/p/{project}/lots")
    page = lead.page
    page.locator("input[name=name]").fill("week 47 · 第47周")
    page.locator("input[name=share]").fill("0.5")
    page.locator("form:has(input[value=make]) button.main").click()
    page.locator("form:has(input[value=freeze]) button").click()
    page.locator("form:has(input[value=verdict]) button").wait_for()
