/**
 * The frame of a bench: top bar, tool column, stage, right column, foot. Nothing in it knows pictures; sizes and folds
 * are remembered by the browser.
 */

import { t } from "../core/i18n.ts";
import { ServerClock } from "../core/time.ts";
import { duration } from "../core/time.ts";
import { statusText } from "../sync/status.ts";
import type { BenchCore } from "./core.ts";
import { fill, h, setText, setVar } from "./dom.ts";
import { icon } from "./icons.ts";
import type { Panel } from "./panels/panel.ts";
import { recall, remember } from "./settings.ts";

export interface ToolButton { readonly name: string; readonly title: string; readonly icon: string; readonly action: string }
export interface FrameParts {
  readonly tools: readonly ToolButton[];
  /** Below the tools, at the end of the column. */
  readonly extras: readonly ToolButton[];
  readonly stage: HTMLElement;
  readonly panels: readonly (Panel | null)[];
  readonly foot: readonly Node[];
  /** In the place of submit: the checker's panel. */
  readonly outcome?: HTMLElement | null;
}
export interface Frame { readonly element: HTMLElement; close(): void }

const SIDE_MIN_PX = 220;
const SIDE_MAX_PX = 560;
const SIDE_PX = 300;
/** The lease is said louder below this. */
const LEASE_SOON_MS = 5 * 60_000;

/** A button that leaves the focus where it is: keys go on working where the hand was. */
export function quietButton(name: string, title: string, key: string, content: Node | string, run: () => void, className = "icon-button"): HTMLButtonElement {
  const button = h("button", { type: "button", class: className, "data-action": name, "aria-label": title, title: key ? `${title} (${key})` : title, onclick: run }, content);
  button.addEventListener("mousedown", (event) => event.preventDefault());
  return button;
}

function topBar(core: BenchCore, outcome: HTMLElement | null): { element: HTMLElement; close(): void } {
  const { boot, work, status } = core.context;
  const clock = new ServerClock(work.server_now);
  const saved = h("span", { class: "save", role: "status" }, h("span", { class: "save-dot" }), h("span", { class: "save-text" }));
  const lease = h("span", { class: "lease" });
  const stages: { readonly [stage: string]: string } = { label: t("label"), check: t("check"), arbitrate: t("arbitrate") };
  const tick = (): void => {
    const now = status.get();
    const text = statusText(now, Date.now());
    setText(saved.lastElementChild!, text);
    saved.dataset["state"] = now.state;
    const until = Date.parse(now.lease_until ?? work.assignment.lease_until);
    const left = until - clock.now();
    setText(lease, !Number.isFinite(left) ? "" : left > 0 ? t("lease {duration}", { duration: duration(left) }) : t("lease over: saving renews it"));
    lease.classList.toggle("is-soon", Number.isFinite(left) && left < LEASE_SOON_MS);
  };
  // Formatting a date loads the browser's language tables, 30 ms at the start: only for who asks.
  saved.addEventListener("pointerenter", () => {
    const { saved_at } = status.get();
    saved.title = saved_at === undefined ? "" : new Date(saved_at).toLocaleString(boot.language);
  });
  lease.addEventListener("pointerenter", () => {
    const until = Date.parse(status.get().lease_until ?? work.assignment.lease_until);
    lease.title = Number.isFinite(until) ? t("This seat is yours until {time}; work renews it.", { time: new Date(until).toLocaleTimeString(boot.language) }) : "";
  });
  const timer = window.setInterval(tick, 1000);
  const off = status.subscribe(tick);
  tick();
  const home = boot.urls["desk"] ?? "/";
  const submitKey = core.keys.shown("submit");
  const more = core.commands.has("unusable") || core.commands.has("park") ? moreMenu(core) : null;
  const element = h("header", { class: "bench-top" },
    h("a", { class: "icon-button", href: home, title: t("Back to the desk"), "aria-label": t("Back to the desk") }, icon("back")),
    h("div", { class: "bench-where" }, h("span", { class: "bench-project" }, work.project.title), h("span", { class: "bench-item" }, work.item.key ?? work.item.id)),
    h("div", { class: "bench-facts" }, h("span", { class: "stage-chip" }, stages[work.assignment.stage] ?? work.assignment.stage), lease, saved),
    h("div", { class: "bench-ends" }, more,
      core.commands.has("skip") ? quietButton("skip", t("Skip with a reason"), core.keys.shown("skip"), t("Skip"), () => core.run("skip"), "button") : null,
      outcome ?? h("button", { type: "button", class: "button is-primary", "data-action": "submit", title: `${t("Submit")} (${submitKey})`, onclick: () => core.run("submit") },
        t("Submit"), h("kbd", null, submitKey))));
  return {
    element,
    close: () => {
      window.clearInterval(timer);
      off();
    },
  };
}

function moreMenu(core: BenchCore): HTMLElement {
  const menu = h("div", { class: "menu", popover: "auto" }, ...["unusable", "park", "help", "palette"].filter((name) => core.commands.has(name)).map((name) => {
    const command = core.commands.get(name)!;
    return h("button", { type: "button", class: "menu-item", onclick: () => {
      menu.hidePopover();
      core.run(name);
    } }, h("span", null, command.title), h("kbd", null, core.keys.shown(name)));
  }));
  const button = h("button", { type: "button", class: "icon-button", "aria-label": t("More"), title: t("More"), onclick: () => {
    const box = button.getBoundingClientRect();
    setVar(menu, "--menu-top", `${box.bottom + 4}px`);
    setVar(menu, "--menu-right", `${window.innerWidth - box.right}px`);
    menu.togglePopover();
  } }, icon("more"));
  return h("div", { class: "more" }, button, menu);
}

function toolColumn(core: BenchCore, tools: readonly ToolButton[], extras: readonly ToolButton[]): { element: HTMLElement; close(): void } {
  const make = (tool: ToolButton): HTMLButtonElement => quietButton(tool.action, tool.title, core.keys.shown(tool.action), icon(tool.icon), () => core.run(tool.action), "icon-button tool");
  const buttons = tools.map(make);
  const bar = h("div", { class: "tools-bar", role: "toolbar", "aria-orientation": "vertical", "aria-label": t("Tools") }, ...buttons, h("span", { class: "tools-gap" }), ...extras.map(make));
  const element = h("nav", { class: "bench-tools", "aria-label": t("Tools") }, bar);
  const draw = (): void => tools.forEach((tool, i) => buttons[i]!.setAttribute("aria-pressed", String(core.state.get().tool === tool.name)));
  // One stop for the tab key; arrows go through the column.
  const all = [...element.querySelectorAll("button")];
  all.forEach((button, i) => (button.tabIndex = i === 0 ? 0 : -1));
  element.addEventListener("keydown", (event) => {
    const at = all.indexOf(document.activeElement as HTMLButtonElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (at < 0 || step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = all[(at + step + all.length) % all.length]!;
    all.forEach((button) => (button.tabIndex = button === next ? 0 : -1));
    next.focus();
  });
  const off = core.state.subscribe(draw);
  draw();
  return { element, close: off };
}

function sideColumn(panels: readonly Panel[], root: HTMLElement): HTMLElement {
  const side = h("aside", { class: "bench-side", "aria-label": t("Panels") }, ...panels.map(({ element }) => element));
  const grip = h("div", { class: "side-grip", role: "separator", "aria-orientation": "vertical", "aria-label": t("Width of the panels"), tabindex: 0 });
  const set = (width: number, keep: boolean): void => {
    const px = Math.round(Math.max(SIDE_MIN_PX, Math.min(SIDE_MAX_PX, width)));
    setVar(root, "--side", `${px}px`);
    grip.setAttribute("aria-valuenow", String(px));
    if (keep) remember("side", px);
  };
  grip.setAttribute("aria-valuemin", String(SIDE_MIN_PX));
  grip.setAttribute("aria-valuemax", String(SIDE_MAX_PX));
  set(recall("side", SIDE_PX), false);
  grip.addEventListener("pointerdown", (event) => {
    grip.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  grip.addEventListener("pointermove", (event) => {
    if (grip.hasPointerCapture(event.pointerId)) set(window.innerWidth - event.clientX, false);
  });
  grip.addEventListener("pointerup", (event) => set(window.innerWidth - event.clientX, true));
  grip.addEventListener("dblclick", () => set(SIDE_PX, true));
  grip.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: 16, ArrowRight: -16 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(side.offsetWidth + by, true);
  });
  side.prepend(grip);
  return side;
}

export function openFrame(host: HTMLElement, core: BenchCore, parts: FrameParts): Frame {
  const root = h("div", { class: "bench" });
  const panels = parts.panels.filter((panel): panel is Panel => panel !== null);
  const top = topBar(core, parts.outcome ?? null);
  const tools = toolColumn(core, parts.tools, parts.extras);
  const foot = h("footer", { class: "bench-foot" });
  fill(foot, ...parts.foot);
  parts.stage.classList.add("bench-stage");
  root.append(top.element, tools.element, parts.stage, sideColumn(panels, root), foot);
  root.classList.toggle("is-wide", recall("side_folded", false));
  host.append(root);
  return {
    element: root,
    close: () => {
      top.close();
      tools.close();
      for (const panel of panels) panel.close();
      root.remove();
    },
  };
}

export function toggleSide(root: HTMLElement): void {
  root.classList.toggle("is-wide");
  remember("side_folded", root.classList.contains("is-wide"));
}
