"""What a hand has finished is never lost: not by a reload, a cut network, a lost session or a killed browser; and what
belongs to one account is gone for the next one after signing out. Keys of an input method do nothing on the picture."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.browser.conftest import SWITCHES
from tests.browser.hands import WAIT_MS, Bench, Person
from tests.browser.running import Site

KEPT = ".save[data-state='kept'], .save[data-state='offline']"
# Every record of the outbox, counted by the page's own browser.
COUNT = """() => new Promise((resolve, reject) => {
  const open = indexedDB.open("concord");
  open.onerror = () => reject(open.error);
  open.onsuccess = () => {
    const db = open.result, at = db.transaction(["records", "batches", "drafts"]);
    const counts = ["records", "batches", "drafts"].map((name) => at.objectStore(name).count());
    at.oncomplete = () => { db.close(); resolve(counts.reduce((sum, one) => sum + one.result, 0)); };
  };
})"""


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"CONCORD_GRACE_S": "60"}


@pytest.fixture
def person(site: Site, chromium: Browser) -> Iterator[Callable[[str], Person]]:
    """Signed in, in a browser of their own for this test alone."""
    made: list[Person] = []

    def one(name: str) -> Person:
        made.append(Person(chromium, site.url, name, site.passwords[name]).sign_in())
        return made[-1]

    yield one
    for left in made:
        left.leave()
        assert left.complaints == []


@pytest.fixture
def bench(person: Callable[[str], Person]) -> Bench:
    """A picture of the demo before annotator 1, with nothing on it."""
    return opened(person("ann1"))


def opened(person: Person) -> Bench:
    bench = person.start(person.project("Coins"), "label")
    bench.fit()
    for region in bench.work()["document"]["regions"]:  # of the test before, on the same seat
        bench.page.locator(f"[data-region='{region}']").click()
        bench.page.keyboard.press("Delete")
    bench.regions(0)
    bench.saved()
    bench.label("1", "coin")
    return bench


def strokes(bench: Bench, n: int = 3) -> int:
    """So many finished strokes: boxes, a stroke of the brush, a polygon. How many regions are there now."""
    have = int(bench.page.locator("html").get_attribute("data-regions") or 0)
    for at in range(n):
        x, y = 20 + 90 * (at % 6), 20 + 70 * (at // 6)
        if at % 3 == 0:
            bench.box(x, y, x + 60, y + 40)
        elif at % 3 == 1:
            bench.page.keyboard.press("Escape")  # else the brush goes on with what is selected
            bench.stroke([(x, y + 10), (x + 50, y + 30)])
        else:
            bench.polygon([(x, y), (x + 60, y), (x + 30, y + 50)])
        bench.regions(have + at + 1)
    return have + n


def on_server(bench: Bench, n: int) -> None:
    bench.saved()
    document = bench.work()["document"]
    assert len(document["regions"]) == n
    tiles = [
        tile
        for one in document["regions"].values()
        if one["shape"] == "mask"
        for tile in one["geometry"]["tiles"].values()
    ]
    for digest in tiles:
        answer = bench.page.request.get(f"{bench.person.url}/api/assignments/{bench.seat}/parts/{digest}")
        assert answer.ok, "the pixels of a stroke are on the server too"


def reloaded(bench: Bench) -> Bench:
    bench.page.reload(wait_until="domcontentloaded")
    return bench.settle()


def test_a_reload_keeps_what_was_not_sent(bench: Bench) -> None:
    bench.page.route("**/revisions", lambda route: route.abort())
    n = strokes(bench)
    expect(bench.page.locator(KEPT)).to_be_attached(timeout=WAIT_MS)
    reloaded(bench)
    bench.regions(n)
    bench.page.unroute_all()
    reloaded(bench)
    bench.regions(n)
    on_server(bench, n)


def test_a_cut_network_keeps_and_sends_later(bench: Bench) -> None:
    context = bench.page.context
    wire = context.new_cdp_session(bench.page)
    wire.send("Network.enable")
    cut = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    wire.send("Network.emulateNetworkConditions", cut)
    n = strokes(bench)
    expect(bench.page.locator(KEPT)).to_be_attached(timeout=WAIT_MS)
    expect(bench.page.locator(".save-text")).to_contain_text("kept here")
    wire.send("Network.emulateNetworkConditions", {**cut, "offline": False})
    on_server(bench, n)


def test_a_lost_session_keeps_until_signed_in_again(bench: Bench) -> None:
    person = bench.person
    person.context.clear_cookies(name="concord_session")
    n = strokes(bench, 2)
    notice = bench.page.locator(".bench-notice")
    expect(notice).to_contain_text("signed out", timeout=WAIT_MS)
    with person.context.expect_page() as opening:
        notice.locator("a").click()
    person.fill_sign_in(opening.value)
    expect(opening.value.locator("header.bench-top, .dialog, form[data-sign-out]").first).to_be_visible(
        timeout=WAIT_MS
    )
    opening.value.close()
    bench.page.bring_to_front()
    n += strokes(bench, 1) - n
    on_server(bench, n)
    expect(notice).to_have_count(0)


def _processes(profile: Path) -> list[int]:
    """Browser processes on this profile, not their helpers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if f"--user-data-dir={profile}".encode() in words and not any(
                w.startswith(b"--type=") for w in words
            ):
                found.append(int(folder.name))
    return found


def _with_profile(playwright: Playwright, executable: str, profile: Path) -> BrowserContext:
    return playwright.chromium.launch_persistent_context(
        profile,
        executable_path=executable,
        args=SWITCHES,
        viewport={"width": 1366, "height": 768},
        reduced_motion="reduce",
    )


def test_a_killed_browser_keeps_finished_strokes(
    site: Site, playwright: Playwright, executable: str, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    context = _with_profile(playwright, executable, profile)
    bench = opened(Person(context, site.url, "ann1", site.passwords["ann1"]).sign_in())
    seat = bench.page.url
    context.set_offline(True)
    n = strokes(bench, 4)
    expect(bench.page.locator(KEPT)).to_be_attached(timeout=WAIT_MS)
    # In the middle of a stroke: that one is not finished.
    bench.tool("b", "box")
    bench.page.mouse.move(*bench.at(300, 300))
    bench.page.mouse.down()
    bench.page.mouse.move(*bench.at(400, 400))
    (process,) = _processes(profile)
    os.kill(process, signal.SIGKILL)
    Person.present.remove(bench.person)
    until = time.monotonic() + 20
    while _processes(profile) and time.monotonic() < until:
        time.sleep(0.1)
    with contextlib.suppress(Exception):  # it is dead; Playwright may say so
        context.close()

    context = _with_profile(playwright, executable, profile)
    try:
        person = Person(context, site.url, "ann1", site.passwords["ann1"])
        person.page.goto(seat, wait_until="domcontentloaded")
        if person.page.locator("form[data-sign-in]").count():  # a browser may not have written its cookie yet
            person.fill_sign_in()
        bench = Bench(person)
        bench.regions(n)
        on_server(bench, n)
        person.leave()
    finally:
        with contextlib.suppress(Exception):
            context.close()


def test_nothing_is_left_for_the_next_account(bench: Bench, site: Site) -> None:
    page = bench.page
    page.route("**/revisions", lambda route: route.abort())
    strokes(bench, 2)
    expect(page.locator(KEPT)).to_be_attached(timeout=WAIT_MS)
    assert page.evaluate(COUNT) > 0
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.accept()))
    bench.person.go("/")
    page.locator("form[data-sign-out] button").click()
    expect(page.locator("form[data-sign-in]")).to_be_visible()
    assert len(asked) == 1 and "not sent" in asked[0], "unsent work is not thrown away without a word"
    assert page.evaluate(COUNT) == 0
    page.unroute_all()
    other = bench.person
    other.name, other.password = "ann2", site.passwords["ann2"]
    other.sign_in()
    task = bench.task
    theirs = other.start(other.project("Coins"), "label")
    assert theirs.task == task, "the same picture"
    theirs.regions(0)
    assert page.evaluate(COUNT) == 0


def keydown(page: Page, key: str, code: str, **more: Any) -> None:
    """A key as an input method lets the page see it."""
    page.evaluate(
        """([key, code, more]) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown",
          { key, code, keyCode: 229, isComposing: true, bubbles: true, cancelable: true, ...more }))""",
        [key, code, more],
    )


def test_keys_of_an_input_method_do_nothing_to_the_work(bench: Bench) -> None:
    page = bench.page
    n = strokes(bench, 1)
    bench.saved()
    before = bench.work()["document"]
    seat = bench.seat
    pressed = "[data-action^='tool.'][aria-pressed='true']"
    tool = page.locator(pressed).get_attribute("data-action")
    for key, code in [
        ("p", "KeyP"),
        ("a", "KeyA"),
        ("d", "KeyD"),
        ("x", "KeyX"),
        ("2", "Digit2"),
        ("Delete", "Delete"),
        ("Enter", "Enter"),
    ]:
        keydown(page, key, code)
        keydown(page, "Process", code)
    keydown(page, "Enter", "Enter", ctrlKey=True)
    keydown(page, "z", "KeyZ", ctrlKey=True)
    assert page.locator(pressed).get_attribute("data-action") == tool
    expect(page.locator("[data-label='coin'][aria-selected='true']")).to_be_attached()
    bench.regions(n)
    # A real composition in a field: letters, digits and Enter belong to the input method.
    page.keyboard.press("f")
    wire = page.context.new_cdp_session(page)
    for text in ("h", "hu", "huan"):
        wire.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        )
        keydown(page, "Process", "KeyN")
        keydown(page, "2", "Digit2")
        keydown(page, "Enter", "Enter")
        expect(page.locator("[data-label]")).to_have_count(0)  # no label is called so
    bench.regions(n)
    wire.send("Input.insertText", {"text": "环"})
    expect(page.locator("[data-label]")).to_have_count(1)  # the crater, by its Chinese title
    page.keyboard.press("Enter")
    expect(page.locator("[data-label='crater'][aria-selected='true']")).to_be_attached()
    bench.saved()
    assert bench.seat == seat and bench.work()["document"] == before
    page.keyboard.press("1")


def test_a_submission_can_be_taken_back_for_a_while(person: Callable[[str], Person]) -> None:
    bench = opened(person("ann2"))
    n = strokes(bench, 1)
    bench.answer("sharp", "yes")
    task = bench.task
    bench.submit()
    assert bench.task != task
    bench.page.locator(".bench-notice [data-action=withdraw]").click()
    bench.settle(bench.task)
    assert bench.task == task
    bench.regions(n)
