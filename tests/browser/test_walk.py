"""The whole loop by hand in the browser: two people, an expert, a checker and the lead, from the first box to the
released file, which is then read by other people's code."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.hands import WAIT_MS, Bench, Person
from tests.browser.running import Site

People = Callable[[str], Person]

# On the first picture, in its pixels. The second person's work differs on purpose.
BOX = (30, 40, 120, 150)
POLYGON = [(300, 50), (380, 60), (400, 140), (310, 150)]
STROKE = [(250, 400), (330, 420), (420, 410)]
BY_KEYS = (470, 20, 103, 57)  # x, y, width, height
BY_KEYS_SHIFTED = (480, 20, 103, 57)  # overlaps enough to be meant, not enough to agree
MISSED = (10, 380, 80, 430)
MENDED = (560, 360, 640, 430)
REMARK = "左下角还有一枚 – one more in the lower left corner"


def shapes(document: dict[str, Any]) -> Counter[str]:
    return Counter(region["shape"] for region in document["regions"].values())


def prelabels(bench: Bench) -> int:
    return sum(len(one["regions"]) for one in bench.work()["prelabels"])


def first_picture(bench: Bench) -> str:
    """Everything the first person draws; the task."""
    bench.fit()
    assert prelabels(bench) >= 1, "the demo's rule found nothing on its first picture"
    bench.label("1", "coin")
    bench.box(*BOX)
    bench.regions(1)
    bench.polygon(POLYGON)
    bench.regions(2)
    bench.label("4", "damage")
    bench.stroke(STROKE)
    bench.regions(3)
    bench.label("1", "coin")
    bench.box_by_keys(*BY_KEYS)
    bench.regions(4)
    bench.keep()
    bench.regions(5)
    bench.answer("sharp", "yes")
    bench.saved()
    document = bench.work()["document"]
    assert shapes(document) == {"box": 3, "polygon": 1, "mask": 1}
    origins = Counter(region["origin"]["kind"] for region in document["regions"].values())
    assert origins == {"drawn": 4, "kept": 1}
    x, y, width, height = BY_KEYS
    exact = {"x0": x, "y0": y, "x1": x + width, "y1": y + height}
    boxes = [region["geometry"] for region in document["regions"].values() if region["shape"] == "box"]
    assert exact in boxes, "a box drawn by keys is exact"
    assert any(
        all(abs(box[key] - wanted) <= 1 for key, wanted in zip(("x0", "y0", "x1", "y1"), BOX, strict=True))
        for box in boxes
    ), "a box drawn by the mouse is where the mouse was, to a pixel"
    task = bench.task
    bench.submit()
    assert bench.task not in ("", task)
    return task


def first_picture_otherwise(bench: Bench) -> None:
    """The same box with another label, the box by keys elsewhere, neither polygon nor stroke."""
    bench.fit()
    bench.label("2", "crater")
    bench.box(*BOX)
    bench.regions(1)
    bench.label("1", "coin")
    bench.box_by_keys(*BY_KEYS_SHIFTED)
    bench.regions(2)
    bench.keep()
    bench.regions(3)
    bench.answer("sharp", "no")
    bench.submit()


def keep_everything(bench: Bench) -> tuple[str, int]:
    """What the rule found, as it is. (task, how many)"""
    bench.fit()
    n = prelabels(bench)
    bench.keep(n)
    bench.regions(n)
    bench.answer("sharp", "yes")
    task = bench.task
    bench.submit()
    return task, n


def decide(bench: Bench) -> Counter[str]:
    """One key a difference: the side that drew something, else side A. What was decided, by kind."""
    work = bench.work()
    kinds: Counter[str] = Counter()
    rows = bench.page.locator(".difference-row")
    expect(rows).to_have_count(len(work["differences"]))
    for _ in range(len(work["differences"])):
        current = bench.page.locator(".difference-row.is-current").get_attribute("data-difference")
        difference = next(one for one in work["differences"] if one["id"] == current)
        kinds[difference["kind"]] += 1
        with_region = [key for key, region in difference["regions"].items() if region]
        offers = bench.page.locator(".offer[data-choice]")
        choices = [offers.nth(at).get_attribute("data-choice") for at in range(offers.count())]
        wanted = with_region[0] if len(with_region) == 1 else "A"
        bench.page.keyboard.press(str(choices.index(wanted) + 1))
        expect(bench.page.locator(f"[data-difference='{current}'].is-decided")).to_be_attached()
    bench.page.keyboard.press("Control+Enter")
    bench.page.locator("dialog[open] [data-action='send']").click()
    expect(bench.page.locator(".bench-end")).to_be_visible(timeout=WAIT_MS)
    return kinds


def when(person: Person, project: str, state: str, n: int) -> None:
    """Waits until so many tasks are in this state; the io worker is at it."""
    until = WAIT_MS / 250
    while until > 0:
        found = person.api(f"/projects/{project}/tasks?state={state}")["results"]
        if len(found) >= n:
            return
        person.page.wait_for_timeout(250)
        until -= 1
    raise AssertionError(f"{len(found)} of {n} tasks are {state}")


def download(person: Person, name: str, folder: Path) -> Path:
    with person.page.expect_download() as started:
        person.page.locator(f"a[download][href$='/files/{name}']").click()
    path = folder / name
    started.value.save_as(path)
    return path


def release(lead: Person, project: str, name: str, folder: Path) -> list[str]:
    """Made by the button, every file fetched by its link, all sums right. The names."""
    lead.go(f"/p/{project}/releases")
    lead.page.locator("input[name=name]").fill(name)
    lead.page.locator("form.row button.main").click()
    # The page loads itself again until the job is done.
    expect(lead.page.locator("section.panel .mark.ok")).to_be_visible(timeout=WAIT_MS)
    links = lead.page.locator("a[download][href*='/files/']")
    names = [links.nth(at).inner_text() for at in range(links.count())]
    files = {one: download(lead, one, folder) for one in names}
    sums = files["SHA256SUMS"].read_text().splitlines()
    for line in sums:
        digest, _, file = line.partition("  ")
        assert hashlib.sha256(files[file].read_bytes()).hexdigest() == digest, file
    # The table of names is the lead's alone and no part of the release.
    assert {line.partition("  ")[2] for line in sums} == set(names) - {"SHA256SUMS", "names.json"}
    return names


# pycocotools 2.0.11 under numpy 2.4 says this of itself.
@pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
@pytest.mark.usefixtures("site")
def test_pictures_from_the_first_box_to_the_opened_release(
    people: People, site: Site, tmp_path: Path
) -> None:
    lead, expert, checker = people("lead"), people("expert"), people("checker")
    hands = [people("ann1"), people("ann2")]
    project = lead.project("Coins")

    # The lead runs the rule once more: what nobody has begun is prelabelled again.
    lead.go(f"/p/{project}/rules")
    lead.page.locator(f"form[action^='/p/{project}/rules/'][action$='/run'] button").first.click()
    expect(lead.page.locator("main")).to_be_visible()

    lead.go(f"/p/{project}")
    expect(lead.page.locator("[data-live-mark][data-live=on]")).to_be_attached()

    # Two people, neither sees the other's work.
    benches = [hand.start(project, "label") for hand in hands]
    disputed = first_picture(benches[0])
    assert benches[1].task == disputed, "both are given the same first task"
    assert benches[1].work()["document"]["regions"] == {}
    first_picture_otherwise(benches[1])
    (passed, n_passed), (returned, n_returned) = keep_everything(benches[0]), keep_everything(benches[0])
    assert [keep_everything(benches[1]), keep_everything(benches[1])] == [
        (passed, n_passed),
        (returned, n_returned),
    ]
    for hand in hands:
        hand.go("/")  # the seat ahead is given back

    # The lead's page has followed by itself: nothing was loaded again.
    labelled = lead.page.locator("[data-project-live] tbody tr", has_text="Annotator 2").locator("td").nth(2)
    expect(labelled).to_have_text("3", timeout=WAIT_MS)

    # What differs goes to the expert: label, extent, two that only one drew, the answer.
    when(lead, project, "disputed", 1)
    kinds = decide(expert.start(project, "arbitrate"))
    assert kinds["label"] == kinds["extent"] == kinds["answer"] == 1, kinds
    assert kinds["missing"] + kinds["extra"] == 2 and sum(kinds.values()) == 5, kinds
    drawn = {
        disputed: Counter({"box": 3, "polygon": 1, "mask": 1}),
        passed: Counter({"box": n_passed}),
        returned: Counter({"box": n_returned}),
    }

    # The checker mends the disputed one, passes one, returns one.
    when(lead, project, "check", 3)
    bench = checker.start(project, "check")
    for _ in range(3):
        work = bench.work()
        assert all(
            "origin" not in region or not region["origin"].get("prelabel")
            for region in work["document"]["regions"].values()
        )
        assert shapes(work["document"]) == drawn[bench.task]
        if bench.task == disputed:
            bench.fit()
            bench.box(*MENDED)
            drawn[disputed]["box"] += 1
            bench.regions(sum(drawn[disputed].values()))
            bench.saved()
            expect(bench.page.locator("[data-action=pass]")).to_contain_text("mended")
        elif bench.task == returned:
            bench.page.locator(".region-row").first.click()
            bench.page.locator("[data-action=mark]").click()
            dialog = bench.page.locator("dialog[open]")
            dialog.locator("input[value=missed]").check()
            dialog.locator("textarea").fill(REMARK)
            dialog.locator("[data-action=add]").click()
            bench.page.locator("[data-action=return]").click()
            bench.page.locator("dialog[open] [data-action=return]").click()
            bench.page.wait_for_selector(f"html:not([data-task='{returned}'])", state="attached")
            bench.page.wait_for_selector("html[data-usable='1'], .bench-end", state="attached")
            bench.task = bench.page.locator("html").get_attribute("data-task") or ""
            continue
        bench.submit()
    expect(bench.page.locator(".bench-end")).to_be_visible()

    # It comes back to the same two, with the mark; both add what was missed.
    for hand in hands:
        bench = hand.start(project, "label")
        if bench.task != returned:
            bench.skip()
        assert bench.task == returned
        expect(bench.page.locator(".marks")).to_contain_text(REMARK)
        bench.fit()
        assert shapes(bench.work()["document"]) == drawn[returned], "a returned task opens as it was left"
        bench.label("1", "coin")
        bench.box(*MISSED)
        bench.regions(n_returned + 1)
        bench.submit()
        hand.go("/")
    drawn[returned]["box"] += 1
    when(lead, project, "check", 1)
    bench = checker.start(project, "check")
    assert bench.task == returned and shapes(bench.work()["document"]) == drawn[returned]
    bench.submit()
    when(lead, project, "accepted", 3)

    # A lot of what was only checked, all of it judged; then the release.
    lead.go(f"/p/{project}/lots")
    page = lead.page
    page.locator("input[name=name]").fill("first lot")
    page.locator("input[name=share]").fill("1")
    page.locator("form:has(input[value=make]) button.main").click()
    page.locator("form:has(input[value=freeze]) button").click()
    page.locator("a[href*='/lots/']", has_text="Judge").click()
    while page.locator("button[value=right]").count():
        expect(page.locator("figure svg path").first).to_be_attached()
        page.locator("button[value=right]").click()
    lead.go(f"/p/{project}/lots")
    page.locator("form:has(input[value=verdict]) button.main").click()
    expect(page.locator("section.panel .mark.ok")).to_have_text("lot accepted")

    names = release(lead, project, "first release", tmp_path)
    assert {"coco.json", "items.jsonl", "manifest.json", "SHA256SUMS"} <= set(names)

    from pycocotools.coco import COCO

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        coco = COCO(str(tmp_path / "coco.json"))
    everything = coco.loadAnns(coco.getAnnIds())
    total = sum(drawn.values(), Counter[str]())
    assert len(coco.getImgIds()) == 3
    assert Counter(one["shape"] for one in everything) == total
    lines = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) == 3
    assert sum((shapes(line["document"]) for line in lines), Counter[str]()) == total
    assert {line["document"]["answers"]["sharp"] for line in lines} <= {"yes", "no"}
    mask = next(one for one in everything if one["shape"] == "mask")
    painted = coco.annToMask(mask)
    assert int(painted.sum()) == mask["area"] > 1000
    x, y = STROKE[1]
    assert painted[y, x] == 1 and painted[y - 40, x] == 0, "the stroke is where the hand was"
    polygon = next(one for one in everything if one["shape"] == "polygon")
    assert coco.annToMask(polygon)[100, 350] == 1
    assert (
        lead.complaints + checker.complaints + expert.complaints + hands[0].complaints + hands[1].complaints
        == []
    )


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one sign to a reader, five code points
TEXT = f"你好{FAMILY}，我上周三在杭州买的空调😀不制冷了。The kettle from Leeds 🇬🇧 is broken too."


def steps(before: str) -> int:
    """Steps of the right arrow to where this first stands: the family and the flag are one step each."""
    text = TEXT[: TEXT.index(before)]
    return len(text) - (len(FAMILY) - 1) * text.count(FAMILY) - text.count("🇬🇧")


@pytest.mark.usefixtures("site")
def test_text_from_upload_to_released_lines(people: People, tmp_path: Path) -> None:
    lead, checker = people("lead"), people("checker")
    hands = [people("ann1"), people("ann2")]
    project = lead.project("messages")

    # The lead uploads a row and puts it first.
    rows = tmp_path / "more.jsonl"
    rows.write_text(json.dumps({"external_key": "emoji-1", "text": TEXT}, ensure_ascii=False) + "\n", "utf-8")
    lead.go(f"/p/{project}/items")
    page = lead.page
    page.locator("details.import summary").click()
    page.locator("[data-files]").set_input_files(rows)
    page.locator("[data-send]").click()
    until = WAIT_MS / 250
    while not (found := lead.api(f"/projects/{project}/items?contains=emoji-1")["results"]) and until > 0:
        page.wait_for_timeout(250)
        until -= 1
    assert len(found) == 1
    lead.go(f"/p/{project}/items?contains=emoji-1")
    page.locator("input[name=ids]").check()
    page.locator("select[name=action]").select_option("priority")
    page.locator("#bulk input[name=value]").fill("9")
    page.locator("#bulk button", has_text="Do it").click()
    until = WAIT_MS / 250
    while (
        until > 0
        and lead.api(f"/projects/{project}/items?contains=emoji-1")["results"][0]["task"]["priority"] != 9
    ):
        page.wait_for_timeout(250)
        until -= 1

    # Two people mark the same, by keys, across signs of several code points.
    for hand in hands:
        bench = hand.start(project, "label")
        work = bench.work()
        assert work["item"]["key"] == "emoji-1", "the item put first comes first"
        bench.mark_by_keys(steps("杭州"), 2, "2")
        bench.regions(1)
        bench.mark_by_keys(steps("空调"), 3, "1")
        bench.regions(2)
        bench.mark_by_keys(steps("Leeds"), steps("🇬🇧") + 1 - steps("Leeds"), "2")
        bench.regions(3)
        bench.answer("wish", "complaint")
        bench.saved()
        for region in bench.work()["document"]["regions"].values():
            span = region["geometry"]
            assert TEXT[span["start"] : span["end"]] == span["quote"]
        bench.submit()
        hand.go("/")

    when(lead, project, "check", 1)
    bench = checker.start(project, "check")
    assert bench.work()["item"]["key"] == "emoji-1"
    bench.submit()
    when(lead, project, "accepted", 1)
    release(lead, project, "texts", tmp_path)
    (line,) = [json.loads(one) for one in (tmp_path / "items.jsonl").read_text("utf-8").splitlines()]
    (text,) = [asset["text"] for asset in line["assets"] if asset.get("text") is not None]
    assert text == TEXT
    spans = [region["geometry"] for region in line["document"]["regions"].values()]
    assert {one["quote"] for one in spans} == {"杭州", "空调😀", "Leeds 🇬🇧"}
    assert all(text[one["start"] : one["end"]] == one["quote"] for one in spans)
    assert line["document"]["answers"] == {"wish": "complaint"}
    assert lead.complaints + checker.complaints + hands[0].complaints + hands[1].complaints == []
