/** Labels: a digit, a click or a few letters choose one. The chosen one stays until another is chosen. */

import { t, titleOf } from "../../core/i18n.ts";
import type { Label } from "../../document/types.ts";
import { composing } from "../../input/keymap.ts";
import type { BenchCore } from "../core.ts";
import { fill, h, setVar } from "../dom.ts";
import { panel, type Panel } from "./panel.ts";

/** More rows than anybody reads: then letters find. */
const MOST = 200;

/** Everything a label may be called by: all its titles, its name, its initials where the schema carries them. */
export function wordsOf(label: Label): string {
  const titles = typeof label.title === "string" ? [label.title] : Object.values(label.title);
  const { pinyin, initials } = label as unknown as { pinyin?: unknown; initials?: unknown };
  return [...titles, label.name, pinyin, initials].filter((word): word is string => typeof word === "string").join("\n").toLowerCase();
}

/** Whole-prefix hits first, then hits at a word's start, then any; all letters must be there in one piece. */
export function findLabels(labels: readonly Label[], query: string): Label[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return [...labels];
  const ranked: { label: Label; rank: number }[] = [];
  for (const label of labels) {
    const words = wordsOf(label);
    const at = words.indexOf(wanted);
    if (at < 0) continue;
    const lines = words.split("\n");
    ranked.push({ label, rank: lines.some((line) => line === wanted) ? 0 : lines.some((line) => line.startsWith(wanted)) ? 1 : /[\s_\-/]/.test(words[at - 1] ?? "") ? 2 : 3 });
  }
  return ranked.sort((a, b) => a.rank - b.rank).map(({ label }) => label);
}

function depthOf(label: Label, byName: ReadonlyMap<string, Label>): number {
  let depth = 0;
  for (let parent = label.parent; parent && depth < 6; parent = byName.get(parent)?.parent) depth++;
  return depth;
}

export interface LabelsPanel extends Panel { find(): void }

export function labelsPanel(core: BenchCore, back: () => void): LabelsPanel {
  const byName = new Map(core.labels.map((label) => [label.name, label]));
  const search = h("input", { type: "search", class: "field labels-find", placeholder: t("Find a label ({key})", { key: core.keys.shown("find_label") }), "aria-label": t("Find a label"),
    role: "combobox", "aria-controls": "labels-list", "aria-expanded": "true", autocomplete: "off", spellcheck: "false" });
  const list = h("ul", { class: "labels", id: "labels-list", role: "listbox", "aria-label": t("Labels") });
  let shown: Label[] = [];
  let marked = 0;
  let counts = new Map<string, number>();

  const row = (label: Label, index: number): HTMLLIElement => {
    const key = core.hotkeyOf(label);
    const chosen = core.state.get().label === label.name;
    const swatch = h("span", { class: "swatch" });
    setVar(swatch, "--swatch", core.colorOf(label.name));
    const n = counts.get(label.name) ?? 0;
    const item = h("li", {
      role: "option", id: `label-${index}`, class: `label-row${search.value !== "" && index === marked ? " is-marked" : ""}`, "aria-selected": String(chosen),
      title: key ? t("{label}: key {key}", { label: titleOf(label.title), key }) : titleOf(label.title), "data-label": label.name,
    }, h("kbd", null, key), swatch, h("span", { class: "label-name" }, titleOf(label.title) || label.name), h("span", { class: "label-count" }, n > 0 ? String(n) : ""));
    setVar(item, "--depth", String(search.value === "" ? depthOf(label, byName) : 0));
    item.addEventListener("mousedown", (event) => event.preventDefault());
    item.addEventListener("click", () => {
      core.chooseLabel(label.name);
      leave();
    });
    return item;
  };
  const draw = (): void => {
    shown = findLabels(core.labels, search.value);
    marked = Math.min(marked, Math.max(0, shown.length - 1));
    fill(list, ...shown.slice(0, MOST).map(row),
      shown.length > MOST ? h("li", { class: "quiet" }, t("{n} more: type to find them.", { n: shown.length - MOST })) : null,
      shown.length === 0 ? h("li", { class: "quiet" }, t("No label is called that.")) : null);
    search.setAttribute("aria-activedescendant", search.value !== "" ? `label-${marked}` : "");
  };
  const recount = (): void => {
    const now = new Map<string, number>();
    for (const region of core.regions) now.set(region.label, (now.get(region.label) ?? 0) + 1);
    const same = now.size === counts.size && [...now].every(([name, n]) => counts.get(name) === n);
    counts = now;
    if (!same) draw();
  };
  const leave = (): void => {
    if (search.value !== "") {
      search.value = "";
      marked = 0;
      draw();
    }
    back();
  };
  search.addEventListener("input", () => {
    marked = 0;
    draw();
  });
  search.addEventListener("keydown", (event) => {
    if (composing(event)) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      marked = (marked + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % Math.max(1, shown.length);
      draw();
      list.children[marked]?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      const label = shown[marked];
      if (label) core.chooseLabel(label.name);
      leave();
    } else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  recount();
  draw();
  const off = [
    core.state.subscribe((now, before) => {
      if (now.label !== before.label) draw();
    }),
    core.context.history.subscribe(recount),
  ];
  const body = core.labels.length > 8 ? h("div", null, search, list) : h("div", { class: "labels-short" }, search, list);
  const made = panel("labels", t("Labels"), body, { close: () => off.forEach((stop) => stop()) });
  return {
    ...made,
    find: () => {
      made.open();
      search.focus();
      search.select();
    },
  };
}
