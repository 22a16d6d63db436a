"""Fixtures of the browser tests: Concord as the command starts it, and Chromium.

Playwright's event loop must be gone before a test of another folder touches the database: everything that holds it
lives as long as this package, and all tests of one file go to one worker.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from tests.browser.hands import Person
from tests.browser.running import Site, demo_once, site_in
from tests.template import RUN

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/usr/bin/chromium",
    "/usr/lib/chromium/chromium",
    "/snap/bin/chromium",
    "/opt/google/chrome/chrome",
)
SWITCHES = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # In a container this root has no user namespaces to build the sandbox from.
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group(f"browser {item.path.stem}"))


def chromium_path() -> str | None:
    named = [found for name in NAMES if (found := shutil.which(name))]
    return next(iter([*named, *(place for place in PLACES if Path(place).is_file())]), None)


@pytest.fixture(scope="package")
def executable() -> str:
    found = chromium_path()
    if found is None:
        pytest.skip("no Chromium is installed (looked for " + ", ".join(NAMES) + "): browser tests need one")
    return found


@pytest.fixture(scope="package")
def playwright(executable: str) -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def chromium(playwright: Playwright, executable: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=executable, args=SWITCHES)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def stopped_site(executable: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Of this worker; the demo that it starts from is made once for all workers."""
    with site_in(demo_once(Path(os.environ[RUN]) / "demo"), tmp_path_factory.mktemp("site") / "data") as site:
        yield site


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """CONCORD_… settings of the site; a file of tests may say others."""
    return {"CONCORD_GRACE_S": "0"}


@pytest.fixture(scope="module")
def site(stopped_site: Site, settings: dict[str, str]) -> Iterator[Site]:
    """Running, with the demo as it was made."""
    stopped_site.fresh(**settings)
    yield stopped_site
    stopped_site.stop()


@pytest.fixture(scope="module")
def people(site: Site, chromium: Browser) -> Iterator[Callable[[str], Person]]:
    """Signed in, each in a browser context of their own that lasts as long as the file."""
    known: dict[str, Person] = {}

    def person(name: str) -> Person:
        if name not in known:
            known[name] = Person(chromium, site.url, name, site.passwords[name]).sign_in()
        return known[name]

    yield person
    for one in known.values():
        one.leave()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What everybody saw when a test failed, as pictures beside its temporary files."""
    report = yield
    if report.when == "call" and report.failed and HERE in item.path.parents:
        folder = item.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        for at, person in enumerate(Person.present):
            file = folder / f"{item.name[:60]}-{at}-{person.name}.png"
            with contextlib.suppress(Error):  # its browser may be gone: that can be what failed
                person.page.screenshot(path=file)
                report.sections.append((f"{person.name} at {person.page.url}", str(file)))
    return report


@pytest.fixture(autouse=True)
def _nothing_complains(request: pytest.FixtureRequest) -> Iterator[None]:
    """No script may fail unseen, and no door may answer 500, while people work."""
    yield
    if "site" not in request.fixturenames:
        return
    running: Site = request.getfixturevalue("site")
    found = [line for line in running.logs().splitlines() if "Traceback" in line or " ERROR " in line]
    assert not found, running.logs()
