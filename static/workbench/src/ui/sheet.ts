/** The sheet of keys (`?`) and the palette (Ctrl K): both read the same commands that the keys run. */

import { t, titleOf } from "../core/i18n.ts";
import { composing } from "../input/keymap.ts";
import type { BenchCore } from "./core.ts";
import { ask } from "./dialog.ts";
import { fill, h } from "./dom.ts";
import { findLabels } from "./panels/labels.ts";
import { remember } from "./settings.ts";

export function openSheet(host: HTMLElement, core: BenchCore): void {
  const groups = new Map<string, { title: string; keys: string }[]>();
  for (const [name, command] of core.commands) {
    const keys = core.keys.chords(name).map((_, i) => core.keys.shownAt(name, i)).join("  ");
    if (keys === "") continue;
    groups.set(command.group, [...(groups.get(command.group) ?? []), { title: command.title, keys }]);
  }
  groups.set(t("On the picture"), [
    { title: t("Move the selection (or the cross-hair of a drawing tool) by 1 px"), keys: "← → ↑ ↓" }, { title: t("… by 10 px"), keys: "Shift ← → ↑ ↓" },
    { title: t("Resize"), keys: "Alt ← → ↑ ↓" }, { title: t("Press and release at the cross-hair"), keys: "Space / Enter" }, { title: t("Close a polygon, keep a candidate, edit vertices"), keys: "Enter" },
    { title: t("Take the last point back"), keys: "⌫" }, { title: t("Back to the mark"), keys: "Esc" }, { title: t("Pan while held"), keys: "Space" }, { title: t("Leave the picture"), keys: "Tab" },
    { title: t("Change the label of the selection in any tool"), keys: "Alt 1–9" },
  ]);
  const single = h("input", { type: "checkbox", checked: core.state.get().singleKeys, onchange: () => {
    core.state.set({ singleKeys: single.checked });
    remember("single_keys", single.checked);
  } });
  const body = h("div", { class: "sheet" },
    h("label", { class: "sheet-switch" }, single, h("span", null, t("Keys of a single letter, digit or sign"))),
    h("div", { class: "sheet-groups" }, ...[...groups].map(([group, rows]) => h("section", null, h("h3", null, group), h("dl", null, ...rows.flatMap(({ title, keys }) => [
      h("dt", null, title), h("dd", null, ...keys.split("  ").map((key) => h("kbd", null, key))),
    ]))))));
  void ask(host, { title: t("Keys"), body, actions: [], wide: true });
}

interface Row { readonly title: string; readonly hint: string; run(): void }

/** `place` answers "120 45": the keyboard's way to an exact point. */
export function openPalette(host: HTMLElement, core: BenchCore, place: ((x: number, y: number) => void) | null): void {
  const input = h("input", { type: "text", class: "field", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-label": t("Command, label or place"), placeholder: t("Command, label, or a place such as 120 45"), autofocus: true, autocomplete: "off", spellcheck: "false" });
  const list = h("ul", { class: "palette", id: "palette-list", role: "listbox", "aria-label": t("Commands") });
  let rows: Row[] = [];
  let at = 0;
  const close = (): void => list.closest("dialog")?.close();
  const pick = (row: Row | undefined): void => {
    if (!row) return;
    close();
    // After the dialog has given the focus back, so that what runs may move it.
    queueMicrotask(() => row.run());
  };
  const draw = (): void => {
    fill(list, ...rows.slice(0, 60).map((row, i) => h("li", { role: "option", id: `palette-${i}`, "aria-selected": String(i === at), onclick: () => pick(row) }, h("span", null, row.title), h("kbd", null, row.hint))),
      rows.length === 0 ? h("li", { class: "quiet" }, t("Nothing is called that.")) : null);
    input.setAttribute("aria-activedescendant", `palette-${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const search = (): void => {
    const text = input.value.trim();
    const lower = text.toLowerCase();
    rows = [];
    at = 0;
    const point = /^@?\s*(-?\d+(?:\.\d+)?)[\s,;]+(-?\d+(?:\.\d+)?)$/.exec(text);
    if (point && place) {
      const x = Number(point[1]), y = Number(point[2]);
      rows.push({ title: t("Cross-hair to {x}, {y}", { x, y }), hint: "", run: () => place(x, y) });
    }
    for (const [name, command] of core.commands) {
      if (lower !== "" && !command.title.toLowerCase().includes(lower)) continue;
      if (command.enabled?.() === false || /^label_\d$/.test(name)) continue;
      rows.push({ title: command.title, hint: core.keys.shown(name), run: () => core.run(name) });
    }
    if (lower !== "") for (const label of findLabels(core.labels, text).slice(0, 20)) rows.push({ title: t("Label: {label}", { label: titleOf(label.title) }), hint: core.hotkeyOf(label), run: () => core.chooseLabel(label.name) });
    draw();
  };
  input.addEventListener("input", search);
  input.addEventListener("keydown", (event) => {
    if (composing(event)) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + rows.length) % Math.max(1, rows.length);
      draw();
    } else if (event.key === "Enter") pick(rows[at]);
    else return;
    event.preventDefault();
  });
  search();
  void ask(host, { title: t("Commands"), body: h("div", { class: "palette-body" }, input, list), actions: [] });
}
