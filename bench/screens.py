"""The pictures of docs/images: a demo of its own, some work in it, and each page photographed in Chromium.

`concord shots` writes the few that the documents show; `--all FOLDER` writes every page in both sizes, languages and
themes, for somebody to look at. Needs the test packages and a Chromium.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from tests.browser import filling  # noqa: E402
from tests.browser.conftest import SWITCHES, chromium_path  # noqa: E402
from tests.browser.hands import Bench, Person  # noqa: E402
from tests.browser.running import demo_once, site_in  # noqa: E402

MOST_BYTES = 300_000
COLOURED = 60  # difference of channels above which a pixel is an outline or a label
SIZES = ((1366, 768), (1920, 1080))
LOOKS = (("en", "light"), ("zh-hans", "dark"), ("zh-hans", "light"), ("en", "dark"))
# name, size, language, theme of what the documents show
SHOWN = (
    ("bench", 0, "en", "light"),
    ("bench", 0, "zh-hans", "dark"),
    ("project", 0, "en", "light"),
    ("arbitration", 0, "en", "light"),
    ("quality", 0, "en", "light"),
    ("text", 0, "zh-hans", "light"),
)


def save(person: Person, path: Path) -> None:
    """A PNG that is small enough to be carried around: where it must be, the greys of the photograph on the bench
    lose their lowest bits; the page's own colours stay as they are."""
    raw = person.page.screenshot(animations="disabled", caret="hide")
    stage = person.page.locator(".picture-stage")
    shown = np.array(Image.open(io.BytesIO(raw)).convert("RGB"))
    for kept_bits in (0xFC, 0xF8, 0xF0):
        if len(raw) <= MOST_BYTES or not stage.count():
            break
        at = stage.first.bounding_box()
        assert at is not None
        x, y, width, height = (int(at[name]) for name in ("x", "y", "width", "height"))
        pixels = shown.copy()
        photograph = pixels[y : y + height, x : x + width]
        coloured = photograph.max(axis=2).astype(int) - photograph.min(axis=2) > COLOURED
        photograph[~coloured] &= kept_bits
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "PNG", optimize=True)
        raw = out.getvalue()
    path.write_bytes(raw)
    print(f"{path}  {len(raw) / 1000:.0f} kB", flush=True)


def picture_bench(person: Person, project: str) -> None:
    bench = person.start(project, "label")
    bench.fit()
    if not bench.work()["document"]["regions"]:
        bench.label("1", "coin")
        bench.keep(1)
        bench.label("4", "damage")
        bench.stroke([(470, 100), (500, 130), (520, 175)])
        bench.label("1", "coin")
        bench.box(16, 160, 80, 320)
        bench.saved()


def text_bench(person: Person, project: str) -> None:
    bench = person.start(project, "label")
    if not bench.work()["document"]["regions"]:
        bench.keep(1)
        bench.saved()


def stage(name: str) -> Callable[[Person, str], None]:
    def open_it(person: Person, project: str) -> None:
        person.start(project, name)

    return open_it


def page(path: str) -> Callable[[Person, str], None]:
    def open_it(person: Person, project: str) -> None:
        person.go(path.format(project=project))
        person.page.locator("main").wait_for()
        person.page.wait_for_load_state("networkidle")

    return open_it


# name -> (who, 0 pictures or 1 texts, how)
PAGES: dict[str, tuple[str, int, Callable[[Person, str], None]]] = {
    "sign-in": ("nobody", 0, page("/sign-in")),
    "desk": ("ann1", 0, page("/")),
    "project": ("lead", 0, page("/p/{project}")),
    "items": ("lead", 0, page("/p/{project}/items")),
    "grid": ("lead", 0, page("/p/{project}/items?look=grid")),
    "schema": ("lead", 0, page("/p/{project}/schema")),
    "rules": ("lead", 0, page("/p/{project}/rules")),
    "quality": ("lead", 0, page("/p/{project}/quality")),
    "lots": ("lead", 0, page("/p/{project}/lots")),
    "releases": ("lead", 0, page("/p/{project}/releases")),
    "members": ("lead", 0, page("/p/{project}/members")),
    "events": ("lead", 0, page("/p/{project}/events")),
    "disputes": ("expert", 0, page("/p/{project}/disputes")),
    "bench": ("ann1", 0, picture_bench),
    "text": ("ann2", 1, text_bench),
    "arbitration": ("expert", 0, stage("arbitrate")),
    "arbitration-text": ("expert", 1, stage("arbitrate")),
    "check": ("checker", 0, stage("check")),
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="concord shots", description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page in every size and look")
    parser.add_argument("--only", action="append", choices=sorted(PAGES), help="these pages alone")
    options = parser.parse_args(arguments)
    executable = chromium_path()
    if executable is None:
        print("no Chromium is installed")
        return 1
    if options.all:
        wanted = [(name, size, *look) for look in LOOKS for size in (0, 1) for name in options.only or PAGES]
    else:
        wanted = [one for one in SHOWN if not options.only or one[0] in options.only]
    folder = options.all or ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="concord-shots-") as data,
        site_in(demo_once(Path(data) / "demo"), Path(data) / "site") as site,
        sync_playwright() as playwright,
    ):
        site.fresh(CONCORD_GRACE_S="0")
        browser = playwright.chromium.launch(executable_path=executable, args=SWITCHES)
        shoot(browser, site, wanted, folder, everything=bool(options.all))
        browser.close()
    return 0


def shoot(browser: Browser, site: Any, wanted: list[Any], folder: Path, *, everything: bool) -> None:
    known: dict[str, Person] = {}

    def person(name: str) -> Person:
        if name not in known:
            known[name] = Person(browser, site.url, name, site.passwords.get(name, ""))
            if name != "nobody":
                known[name].sign_in()
        return known[name]

    projects = filling.fill(person)
    for name, size, language, theme in wanted:
        who, which, show = PAGES[name]
        one = person(who)
        width, height = SIZES[size]
        one.page.set_viewport_size({"width": width, "height": height})
        look(one, language, theme)
        show(one, projects[which])
        end = f"-{language[:2]}-{theme}" if everything or (language, theme) != ("en", "light") else ""
        save(one, folder / f"{name}{end}{f'-{width}' if everything else ''}.png")
        if isinstance(one.page.url, str) and "/bench/" in one.page.url and who in ("ann1", "ann2"):
            Bench(one).saved()


def look(person: Person, language: str, theme: str) -> None:
    """By the form that is on every page."""
    person.go("/" if person.name != "nobody" else "/sign-in")
    for name, value in (("language", language), ("theme", theme)):
        select = person.page.locator(f"form[data-look] select[name={name}]")
        if select.input_value() != value:
            with person.page.expect_navigation():
                select.select_option(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
