/**
 * The objects as a list: the accessible twin of the picture. Only the rows in view exist, so thousands cost nothing;
 * each says its place and the number of all, so a screen reader counts right.
 */

import { t } from "../../core/i18n.ts";
import { missingOf } from "../../document/select.ts";
import { runsArea } from "../../core/runs.ts";
import type { MaskGeometry, Region } from "../../document/types.ts";
import { shapeOf, textOf } from "../../shapes/registry.ts";
import type { BenchCore } from "../core.ts";
import { fill, h, setText, setVar } from "../dom.ts";
import { panel, type Panel } from "./panel.ts";

const ROW_PX = 28;
const SPARE = 6;

export function regionsPanel(core: BenchCore, back: () => void): Panel {
  const spacer = h("div", { class: "regions-spacer" });
  const list = h("div", { class: "regions", role: "listbox", tabindex: 0, "aria-label": t("Objects"), "aria-multiselectable": "true" }, spacer);
  const empty = h("p", { class: "quiet regions-empty" }, t("No objects yet. Choose a label, then mark the first one."));
  let regions: Region[] = [];
  let lacking = new Set<string>();
  let frame = 0;

  const areas = new WeakMap<object, string>();
  /** A mask is told by its pixels, once they are here; other shapes know their figures themselves. */
  const figures = (region: Region): string => {
    if (region.shape !== "mask") return textOf(region);
    const known = areas.get(region.geometry);
    if (known !== undefined) return known;
    let sum = 0;
    for (const digest of Object.values((region.geometry as MaskGeometry).tiles)) {
      const bytes = core.context.parts.bytes(digest);
      if (!bytes) return "…";
      sum += runsArea(bytes);
    }
    const text = t("{n} px", { n: sum });
    areas.set(region.geometry, text);
    return text;
  };
  const row = (region: Region, index: number): HTMLElement => {
    const chosen = core.state.get().selection.has(region.id);
    const swatch = h("span", { class: "swatch" });
    setVar(swatch, "--swatch", core.colorOf(region.label));
    const machine = region.origin.kind === "kept" || region.origin.kind === "edited";
    const element = h("div", {
      class: "region-row", role: "option", id: `row-${region.id}`, "aria-selected": String(chosen), "aria-posinset": index + 1, "aria-setsize": regions.length, "data-region": region.id,
    }, h("span", { class: "region-n" }, String(index + 1)), swatch, h("span", { class: "region-name" }, core.nameOf(region.label)),
      machine ? h("span", { class: "region-origin", title: region.origin.kind === "kept" ? t("kept from {source}", { source: region.origin.source ?? "" }) : t("kept and edited, from {source}", { source: region.origin.source ?? "" }) }, region.origin.kind === "kept" ? "◇" : "◆") : null,
      lacking.has(region.id) ? h("span", { class: "region-lacks", title: t("A required field is empty.") }, "!") : null,
      h("span", { class: "region-figures", title: shapeOf(region)?.title() ?? region.shape }, figures(region)));
    setVar(element, "--top", `${index * ROW_PX}px`);
    element.addEventListener("mousedown", (event) => event.preventDefault());
    element.addEventListener("click", (event) => {
      const { selection } = core.state.get();
      if (event.ctrlKey || event.metaKey || event.shiftKey) {
        const next = new Set(selection);
        if (!next.delete(region.id)) next.add(region.id);
        core.select([...next]);
      } else {
        core.select([region.id]);
        core.reveal(region.id);
      }
    });
    element.addEventListener("dblclick", back);
    return element;
  };
  const draw = (): void => {
    frame = 0;
    const from = Math.max(0, Math.floor(list.scrollTop / ROW_PX) - SPARE);
    const to = Math.min(regions.length, Math.ceil((list.scrollTop + Math.max(list.clientHeight, 200)) / ROW_PX) + SPARE);
    setVar(spacer, "--height", `${regions.length * ROW_PX}px`);
    fill(spacer, ...regions.slice(from, to).map((region, i) => row(region, from + i)));
    empty.hidden = regions.length > 0;
    list.hidden = regions.length === 0;
    const [first] = core.state.get().selection;
    if (first) list.setAttribute("aria-activedescendant", `row-${first}`);
    else list.removeAttribute("aria-activedescendant");
  };
  const later = (): void => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };
  const read = (): void => {
    regions = core.regions;
    lacking = new Set(missingOf(core.schema, core.document).map((missing) => missing.region ?? ""));
    setText(made.count, String(regions.length));
    later();
  };
  const show = (): void => {
    const [first] = core.state.get().selection;
    const index = regions.findIndex((region) => region.id === first);
    if (index < 0) return;
    const top = index * ROW_PX;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW_PX > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW_PX - list.clientHeight;
  };
  list.addEventListener("scroll", later, { passive: true });
  list.addEventListener("keydown", (event) => {
    const { selection } = core.state.get();
    const at = regions.findIndex((region) => selection.has(region.id));
    const last = regions.length - 1;
    const to = { ArrowDown: Math.min(last, at + 1), ArrowUp: Math.max(0, at - 1), Home: 0, End: last, PageDown: Math.min(last, at + 10), PageUp: Math.max(0, at - 10) }[event.key];
    if (to !== undefined && !event.altKey && !event.ctrlKey && regions[to]) {
      const region = regions[to];
      core.select(event.shiftKey ? [...selection, region.id] : [region.id]);
      core.reveal(region.id);
    } else if (event.key === "Enter" || event.key === " ") {
      if (at < 0 && regions[0]) core.select([regions[0].id]);
      back();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const made = panel("regions", t("Objects"), h("div", { class: "regions-hold" }, empty, list), { grows: true, close: () => {
    cancelAnimationFrame(frame);
    off.forEach((stop) => stop());
  } });
  const off = [
    core.context.history.subscribe(read),
    core.state.subscribe((now, before) => {
      if (now.selection !== before.selection) {
        show();
        later();
      }
    }),
  ];
  read();
  draw();
  return made;
}
