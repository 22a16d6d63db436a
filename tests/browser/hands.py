"""Hands of a person at the pages and the bench: clicks, strokes and keys, and what they then see.

Places are given in pixels of the picture; `Bench` finds them on the screen. Nothing here reaches around the page
but for reading what the server holds, over the API that the page itself uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

Point = tuple[float, float]
WAIT_MS = 30_000  # a machine with other work to do; nothing here sleeps that long
MARGIN_PX = 12  # around a picture that fits (static/workbench/src/view/viewport.ts)


class Person:
    """Somebody with a browser of their own, signed in."""

    present: ClassVar[list[Person]] = []

    def __init__(
        self, browser: Browser | BrowserContext, url: str, name: str, password: str, **look: Any
    ) -> None:
        if isinstance(browser, BrowserContext):
            self.context = browser
        else:
            self.context = browser.new_context(
                viewport={"width": 1366, "height": 768},
                accept_downloads=True,
                reduced_motion="reduce",
                **look,
            )
        self.context.set_default_timeout(WAIT_MS)
        self.url, self.name, self.password = url, name, password
        self.page: Page = self.context.pages[0] if self.context.pages else self.context.new_page()
        self.complaints: list[str] = []
        self.loads = 0
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("request", self._count)
        Person.present.append(self)

    def leave(self) -> None:
        Person.present.remove(self)
        self.context.close()

    def _count(self, request: Any) -> None:
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self.loads += 1

    def sign_in(self) -> Person:
        self.go("/sign-in")
        self.fill_sign_in()
        expect(self.page.locator("form[data-sign-out]")).to_be_visible()
        return self

    def fill_sign_in(self, page: Page | None = None) -> None:
        page = page or self.page
        page.locator("input[name=username]").fill(self.name)
        page.locator("input[name=password]").fill(self.password)
        page.locator("form[data-sign-in] button").click()

    def go(self, path: str) -> None:
        self.page.goto(self.url + path, wait_until="domcontentloaded")

    def api(self, path: str) -> Any:
        answer = self.page.request.get(f"{self.url}/api{path}")
        assert answer.ok, f"{path}: {answer.status} {answer.text()[:500]}"
        return answer.json()

    def project(self, title: str) -> str:
        """Public id of the project whose title has this in it."""
        found = [one["id"] for one in self.api("/projects")["results"] if title in one["title"]]
        assert len(found) == 1, found
        return str(found[0])

    def start(self, project: str, stage: str) -> Bench:
        """From the desk, with the button there, to the bench."""
        self.go("/")
        self.page.locator(f'form[action="/p/{project}/start/{stage}"] button').click()
        return Bench(self)


class Bench:
    """The bench with a task on it."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.page = person.page
        self.task = ""
        self.settle()

    # --- where we are ---

    def settle(self, but: str = "") -> Bench:
        """Waits until a task, another one than `but`, can be worked on."""
        other = f":not([data-task='{but}'])" if but else ""
        self.page.wait_for_selector(f"html[data-usable='1']{other}", state="attached", timeout=WAIT_MS)
        self.task = self.page.locator("html").get_attribute("data-task") or ""
        return self

    @property
    def seat(self) -> str:
        return self.page.url.rpartition("/")[2]

    def work(self) -> dict[str, Any]:
        return dict(self.person.api(f"/assignments/{self.seat}"))

    @property
    def surface(self) -> Locator:
        return self.page.locator(".picture-stage canvas.view-active").first

    def saved(self) -> None:
        expect(self.page.locator(".save[data-state='saved']")).to_be_attached(timeout=WAIT_MS)

    def regions(self, n: int) -> None:
        expect(self.page.locator("html")).to_have_attribute("data-regions", str(n))

    # --- the hand on a picture ---

    def fit(self) -> None:
        """The whole picture in the pane: from there `at` knows every place."""
        self.surface.focus()
        self.page.keyboard.press("0")
        work = self.work()
        picture = next(one for one in work["item"]["assets"] if one["kind"] == "image")
        self.size = (picture["width"], picture["height"])

    def at(self, x: float, y: float) -> Point:
        box = self.surface.bounding_box()
        assert box is not None
        width, height = self.size
        scale = min((box["width"] - 2 * MARGIN_PX) / width, (box["height"] - 2 * MARGIN_PX) / height)
        left = box["x"] + (box["width"] - width * scale) / 2
        top = box["y"] + (box["height"] - height * scale) / 2
        return left + x * scale, top + y * scale

    def drag(self, points: Sequence[Point]) -> None:
        mouse = self.page.mouse
        mouse.move(*self.at(*points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.at(*point), steps=4)
        mouse.up()

    def tool(self, key: str, name: str) -> None:
        self.page.keyboard.press(key)
        expect(self.page.locator(f"[data-action='tool.{name}'][aria-pressed='true']")).to_be_attached()

    def box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.tool("b", "box")
        self.drag([(x0, y0), (x1, y1)])

    def polygon(self, points: Sequence[Point]) -> None:
        self.tool("p", "polygon")
        for point in points:
            self.page.mouse.click(*self.at(*point))
        self.page.keyboard.press("Enter")

    def stroke(self, points: Sequence[Point]) -> None:
        self.tool("m", "brush")
        self.drag(points)

    def cross_hair(self, x: int, y: int) -> None:
        """The keyboard's way to an exact place: the palette."""
        self.page.keyboard.press("Control+k")
        field = self.page.locator("dialog[open] input")
        field.fill(f"{x} {y}")
        field.press("Enter")
        expect(self.page.locator("dialog[open]")).to_have_count(0)

    def arrows(self, key: str, px: int) -> None:
        for _ in range(px // 10):
            self.page.keyboard.press(f"Shift+{key}")
        for _ in range(px % 10):
            self.page.keyboard.press(key)

    def box_by_keys(self, x: int, y: int, width: int, height: int) -> None:
        self.tool("b", "box")
        self.cross_hair(x, y)
        self.page.keyboard.press("Space")
        self.arrows("ArrowRight", width)
        self.arrows("ArrowDown", height)
        self.page.keyboard.press("Space")

    def label(self, key: str, name: str) -> None:
        self.page.keyboard.press(key)
        expect(self.page.locator(f"[data-label='{name}'][aria-selected='true']")).to_be_attached()

    def keep(self, n: int = 1) -> None:
        """The first key may only lead the eye to the next prelabel: nothing is kept that was not looked at."""
        for _ in range(n):
            if self.page.locator(".foot-button[data-action='next_prelabel']").inner_text().count("(") == 0:
                self.page.keyboard.press("a")
            self.page.keyboard.press("a")

    def answer(self, control: str, option: str) -> None:
        self.page.locator(f"[data-field='{control}'] input[value='{option}']").check(force=True)

    # --- the hand on a text ---

    def caret_to_start(self) -> None:
        self.page.locator(".text-view").focus()
        self.page.keyboard.press("Control+Home")

    def mark_by_keys(self, after: int, length: int, key: str) -> None:
        """From the beginning `after` steps on, `length` steps marked; a step is what a reader sees as one sign."""
        self.caret_to_start()
        for _ in range(after):
            self.page.keyboard.press("ArrowRight")
        for _ in range(length):
            self.page.keyboard.press("Shift+ArrowRight")
        self.page.keyboard.press(key)

    # --- the end ---

    def reason(self, number: int, action: str) -> None:
        dialog = self.page.locator("dialog[open]")
        dialog.locator("input[type=radio]").nth(number - 1).check()
        dialog.locator(f"footer [data-action='{action}']").click()

    def skip(self) -> None:
        before = self.task
        self.page.keyboard.press("s")
        self.reason(1, "go")
        self.settle(before)

    def submit(self) -> None:
        """Submitted, and the next task (or word that there is none) on the same page."""
        before, loads = self.task, self.person.loads
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_selector(
            f"html[data-usable='1']:not([data-task='{before}']), .bench-end",
            state="attached",
            timeout=WAIT_MS,
        )
        assert self.person.loads == loads, "the next task came by loading the page"
        self.task = self.page.locator("html").get_attribute("data-task") or ""
