"""axe on every page once, language and theme paired in rotation: no serious or critical violation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser import filling
from tests.browser.hands import WAIT_MS, Person
from tests.browser.running import Site

People = Callable[[str], Person]
LOOKS = [("en", "light"), ("zh-hans", "dark"), ("en", "contrast"), ("zh-hans", "light"), ("en", "dark")]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
OF_A_PROJECT = (
    *("", "items", "items?look=grid", "schema", "rules", "quality", "lots", "releases", "members", "events"),
    *("disputes", "checks"),
)


def wrong(person: Person, what: str) -> list[str]:
    """Serious and critical violations of what is on the screen now."""
    found = Axe().run(person.page, options=RULES).response["violations"]
    return [
        f"{what}: {one['id']} ({one['impact']}): {node['target']} {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


def look(person: Person, at: int) -> str:
    """Language and theme number `at` of the rotation, by the form on the page."""
    language, theme = LOOKS[at % len(LOOKS)]
    person.go("/")
    for name, value in (("language", language), ("theme", theme)):
        select = person.page.locator(f"form[data-look] select[name={name}]")
        if select.input_value() != value:
            with person.page.expect_navigation():
                select.select_option(value)
    return f"{language} {theme}"


@pytest.fixture(scope="module")
def projects(people: People) -> tuple[str, str]:
    return filling.fill(people)


def test_pages(projects: tuple[str, str], people: People, site: Site, chromium: Browser) -> None:
    pictures, messages = projects
    lead = people("lead")
    paths = [f"/p/{pictures}/{one}".rstrip("/") for one in OF_A_PROJECT]
    paths += [
        "/",
        "/profile",
        "/operator",
        "/projects/new",
        f"/p/{messages}/schema",
        f"/p/{messages}/nothing-here",
    ]
    judge = lead.page.request.get(f"{site.url}/p/{pictures}/lots").text().partition(f"/p/{pictures}/lots/")[2]
    paths.append(f"/p/{pictures}/lots/" + judge.partition('"')[0])
    problems = []
    for start in range(len(LOOKS)):
        shown = look(lead, start)
        for path in paths[start :: len(LOOKS)]:
            lead.go(path)
            expect(lead.page.locator("main")).to_be_visible()
            problems += wrong(lead, f"{path} in {shown}")
    stranger = chromium.new_context()
    stranger.set_default_timeout(WAIT_MS)
    page = stranger.new_page()
    page.goto(site.url + "/sign-in")
    lead_page, lead.page = lead.page, page
    problems += wrong(lead, "/sign-in")
    lead.page = lead_page
    stranger.close()
    assert not problems, "\n".join(problems)


def test_benches(projects: tuple[str, str], people: People) -> None:
    pictures, messages = projects
    problems = []
    for at, (name, project, stage) in enumerate(
        [
            ("ann1", pictures, "label"),
            ("ann2", messages, "label"),
            ("expert", pictures, "arbitrate"),
            ("checker", pictures, "check"),
            ("expert", messages, "arbitrate"),
        ]
    ):
        person = people(name)
        shown = look(person, at)
        bench = person.start(project, stage)
        if stage == "label" and project == pictures:
            bench.fit()
            bench.label("1", "coin")
            bench.box(30, 30, 120, 150)
            bench.regions(1)
            person.page.keyboard.press("?")
            person.page.locator("dialog[open]").wait_for()
            problems += wrong(person, f"keys in {shown}")
            person.page.keyboard.press("Escape")
        problems += wrong(person, f"bench {stage} in {shown}")
        if stage == "label":
            bench.saved()
    assert not problems, "\n".join(problems)
